"""Ends a connection that holds too much: what a server process learns of a schema it keeps until it ends.

PostgreSQL caches the description of every table it has touched and gives none of it back, `DISCARD ALL` included. A
connection that serves one tenant after the other would grow with the fleet; closing it is the only cure. How fast it
grows depends on the pages, so from some number of tenants on the server is asked now and then what the session holds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection as django_connection

# The names in DATABASES: from how many tenants on a connection is looked at, with how many it ends in any case, and
# with how much memory.
FROM, MOST, MEGABYTES = "TENANTS_PER_CONNECTION", "MOST_TENANTS_PER_CONNECTION", "MEGABYTES_PER_CONNECTION"
# So many entries into a schema lie between two looks at least; each look costs milliseconds. An entry adds less than
# so many megabytes, also where the schema is known already but other tables of it are used, so while much is to spare
# more entries may pass.
BETWEEN_LOOKS = 50
MOST_OF_AN_ENTRY = 2
_HOLDS = "SELECT gate.memory()"

log = logging.getLogger("porchlight.connections")


@dataclass(slots=True)
class Meetings:
    """The schemas that a physical connection has met, and what was found when it was last looked at."""

    schemas: set[str] = field(default_factory=set)
    entries: int = 0
    look_at: int = 0
    ends: bool = False


# By physical connection: a pool hands it from one wrapper to the next.
_met: WeakKeyDictionary[Any, Meetings] = WeakKeyDictionary()


def note_meeting(raw: Any, schema: str) -> None:
    """Remember that a physical connection enters a schema; called whenever a path is sent to the server."""
    if schema == "public":
        return
    met = _met.get(raw)
    if met is None:
        met = _met[raw] = Meetings()
    met.schemas.add(schema)
    met.entries += 1


class Recycled:
    """The part of the database backend that ends used-up connections; stands before Django's own wrapper."""

    connection: Any
    in_atomic_block: bool
    pool: Any
    settings_dict: dict[str, Any]

    def _is_used_up(self) -> bool:
        """Whether the connection holds more than DATABASES allows it; asks the server if it is time to."""
        met = _met.get(self.connection) if self.connection is not None else None
        if met is None or met.ends:
            return met is not None
        tenants, most = len(met.schemas), self.settings_dict[MOST]
        if tenants < most and (tenants < self.settings_dict[FROM] or met.entries < met.look_at):
            return False
        held = held_by(self.connection) if tenants < most else None
        spare = -1.0 if held is None else self.settings_dict[MEGABYTES] - held
        # Whenever the server does not say that it may stay, it ends; it will not become smaller.
        met.ends = spare < 0
        met.look_at = met.entries + max(BETWEEN_LOOKS, int(spare / MOST_OF_AN_ENTRY))
        if met.ends:
            log.info("connection recycled", extra={"tenants": tenants, "megabytes": held})
        return met.ends

    def _close(self) -> Any:
        """Give the connection back; a used-up one is not given out again."""
        if self.pool is not None and self._is_used_up():
            # The pool's own word for "too old": it closes the connection and opens another in the background.
            # Closing it here would do the same, but the pool would warn of a connection that was lost.
            self.connection._expire_at = 0.0
        return super()._close()  # type: ignore[misc]

    def close_if_unusable_or_obsolete(self) -> None:
        """End a used-up connection between two requests also where no pool takes it back."""
        self.end_if_used_up()
        super().close_if_unusable_or_obsolete()  # type: ignore[misc]

    def end_if_used_up(self) -> None:
        """End the connection if it holds too much and no transaction is open on it."""
        if not self.in_atomic_block and self._is_used_up():
            self.close()  # type: ignore[attr-defined]


def held_by(raw: Any) -> float | None:
    """Return how many megabytes a physical connection's server process holds, or None when it does not say.

    It does not where the schemas' owner lacks the right (`porchlight doctor database.memory`), nor to a connection
    that is broken or in a transaction, in which nothing of ours is to run.
    """
    if not raw.autocommit or raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return None
    try:
        row = raw.execute(_HOLDS).fetchone()
    except psycopg.Error:
        log.warning("a connection could not be asked what it holds", exc_info=True)
        return None
    return None if row is None or row[0] is None else float(row[0]) / 2**20


def note_touched(schema: str) -> None:
    """Count a schema that this thread's connection has worked on by its full name, without entering it."""
    wrapper: Any = django_connection
    if wrapper.connection is not None:
        note_meeting(wrapper.connection, schema)


def end_if_used_up() -> None:
    """Let this thread go on with a new connection if its own holds too much.

    For code that goes from tenant to tenant without giving the connection back. Call it between two tenants: a
    session lock or a named cursor that is held meanwhile would be lost.
    """
    wrapper: Any = django_connection
    wrapper.end_if_used_up()
