"""Ends a connection that has met many tenants: what a server process learns of a schema it keeps until it ends.

PostgreSQL caches the description of every table it has touched and gives none of it back, `DISCARD ALL` included. A
connection that serves one tenant after the other would grow with the fleet; closing it is the only cure.
"""

from __future__ import annotations

import logging
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection as django_connection

LIMIT = "TENANTS_PER_CONNECTION"

log = logging.getLogger("porchlight.connections")

# The physical connection and the schemas it has met. A pool hands it from one wrapper to the next.
_met: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def note_meeting(raw: Any, schema: str) -> None:
    """Remember that a physical connection enters a schema; called whenever a path is sent to the server."""
    if schema == "public":
        return
    met = _met.get(raw)
    if met is None:
        met = _met[raw] = set()
    met.add(schema)


def tenants_met(raw: Any) -> int:
    """Return how many different tenants a physical connection has met."""
    return len(_met.get(raw, ()))


class Recycled:
    """The part of the database backend that ends used-up connections; stands before Django's own wrapper."""

    connection: Any
    in_atomic_block: bool
    pool: Any
    settings_dict: dict[str, Any]

    def _is_used_up(self) -> bool:
        """Whether the connection has met as many tenants as DATABASES allows it."""
        return self.connection is not None and tenants_met(self.connection) >= self.settings_dict[LIMIT]

    def _close(self) -> Any:
        """Give the connection back; a used-up one is not given out again."""
        if self.pool is not None and self._is_used_up():
            log.info("connection recycled", extra={"tenants": tenants_met(self.connection)})
            # The pool's own word for "too old": it closes the connection and opens another in the background.
            # Closing it here would do the same, but the pool would warn of a connection that was lost.
            self.connection._expire_at = 0.0
        return super()._close()  # type: ignore[misc]

    def close_if_unusable_or_obsolete(self) -> None:
        """End a used-up connection between two requests also where no pool takes it back."""
        self.end_if_used_up()
        super().close_if_unusable_or_obsolete()  # type: ignore[misc]

    def end_if_used_up(self) -> None:
        """End the connection if it has met enough tenants and no transaction is open on it."""
        if not self.in_atomic_block and self._is_used_up():
            self.close()  # type: ignore[attr-defined]


def note_touched(schema: str) -> None:
    """Count a schema that this thread's connection has worked on by its full name, without entering it."""
    wrapper: Any = django_connection
    if wrapper.connection is not None:
        note_meeting(wrapper.connection, schema)


def end_if_used_up() -> None:
    """Let this thread go on with a new connection if its own has met enough tenants.

    For code that goes from tenant to tenant without giving the connection back. Call it between two tenants: a
    session lock or a named cursor that is held meanwhile would be lost.
    """
    wrapper: Any = django_connection
    wrapper.end_if_used_up()
