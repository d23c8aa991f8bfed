"""What migrations say in our own words really happens in a schema (platform.md 3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations import Migration, operations

from infra.ids import uuid7
from provisioning.schemas import fingerprint, pending_migrations
from tenants.changes import DropColumn, DropTable
from tenants.scope import owner_scope

pytestmark = pytest.mark.usefixtures("own_database")
ACME = "t_ac3e00000000000000000001"


def _apply(state: Any, *changes: Any) -> Any:
    step = type("Migration", (Migration,), {"operations": list(changes)})("0009_step", "payments")
    with connection.schema_editor(atomic=True) as editor:
        return step.apply(state, editor)


def test_what_was_let_go_of_is_dropped_a_release_later() -> None:
    """Expand, let go, contract: in the end the schema is as if the column and the table had never been."""
    before = fingerprint(ACME)
    extra = models.TextField(null=True)
    with owner_scope(ACME):
        executor, _ = pending_migrations()
        state = executor.loader.project_state()
        key: list[tuple[str, models.Field[Any, Any]]] = [("id", models.UUIDField(primary_key=True, default=uuid7))]
        state = _apply(state, operations.AddField("journal", "extra", extra), operations.CreateModel("Extra", key))
    assert fingerprint(ACME) != before
    with owner_scope(ACME):
        gone = [operations.RemoveField("journal", "extra"), operations.DeleteModel("Extra")]
        state = _apply(state, operations.SeparateDatabaseAndState(state_operations=gone))
    assert fingerprint(ACME) != before
    with owner_scope(ACME):
        _apply(state, DropColumn("journal", "extra", extra), DropTable("payments_extra"))
    assert fingerprint(ACME) == before
