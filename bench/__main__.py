"""`./porchlight bench [name …] [--json]`: runs benchmarks, each in a process of its own."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.peers import PEERS
from bench.plot import as_svg
from bench.quiet import Watch
from bench.report import Measured, as_markdown, as_overview, describe_machine

NAMES = tuple(
    name
    for name in ("provision", "saga", "routing", "fleet", "scale", "importing", "payments")
    if find_spec(f"bench.{name}")
)
RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    """Run what is asked for; returns the exit status."""
    asked = parser().parse_args(arguments)
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        print(f"There is no benchmark named {', '.join(unknown)}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    names = asked.names or list(NAMES)
    if len(names) > 1:
        options = [argument for argument in arguments if argument not in names]
        # Memory is counted for a process, so each benchmark has its own.
        return max(subprocess.call([sys.executable, "-m", "bench", name, *options]) for name in names)
    report, samples = measure(names[0], asked)
    print(as_text(report) if asked.json else as_markdown(report))
    if asked.save:
        save(names[0] if asked.tenants is None else f"{names[0]}-{asked.tenants}", report, samples)
    return 0


def save(name: str, report: dict[str, Any], samples: dict[str, list[float]]) -> None:
    """Keep a report with its page, plot and measurements, and renew the overview of all reports."""
    (RESULTS / f"{name}.json").write_text(as_text(report), encoding="utf-8")
    (RESULTS / f"{name}.svg").write_text(as_svg(report), encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(as_markdown(report, f"{name}.svg"), encoding="utf-8")
    (RESULTS / f"{name}.samples.json").write_text(as_text(samples, indent=None), encoding="utf-8")
    (RESULTS / "README.md").write_text(as_overview(kept_reports()), encoding="utf-8")


def kept_reports() -> dict[str, dict[str, Any]]:
    """Return all kept reports by the names of their files."""
    files = [path for path in RESULTS.glob("*.json") if not path.stem.endswith(".samples")]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="./porchlight bench", description="Run the benchmarks.")
    made.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(NAMES)}; all when none is named")
    made.add_argument("--json", action="store_true", help="print JSON, one object for each benchmark")
    made.add_argument("--rounds", type=int, help="how often everybody takes a turn")
    made.add_argument("--tenants", type=int, help="how many tenants stand there (1000)")
    made.add_argument("--sample", type=int, help="how many of them the peers migrate in each round of fleet (8)")
    made.add_argument("--peers", choices=PEERS, default="all", help="all (fetched if need be), installed ones, or none")
    made.add_argument("--no-peers", dest="peers", action="store_const", const="none", help="measure only ourselves")
    made.add_argument(
        "--rows", dest="size", type=int, help="rows in each list of importing (50000), backlog of payments (1000)"
    )
    made.add_argument(
        "--careless", action="store_const", const=True, help="let the server write nothing through, for a quick look"
    )
    made.add_argument("--note", default="", help="what else the machine was doing; kept in the results")
    made.add_argument("--save", action="store_true", help="also write the results into bench/results")
    return made


def measure(name: str, asked: argparse.Namespace) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Run one benchmark in this process; returns its report and the single measurements."""
    module = import_module(f"bench.{name}")
    watch = Watch()
    given = {key: getattr(asked, key) for key in ("rounds", "tenants", "sample", "peers", "size", "careless")}
    # What is not given has the benchmark's own default.
    found = Measured(*module.run(**{key: value for key, value in given.items() if value is not None}))
    machine = describe_machine(found.postgres, others=watch.others(), note=asked.note, durable=found.durable)
    report = {
        "benchmark": name,
        "about": f"{module.ABOUT} {found.remarks}".strip(),
        "machine": machine,
        "rows": [row.as_json() for row in found.rows],
    }
    return report, {key: [round(value, 6) for value in values] for key, values in found.samples.items()}


def as_text(value: object, indent: int | None = 2) -> str:
    """Return a value as a JSON file."""
    return json.dumps(value, indent=indent, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
