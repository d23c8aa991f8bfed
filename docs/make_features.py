#!/usr/bin/env python3
"""Writes docs/features.md: every rule of the product, and the tests that show it or the fact that none does.

`docs/rules.tsv` holds the rules (id, source, text). A test claims a rule by naming its id in its docstring or a
comment. Ids that exist twice mean the security requirement (PAY, SUP; `features PAY-05` means the product rule) or the
page of the office (F-01 to F-30, which are no rules; `fault F-05` means the fault).
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "features.md"
ID = re.compile(
    r"(?<![\w-])(features |fault )?((?:PLT|HOST|BRAND|AUTH|ENR|SHARE|NAV|VIS|INV|PAY|CARD|EST|JOB|BKG|MEM|EQP"
    r"|DOC|MSG|REV|PROF|SUP|ISO|AUN|AUZ|WEB|INJ|UPL|API|CON|EMB|PRIV|OPS)-\d\d|F-\d{2,3}|F\d{1,2}|D\d\d[a-z]?|R-(?:TASK|PROV|PAY|BAK)-\d+)"
    r"(?:(?:…|\.\.\.|\u2013)(?:[A-Z]+-?)?(\d{1,3}))?(?![\w-])"
)
ACCEPTANCE = re.compile(r"[Aa]cceptance(?: checks?)? ((?:\d{1,2}(?:, | and )?)+)")
PAGES = frozenset(f"F-{number:02d}" for number in range(1, 31))
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)|^class (Test\w+)")

Rules = dict[str, tuple[str, str]]


def read_rules() -> Rules:
    """Return id → (source, text) in the order of the file."""
    lines = (ROOT / "docs" / "rules.tsv").read_text("utf-8").splitlines()
    return {key: (source, text) for key, source, text in (line.split("\t") for line in lines)}


def claims(rules: Rules) -> dict[str, list[str]]:
    """Return id → names of the tests that claim it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place = path.relative_to(ROOT / "tests").as_posix()
        test = ""
        for line in path.read_text("utf-8").splitlines():
            if match := TEST.match(line):
                test = match[1] or match[2]
            for key in ids_in(line, rules):
                found[key].add(f"{place}::{test}" if test else place)
    return {key: sorted(tests) for key, tests in found.items()}


def ids_in(line: str, rules: Rules) -> list[str]:
    """Return the rule ids that a line of a test names, ranges spelt out."""
    keys: list[str] = []
    for prefix, key, end in ID.findall(line):
        stem, number = re.match(r"(.*?)(\d+)[a-z]?$", key).groups()  # type: ignore[union-attr]
        last = int(end) if end and int(end) > int(number) else int(number)
        names = [key] if last == int(number) else [f"{stem}{n:0{len(number)}d}" for n in range(int(number), last + 1)]
        for name in names:
            if name in PAGES and prefix != "fault ":
                continue
            secured = f"S:{name}"
            keys.append(name if prefix or secured not in rules else secured)
    for numbers in ACCEPTANCE.findall(line):
        keys += [f"Acceptance {n}" for n in re.findall(r"\d+", numbers)]
    return [key for key in keys if key in rules]


def render() -> str:
    """Return the text of docs/features.md."""
    rules = read_rules()
    tests = claims(rules)
    sources = list(dict.fromkeys(source for source, _ in rules.values()))
    out = [
        "# Features: what is shown by a test, and what is missing",
        "",
        "Written by `docs/make_features.py` from `docs/rules.tsv` and the tests; not edited by hand.",
        "A rule counts as shown when a test names it. `S:` marks security requirements whose id a product rule shares.",
        "",
        "| source | rules | shown | missing |",
        "| --- | --: | --: | --: |",
    ]
    for source in sources:
        keys = [key for key, (kind, _) in rules.items() if kind == source]
        shown = sum(1 for key in keys if key in tests)
        out.append(f"| {source} | {len(keys)} | {shown} | {len(keys) - shown} |")
    for source in sources:
        keys = [key for key, (kind, _) in rules.items() if kind == source]
        out += ["", f"## {source.capitalize()}: shown", "", "| id | rule | tests |", "| --- | --- | --- |"]
        for key in keys:
            if key in tests:
                names = ", ".join(f"`{name}`" for name in tests[key][:3])
                more = f" and {len(tests[key]) - 3} more" if len(tests[key]) > 3 else ""
                out.append(f"| {key} | {_cell(rules[key][1])} | {names}{more} |")
        out += ["", f"## {source.capitalize()}: missing", ""]
        out += [f"- **{key}** {rules[key][1]}" for key in keys if key not in tests]
    return "\n".join(out) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the file, or with --check say whether it is current."""
    text = render()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text("utf-8") == text else 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
