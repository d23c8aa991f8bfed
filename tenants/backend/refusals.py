"""What the backend refuses to do, each with the reason in a sentence."""

from __future__ import annotations

from django.db import InterfaceError

from tenants.scope import Scope


class ScopeNotApplied(InterfaceError):
    """The server could not be brought into the scope; the connection has been closed (ISO-01)."""


class ScopeChangedInTransaction(RuntimeError):
    """One transaction tried to touch two scopes (Decided 16)."""

    def __init__(self, first: Scope, second: Scope) -> None:
        super().__init__(
            f"This transaction began in scope {first.kind} ({first.schema}) and now asks for {second.kind}"
            f" ({second.schema}). No transaction touches both halves: end it first."
        )


class StaleCursor(RuntimeError):
    """A cursor outlived the scope or the connection it was opened in (D14)."""

    def __init__(self) -> None:
        super().__init__("This cursor was opened in another scope. Open cursors inside the scope that uses them.")


class NotARead(RuntimeError):
    """Something else than one read was about to run before its tenant was proven."""

    def __init__(self, sql: object) -> None:
        super().__init__(f"Only a SELECT may travel with the proof, not {str(sql)[:60]!r}.")
