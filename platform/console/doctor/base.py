"""The register of examinations: each proves one thing, and says in a sentence what to do when it is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from django.conf import settings
from django.db import connection

from infra.env import Env, database_settings

State = Literal["ok", "warning", "failed", "not applicable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one examination found; `says` is a whole sentence, for a failure with what to do."""

    state: State
    says: str


def ok(says: str) -> Finding:
    """Return that it is as it should be."""
    return Finding("ok", says)


def warning(says: str) -> Finding:
    """Return that somebody should look, though nothing is broken."""
    return Finding("warning", says)


def failed(says: str) -> Finding:
    """Return that it is broken."""
    return Finding("failed", says)


def not_applicable(says: str) -> Finding:
    """Return that there is nothing to examine here, and why."""
    return Finding("not applicable", says)


@dataclass(frozen=True, slots=True)
class Examination:
    """The stack as its processes see it, and how thoroughly it is looked at."""

    env: Env
    now: datetime
    deep: bool = False

    def as_app(self) -> psycopg.Connection[Any]:
        """Connect as web and workers do: their login, their way, their limits; no prepared statements."""
        return self._connect(self.env.database_app_url)

    def as_owner(self) -> psycopg.Connection[Any]:
        """Connect as the provisioner does."""
        return self._connect(self.env.database_url)

    def _connect(self, url: str) -> psycopg.Connection[Any]:
        given = database_settings(url)
        options = {key: value for key, value in given["OPTIONS"].items() if key != "options"}
        return psycopg.connect(
            host=given["HOST"] or None,
            port=given["PORT"] or None,
            dbname=connection.settings_dict["NAME"],
            user=given["USER"] or None,
            password=given["PASSWORD"] or None,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=10,
            **options,
            options=settings.DATABASES["default"]["OPTIONS"]["options"],
        )


Body = Callable[[Examination], Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """One examination: its name, what it is about and what it proves."""

    id: str
    title: str
    proves: str
    body: Body
    needs_database: bool


_CHECKS: dict[str, Check] = {}
REACHABLE = "database.reachable"


def check(id_: str, title: str, *, proves: str, needs_database: bool = True) -> Callable[[Body], Body]:
    """Register a function `(examination) -> Finding`; they run in the order in which they are registered."""

    def register(body: Body) -> Body:
        _CHECKS[id_] = Check(id_, title, proves, body, needs_database)
        return body

    return register


def all_checks() -> list[Check]:
    """Return every check, in order."""
    import console.doctor.database
    import console.doctor.processes
    import console.doctor.queues
    import console.doctor.rights
    import console.doctor.schemas
    import console.doctor.services
    import console.doctor.stock  # noqa: F401

    order = ("database", "rights", "schemas", "stock", "queues", "processes", "services")
    return sorted(_CHECKS.values(), key=lambda each: order.index(each.body.__module__.rpartition(".")[2]))


class UnknownCheck(LookupError):
    """There is no check of that name."""


def choose(names: Iterable[str]) -> list[Check]:
    """Return the checks whose id is, or begins with, one of the names; all without a name. Raises UnknownCheck."""
    wanted = list(names)
    for name in wanted:
        if not any(_named(each, name) for each in all_checks()):
            raise UnknownCheck(name)
    return [each for each in all_checks() if not wanted or any(_named(each, name) for name in wanted)]


def _named(each: Check, name: str) -> bool:
    return each.id == name or each.id.startswith(f"{name}.")


def examine(examination: Examination, checks: Iterable[Check]) -> list[tuple[Check, Finding]]:
    """Run the checks one after the other; a fault in one is its finding and keeps no other from being made."""
    found: list[tuple[Check, Finding]] = []
    away = False
    for each in checks:
        if away and each.needs_database:
            found.append((each, not_applicable("Not examined: the database does not answer.")))
            continue
        try:
            finding = each.body(examination)
        except Exception as error:
            finding = failed(f"This could not be examined: {type(error).__name__}: {str(error).strip()}")
        away = away or (each.id == REACHABLE and finding.state == "failed")
        found.append((each, finding))
    return found


def some(names: Iterable[object], most: int = 3) -> str:
    """Return the first few of many names, and how many more there are."""
    listed = [str(name) for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
