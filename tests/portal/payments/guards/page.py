"""The page docs/payment-failures.md: each guard that was seen to be needed, and what its test says without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .table import Guard

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "payment-failures.md"
ROW = re.compile(r"F\d+\t")
HEAD = """\
# What can go wrong with a payment, and what is seen to keep it right

Each row of the failure table has a test, and the guard that it leans on was taken out of a copy of the product to see
that test fail; the last column is what it said then. `python -m tests.portal.payments.guards` does it again for all
rows, `python -m tests.portal.payments.guards F9 F14` for those, and both write this page.

An `IntegrityError` there is the database's own constraint, which still held when the guard was gone: the books stayed
right, but somebody was shown an error.

| row | what happens → what is required | guard taken out | test that fails without it | what it says then |
| --- | --- | --- | --- | --- |
"""


def read_rows() -> dict[str, str]:
    """Return the rows of the failure table as the rules have them."""
    lines = (ROOT / "docs" / "rules.tsv").read_text("utf-8").splitlines()
    return {key: text for key, _, text in (line.split("\t") for line in lines if ROW.match(line))}


def begin_line(guard: Guard) -> str:
    """Return the line of a guard up to what its test says without it. Pure but for the rules."""
    return f"| {guard.row} | {read_rows()[guard.row]} | {guard.words} | `{guard.test.removeprefix('tests/')}` | "


def find_line(guard: Guard) -> str | None:
    """Return the guard's line of the page, if it was seen to be needed as the table has it now."""
    lines = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    return next((line for line in lines if line.startswith(begin_line(guard))), None)


def write_page(guards: Iterable[Guard], said: dict[Guard, str | None]) -> None:
    """Write a line for each guard that was seen to be needed; `said` is what is new, None for one nothing misses."""
    lines = []
    for guard in guards:
        if guard not in said:
            line = find_line(guard)
        else:
            line = f"{begin_line(guard)}`{said[guard]}` |" if said[guard] else None
        if line:
            lines.append(line)
    PAGE.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
