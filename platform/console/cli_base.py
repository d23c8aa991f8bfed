"""What every command of the terminal shares: exit codes, options, how rows are shown (platform.md 3.11)."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

OK, USAGE, NOT_FOUND, REFUSED, NEEDS_APPROVAL, CONFLICT, PARTIAL, PARKED = 0, 2, 3, 4, 5, 6, 7, 8

EXIT_CODES = """exit codes:
  0 ok · 2 usage · 3 not found · 4 refused by a guard · 5 needs approval · 6 somebody else is at it
  7 done in part, or something is not as it should be · 8 parked, or not finished in time"""

Rows = list[dict[str, Any]]
Run = Callable[[Any], Rows]
AddCommand = Callable[..., argparse.ArgumentParser]


class CommandFailed(Exception):
    """A command ended with an exit code of its own; what it found until then is shown."""

    code = PARTIAL

    def __init__(self, says: str = "", rows: Rows | None = None) -> None:
        super().__init__(says)
        self.says = says
        self.rows = rows


class NotFound(CommandFailed):
    """What was named does not exist."""

    code = NOT_FOUND


class Refused(CommandFailed):
    """A guard said no; its reason is the sentence."""

    code = REFUSED


class Conflict(CommandFailed):
    """Somebody else changed or is changing the same thing."""

    code = CONFLICT


class Partial(CommandFailed):
    """Done, but not for everybody; the rows say for whom, or what is not as it should be."""

    code = PARTIAL


class Parked(CommandFailed):
    """The work has stopped and waits for a person."""

    code = PARKED


def add_command(group: Any, name: str, run: Run, explained: str, *, writes: bool = False) -> argparse.ArgumentParser:
    """Add one command to a group; one that writes gets --dry-run, and `run` finds it as `arguments.dry_run`."""
    parser: argparse.ArgumentParser = group.add_parser(
        name,
        help=explained,
        description=explained[:1].upper() + explained[1:] + ".",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if writes:
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
    parser.set_defaults(command=run, writes=writes, dry_run=False)
    return parser


class _TakenBack(Exception):
    """Ends the transaction of a dry run."""


@contextmanager
def taken_back_if(dry_run: bool) -> Iterator[None]:
    """Run control-plane writes for real and, in a dry run, take everything back: guards speak, nothing stays.

    Nothing that waits for the commit (messages, hints) is sent then.
    """
    from django.db import transaction

    if not dry_run:
        yield
        return
    try:
        with transaction.atomic():
            yield
            raise _TakenBack
    except _TakenBack:
        return


def actor() -> Any:
    """Return who types, for the audit trail."""
    from tenants.audit import Actor

    return Actor("operator", None, f"{getpass.getuser()} in the terminal", surface="cli")


@contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing in a pipe; call what is yielded with how many are done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done)


def show(rows: Rows, *, as_json: bool) -> None:
    """Print rows as JSON or as a table."""
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2, default=str) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    if not rows:
        sys.stdout.write("Nothing.\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
