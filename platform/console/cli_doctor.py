"""`porchlight doctor`: every examination of the running stack, or those that are named (platform.md 3.11)."""

from __future__ import annotations

from typing import Any

from console.cli_base import AddCommand, NotFound, Partial, Rows


def add_groups(groups: Any, add: AddCommand) -> None:
    """Add the command; it connects as the application does, and as the owner where that is needed."""
    doctor = add(groups, "doctor", examine_stack, "prove on the running stack what the design takes for granted")
    doctor.add_argument("checks", nargs="*", metavar="check", help="a check or the first part of its name; all without")
    doctor.add_argument("--deep", action="store_true", help="look at every schema and company, not at a few")
    doctor.add_argument("--list", action="store_true", help="say what each check proves, and examine nothing")
    doctor.set_defaults(login="app")


def examine_stack(arguments: Any) -> Rows:
    """Examine; raises Partial when something failed."""
    from django.conf import settings
    from django.utils import timezone

    from console.doctor.base import Examination, UnknownCheck, choose, examine

    try:
        checks = choose(arguments.checks)
    except UnknownCheck as error:
        raise NotFound(f"There is no check {error}; `porchlight doctor --list` names them.") from error
    if arguments.list:
        return [{"check": each.id, "about": each.title, "proves": each.proves} for each in checks]
    found = examine(Examination(settings.ENV, timezone.now(), arguments.deep), checks)
    rows: Rows = [
        {"check": each.id, "state": finding.state, "about": each.title, "says": finding.says} for each, finding in found
    ]
    sick = sum(finding.state == "failed" for _, finding in found)
    if sick:
        raise Partial(f"{sick} of {len(rows)} checks failed.", rows)
    return rows
