"""Goes through a share of a fleet over two connections, past the ledger."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from provisioning.models import MigrationPlan

CONNECTIONS = 2
# How many schemas one statement asks; more of them would need more locks at once than a server has room for.
AT_ONCE = 200


@dataclass(frozen=True)
class Share:
    """Schemas, and the plan that brings them to the release."""

    names: list[str]
    plan: MigrationPlan


def ask_records(names: list[str]) -> float:
    """Count every schema's recorded migrations, many schemas with one statement; returns seconds."""
    counts: set[int] = set()

    def ask(connection: psycopg.Connection[Any], names: list[str]) -> None:
        for begin in range(0, len(names), AT_ONCE):
            some = names[begin : begin + AT_ONCE]
            text = " UNION ALL ".join(f"SELECT count(*) FROM {name}.django_migrations" for name in some)
            counts.update(count for (count,) in connection.execute(text.encode()))

    took = _through(names, ask)
    assert len(counts) == 1, f"Not every schema has as many migrations: {counts}."
    return took


def send_bare(share: Share) -> float:
    """Send the plan's statements to each schema and nothing else; returns tenants per second."""
    from provisioning.blueprint import SELF

    pairs = ", ".join(f"('{app}', '{name}', now())" for app, name in share.plan.migrations)

    def send(connection: psycopg.Connection[Any], names: list[str]) -> None:
        connection.execute("SET synchronous_commit = off")
        for name in names:
            statements = [statement.replace(SELF, name) for statement in share.plan.statements]
            record = f"INSERT INTO django_migrations (app, name, applied) VALUES {pairs}"
            text = ";\n".join((f"SET LOCAL search_path TO {name}", *statements, record))
            connection.execute(text.encode())

    return len(share.names) / _through(share.names, send)


def _through(names: list[str], act: Callable[[psycopg.Connection[Any], list[str]], None]) -> float:
    """Divide the schemas among connections and return the seconds until the last has ended."""
    from provisioning.fence import direct_connection

    def work(number: int) -> None:
        with direct_connection("none") as connection:
            act(connection, names[number::CONNECTIONS])

    began = perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for worker in [threads.submit(work, number) for number in range(CONNECTIONS)]:
            worker.result()
    return perf_counter() - began
