"""New migrations are judged before the fleet gets them: expand in one release, contract in a later one (3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Now

from infra.ids import uuid7
from provisioning.lint import RELEASED, find_problems, released_migrations, tenant_plan
from provisioning.plans import _tasks
from tenants.changes import DropColumn, DropTable, tenant_change
from tenants.outbox import deliver_outbox

FIRST = "payments.0001_initial"


def _migration(name: str, *changes: Operation) -> Migration:
    return type("Migration", (Migration,), {"operations": list(changes)})(name, "payments")  # type: ignore[no-any-return]


def _first() -> Migration:
    return _migration(
        "0001_initial",
        operations.CreateModel(
            "Journal",
            [
                ("id", models.UUIDField(primary_key=True, default=uuid7)),
                ("name", models.CharField(max_length=40)),
                ("note", models.CharField(max_length=40, null=True)),
                ("cents", models.IntegerField()),
            ],
        ),
        operations.CreateModel("Rare", [("id", models.UUIDField(primary_key=True, default=uuid7))]),
    )


def _codes(*changes: Any, released: tuple[str, ...] = (FIRST,), **marks: Any) -> list[str]:
    """Return the codes of what is wrong with a second migration."""
    second = _migration("0002_second", *changes)
    for name, value in marks.items():
        setattr(second, name, value)
    return [each.code for each in find_problems([_first(), second], released)]


def _field(name: str, field: models.Field[Any, Any], model: str = "Journal") -> operations.AddField:
    return operations.AddField(model, name, field)


def _altered(name: str, field: models.Field[Any, Any]) -> operations.AlterField:
    return operations.AlterField("Journal", name, field)


AWAY = {
    "a removed field": operations.RemoveField("Journal", "note"),
    "a removed model": operations.DeleteModel("Journal"),
    "a dropped column": DropColumn("Journal", "gone", models.TextField(null=True)),
    "a dropped table": DropTable("payments_gone"),
    "a renamed field": operations.RenameField("Journal", "note", "memo"),
    "a renamed model": operations.RenameModel("Journal", "Book"),
    "a renamed table": operations.AlterModelTable("Journal", "book"),
    "a shorter text": _altered("name", models.CharField(max_length=20)),
    "another type": _altered("cents", models.BigIntegerField()),
    "a column that may not be empty": _altered("note", models.CharField(max_length=40)),
    "a column that becomes unique": _altered("name", models.CharField(max_length=40, unique=True)),
    "a renamed column": _altered("name", models.CharField(max_length=40, db_column="title")),
    "a unique pair": operations.AlterUniqueTogether("Journal", {("name", "note")}),
    "a constraint on what is there": operations.AddConstraint(
        "Journal", models.CheckConstraint(name="cents_are_positive", condition=models.Q(cents__gte=0))
    ),
    "a unique new column": _field("code", models.CharField(max_length=8, null=True, unique=True)),
}


@pytest.mark.parametrize("what", AWAY)
def test_nothing_is_taken_away_from_code_that_still_runs(what: str) -> None:
    """Expand and contract (scale.md rule 14): a release later, and said so, it may go."""
    assert _codes(AWAY[what]) == ["E105"]
    assert _codes(AWAY[what], contracts=FIRST) == []
    assert _codes(AWAY[what], contracts="payments.0002_second") == ["E102"]
    assert _codes(AWAY[what], released=(FIRST, "payments.0002_second")) == []


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("E103", operations.RunSQL("SELECT 1")),
        ("E104", type("AddIndexConcurrently", (operations.AddIndex,), {})("Rare", models.Index("id", name="i"))),
        ("E106", _field("kind", models.CharField(max_length=8, default="x"))),
        ("E107", _field("at", models.DateTimeField(db_default=Now()))),
        ("E108", operations.AddIndex("Journal", models.Index("name", name="by_name"))),
        ("E109", operations.RunPython(lambda apps, editor: None)),
        ("E109", tenant_change("tenants.outbox.has_due_events")),
        (
            "E110",
            operations.SeparateDatabaseAndState(state_operations=[operations.RemoveField("Journal", "name")]),
        ),
    ],
)
def test_what_the_fleet_cannot_take_is_refused(code: str, change: Any) -> None:
    """scale.md rule 14; one transaction per company (3.7)."""
    assert _codes(change) == [code]


def test_a_migration_that_is_not_atomic_is_refused() -> None:
    assert _codes(_field("at", models.DateTimeField(null=True)), atomic=False) == ["E101"]


GOOD = {
    "a new column that may be empty": _field("at", models.DateTimeField(null=True)),
    "a new column with a constant": _field("kind", models.CharField(max_length=8, db_default="card")),
    "a longer text": _altered("name", models.CharField(max_length=80)),
    "a text without limit": _altered("name", models.TextField()),
    "a column that may be empty now": _altered("name", models.CharField(max_length=40, null=True)),
    "other choices": _altered("name", models.CharField(max_length=40, choices=[("a", "A")])),
    "an index on a table that stays small": operations.AddIndex("Rare", models.Index("id", name="i")),
    "a task for each company": tenant_change(deliver_outbox.kind),
    "a column the new code lets go of": operations.SeparateDatabaseAndState(
        state_operations=[operations.RemoveField("Journal", "note")]
    ),
    "the same with one that had to be filled": operations.SeparateDatabaseAndState(
        database_operations=[_altered("name", models.CharField(max_length=40, null=True))],
        state_operations=[operations.RemoveField("Journal", "name")],
    ),
}


@pytest.mark.parametrize("what", GOOD)
def test_what_old_and_new_code_can_live_with_passes(what: str) -> None:
    assert _codes(GOOD[what]) == []


def test_an_index_on_a_growing_table_passes_with_its_measure() -> None:
    index = operations.AddIndex("Journal", models.Index("name", name="by_name"))
    assert _codes(index, holds_writes="40 ms with 100,000 rows") == []


def test_a_table_of_the_same_release_may_be_anything() -> None:
    """No old code knows it."""
    made = operations.CreateModel("New", [("id", models.UUIDField(primary_key=True)), ("a", models.TextField())])
    assert _codes(made, operations.RenameField("New", "a", "b"), operations.RemoveField("New", "b")) == []


def test_what_is_forgotten_in_the_state_can_be_dropped_a_release_later() -> None:
    """The whole walk: let go, roll out, take away."""
    let_go = _migration("0002_let_go", GOOD["a column the new code lets go of"])
    drop = _migration("0003_drop", DropColumn("Journal", "note", models.CharField(max_length=40, null=True)))
    plan = [_first(), let_go, drop]
    assert [each.code for each in find_problems(plan, (FIRST,))] == ["E105"]
    drop.contracts = "payments.0002_let_go"  # type: ignore[attr-defined]
    assert [each.code for each in find_problems(plan, (FIRST,))] == ["E102"]
    assert find_problems(plan, (FIRST, "payments.0002_let_go")) == []


def test_the_plan_runs_the_task_that_a_migration_declares() -> None:
    """The lint and the fleet's plan read the same declaration."""
    assert list(_tasks([_migration("0002_second", tenant_change(deliver_outbox.kind))])) == [deliver_outbox.kind]


def test_the_products_own_migrations_pass() -> None:
    """`./porchlight check` asks the same."""
    plan = tenant_plan()
    assert len(plan) >= len(released_migrations()) > 0
    assert find_problems(plan, released_migrations()) == []
    assert not list(run_checks(include_deployment_checks=True, tags=["migrations"]))
    assert RELEASED.read_text().startswith("#")
