"""What one database connection costs in memory, by the number of companies it has served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

MARKS = (1, 10, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Growth:
    """Memory of the server processes that served one company after the other, in MB."""

    fresh: float
    after: dict[int, float]
    most: float
    processes: int

    @property
    def per_tenant(self) -> float:
        """What one more company adds, in MB."""
        last = max(self.after)
        return (self.after[last] - self.fresh) / last


def private_memory(pid: int) -> float:
    """Return what a process has allocated for itself, in MB; no shared buffers. Linux.

    The "private" pages of smaps would not do: a page of shared memory that nobody else has touched yet counts there.
    """
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


def grow(places: Sequence[tuple[UUID, str]], *, limit: int | None = None, marks: Iterable[int] = MARKS) -> Growth:
    """Serve companies (id, schema) one after the other with one connection, touching every table of each.

    `limit` is the number of companies after which the connection is recycled, whatever it holds (NEVER for not at
    all); without it the settings decide. Django must be set up with the product's backend and a server on this machine.
    """
    from django.db import connections
    from django.db.backends.base.base import BaseDatabaseWrapper

    from tenants.scope import tenant_scope

    usual = connections["default"]
    options = {key: value for key, value in usual.settings_dict["OPTIONS"].items() if key != "pool"}
    given = {**usual.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": None}
    if limit is not None:
        given |= {"TENANTS_PER_CONNECTION": limit, "MOST_TENANTS_PER_CONNECTION": limit}
    wrapper: BaseDatabaseWrapper = type(usual)(given, "memory")
    wanted, after, pids, most, fresh = {*marks, len(places)}, {}, set(), 0.0, 0.0
    try:
        for count, (tenant_id, schema) in enumerate(places, 1):
            with tenant_scope(tenant_id, schema):
                with wrapper.cursor() as cursor:
                    pid = _pid(cursor)
                    fresh = fresh or private_memory(pid)
                    touch_every_table(cursor, schema)
                used = private_memory(pid)
            pids.add(pid)
            most = max(most, used)
            if count in wanted:
                after[count] = used
            wrapper.close_if_unusable_or_obsolete()
    finally:
        wrapper.close()
    return Growth(fresh, after, most, len(pids))


def touch_every_table(cursor: Any, schema: str) -> None:
    """Read from every table of a company and prepare a change of each, as weeks of work would."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename", [schema])
    tables = [table for (table,) in cursor.fetchall()]
    cursor.execute(";".join(f'SELECT * FROM "{table}" LIMIT 1' for table in tables))


def _pid(cursor: Any) -> int:
    cursor.execute("SELECT pg_backend_pid()")
    return int(cursor.fetchone()[0])
