"""Finds out whether a connection is a session of its own, or a pooler's that changes hands between transactions.

Our scope is state of the session: path and role stay until the next scope. Behind a pooler in transaction mode they
would stay on a server connection that the next transaction of somebody else gets (Decided 6, ISO-15, D40).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg

ROUNDS = 10

Connect = Callable[[], psycopg.Connection[Any]]

_LOOK = "SELECT pg_backend_pid(), current_setting('search_path', true), current_setting('porchlight.probe', true)"
_MARK = "SELECT set_config('search_path', %s, false), set_config('porchlight.probe', %s, false)"


class SessionsNotKept(RuntimeError):
    """A pooler between us and the server does not keep sessions; serving would show foreign rows."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """What two connections saw of each other in so many looks."""

    looks: int
    changed_backend: int
    lost_path: int
    lost_setting: int

    @property
    def kept(self) -> bool:
        """Whether each connection stayed one session on one server process."""
        return not (self.changed_backend or self.lost_path or self.lost_setting)

    def sentence(self) -> str:
        """Say what was seen and what to do."""
        if self.kept:
            return f"Two connections kept their own server process, path and settings in {self.looks} looks."
        seen = (
            f"In {self.looks} looks, connections changed their server process {self.changed_backend} times and found"
            f" the search path {self.lost_path} times and another setting {self.lost_setting} times not as they had"
            " left them."
        )
        if not self.lost_path and not self.lost_setting:
            return f"{seen} A pooler hands them around. Set it to session mode, or connect to PostgreSQL itself."
        if not self.lost_path:
            return (
                f"{seen} A pooler in transaction mode tracks the path but not the role, which goes to the next client."
                " Set it to session mode, or connect to PostgreSQL itself."
            )
        return (
            f"{seen} A pooler in transaction mode loses what a session has set: companies would see each other's rows."
            " Set it to session mode, or connect to PostgreSQL itself."
        )


class _Client:
    """One connection that knows what it left behind."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.mark = f"probe_{secrets.token_hex(8)}"
        self.pid: int | None = None

    def leave_mark(self) -> None:
        self.connection.execute(_MARK, [self.mark, self.mark])

    def look(self) -> tuple[bool, bool, bool]:
        """Return (other backend than before, path lost, setting lost)."""
        pid, path, setting = self.connection.execute(_LOOK).fetchall()[0]
        before, self.pid = self.pid, pid
        return before not in (None, pid), path != self.mark, setting != self.mark


def probe_sessions(connect: Connect, *, rounds: int = ROUNDS) -> SessionReport:
    """Let two connections take turns so that a pooler swaps their servers, and count what got lost.

    `connect` returns an autocommit connection. A round holds a transaction open on one connection while the other
    works, which makes a pooler use a second server, or, having only one, show the same server to both.
    """
    seen: list[tuple[bool, bool, bool]] = []
    with ExitStack() as stack:
        first, second = (_Client(stack.enter_context(connect())) for _ in range(2))
        for client in (first, second):
            client.leave_mark()
        for turn in range(rounds):
            holder, other = (first, second) if turn % 2 else (second, first)
            if _share_one_backend(holder, other):
                # The one server is taken while a transaction is open: the other would wait for it for ever.
                seen += [holder.look(), other.look()]
                continue
            with holder.connection.transaction():
                seen += [holder.look(), other.look()]
            seen += [other.look(), holder.look()]
    return SessionReport(len(seen), *(sum(column) for column in zip(*seen, strict=True)))


def _share_one_backend(first: _Client, second: _Client) -> bool:
    pids = [each.connection.execute("SELECT pg_backend_pid()").fetchall()[0][0] for each in (first, second)]
    return bool(pids[0] == pids[1])


def require_kept_sessions(connect: Connect) -> None:
    """Raise SessionsNotKept behind a pooler that hands sessions around."""
    report = probe_sessions(connect)
    if not report.kept:
        raise SessionsNotKept(report.sentence())
