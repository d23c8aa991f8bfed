"""The one answer to "on whose behalf does this code run": a scope in a ContextVar.

Every statement that reaches PostgreSQL runs in exactly one scope. A scope names one schema and one role; the
database backend sets both before the first statement and after every change. No scope is an error, never "public".
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

SCHEMA_NAME = re.compile(r"\At_[0-9a-f]{12,32}\Z")

CONTROL_ROLE = "porchlight_control"
ROUTE_ROLE = "porchlight_route"
SETTINGS_ROLE = "porchlight_settings"

Kind = Literal["tenant", "control", "route", "settings", "owner"]


class NoScope(RuntimeError):
    """A statement was about to run without anybody having said for whom (S4)."""

    def __init__(self) -> None:
        super().__init__(
            "No scope is open. Enter tenant_scope(), control_scope() or another scope of tenants.scope before"
            " touching the database; there is no default."
        )


class BadSchemaName(ValueError):
    """A schema name that we did not make ourselves (ISO-30)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is not a tenant schema name; ours are t_ and 12 to 32 hex digits.")


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom statements run: the schema on the path and the role that may touch it."""

    kind: Kind
    schema: str
    role: str
    tenant_id: UUID | None = None


_scope: ContextVar[Scope | None] = ContextVar("porchlight_scope", default=None)


def current_scope() -> Scope:
    """Return the open scope; raises NoScope."""
    scope = _scope.get()
    if scope is None:
        raise NoScope
    return scope


def scope_or_none() -> Scope | None:
    """Return the open scope, or None where nothing is served yet (logging, metrics, health: ISO-17)."""
    return _scope.get()


class _Entered:
    """A block that runs in a scope; a class, because a generator takes three times as long."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        self._token = _scope.set(self._scope)
        return self._scope

    def __exit__(self, *_: object) -> None:
        _scope.reset(self._token)


def enter(scope: Scope) -> AbstractContextManager[Scope]:
    """Run the block in `scope` and restore what was there before, whatever happens."""
    return _Entered(scope)


def make_tenant_scope(tenant_id: UUID, schema_name: str) -> Scope:
    """Build the scope of one tenant; its role has the schema's name. Raises BadSchemaName."""
    if not SCHEMA_NAME.match(schema_name):
        raise BadSchemaName(schema_name)
    return Scope("tenant", schema_name, schema_name, tenant_id)


@contextmanager
def tenant_scope(tenant_id: UUID, schema_name: str) -> Iterator[Scope]:
    """Run the block as one tenant: its schema alone on the path, its role."""
    with enter(make_tenant_scope(tenant_id, schema_name)) as scope:
        yield scope


@contextmanager
def control_scope() -> Iterator[Scope]:
    """Run the block on the control tables: no tenant schema is reachable."""
    with enter(Scope("control", "public", CONTROL_ROLE)) as scope:
        yield scope


@contextmanager
def route_scope() -> Iterator[Scope]:
    """Run the block with the right to read the host map and nothing else."""
    with enter(Scope("route", "public", ROUTE_ROLE)) as scope:
        yield scope


@contextmanager
def settings_scope() -> Iterator[Scope]:
    """Run the block with the right to write owner settings and their audit row (Decided 21)."""
    with enter(Scope("settings", "public", SETTINGS_ROLE)) as scope:
        yield scope


@contextmanager
def owner_scope(schema: str = "public") -> Iterator[Scope]:
    """Run the block as the schemas' owner (DDL). Works only in processes started with DATABASE_LOGIN=owner."""
    if schema != "public" and not SCHEMA_NAME.match(schema):
        raise BadSchemaName(schema)
    with enter(Scope("owner", schema, "none")) as scope:
        yield scope
