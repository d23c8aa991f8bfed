"""`./porchlight bench [name …] [--json]`: runs benchmarks, each in a process of its own."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.quiet import Watch
from bench.report import as_markdown, describe_machine

NAMES = ("provision", "importing")
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
    report = measure(names[0], asked)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    print(text if asked.json else as_markdown(report))
    if asked.save:
        (RESULTS / f"{names[0]}.json").write_text(text + "\n", encoding="utf-8")
        (RESULTS / f"{names[0]}.md").write_text(as_markdown(report), encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="./porchlight bench", description="Run the benchmarks.")
    made.add_argument("names", nargs="*", metavar="name", help=f"{' or '.join(NAMES)}; all when none is named")
    made.add_argument("--json", action="store_true", help="print JSON, one object for each benchmark")
    made.add_argument("--rounds", type=int, default=15, help="rounds of provision (15)")
    made.add_argument("--rows", type=int, default=50_000, help="rows in each list of importing (50000)")
    made.add_argument("--note", default="", help="what else the machine was doing; kept in the results")
    made.add_argument("--save", action="store_true", help="also write the results into bench/results")
    return made


def measure(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Run one benchmark in this process."""
    module = import_module(f"bench.{name}")
    watch = Watch()
    rows, postgres = module.run(rounds=asked.rounds, size=asked.rows)
    others = watch.others()
    return {
        "benchmark": name,
        "about": module.ABOUT,
        "machine": describe_machine(postgres, others=others, note=asked.note),
        "rows": [row.as_json() for row in rows],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
