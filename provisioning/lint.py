"""Reads new migrations of companies' schemas before the fleet does: first expand, a release later contract (3.7).

While a release is rolled out, its code meets schemas of this release and of the one before, and so does the old code
that is still being stopped. What takes something away must therefore come a release after the code let go of it.
A migration says so with `contracts = "app.0004_name"`, which must be in `provisioning/released.txt`: the list of all
migrations that some installation has had. They are judged no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint, Field, Value
from django.utils.module_loading import import_string

from provisioning.schemas import labels_of
from tenants.changes import PER_TENANT
from tenants.tasks import TenantTask

RELEASED = Path(__file__).with_name("released.txt")
CONTRACTS, HOLDS_WRITES = "contracts", "holds_writes"

# Tables that grow with a company's business: building an index on one of them stops its writers for as long.
GROWING = frozenset(
    {
        "core_auditevent",
        "core_outboxevent",
        "invoices_invoice",
        "messaging_outboundmessage",
        "payments_journal",
        "payments_payment",
        "payments_paymentallocation",
        "payments_paymentattempt",
        "accounts_logintoken",
        "accounts_portalsession",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One operation that the fleet must not get as it is."""

    migration: str
    code: str
    says: str


def released_migrations() -> frozenset[str]:
    """Return the names `app.0001_name` of all migrations that some installation has had."""
    lines = (line.partition("#")[0].strip() for line in RELEASED.read_text(encoding="utf-8").splitlines())
    return frozenset(filter(None, lines))


def tenant_plan() -> list[Migration]:
    """Return every migration of companies' schemas on disk, in order."""
    loader = MigrationLoader(None)
    labels = labels_of(settings.TENANT_APPS)
    leaves = [node for node in loader.graph.leaf_nodes() if node[0] in labels]
    names = dict.fromkeys(node for leaf in leaves for node in loader.graph.forwards_plan(leaf))
    return [loader.graph.nodes[name] for name in names if name[0] in labels]


def find_problems(plan: Iterable[Migration], released: Collection[str]) -> list[Problem]:
    """Judge the migrations of a plan that are not released yet, each against the state before it."""
    found: list[Problem] = []
    state, born = ProjectState(), set[tuple[str, str]]()
    for migration in plan:
        if _name(migration) in released:
            state = migration.mutate_state(state, preserve=False)
            continue
        judge = _Judge(migration, state, released, born)
        found += judge.problems()
        state = judge.state
    return found


def _name(migration: Migration) -> str:
    return f"{migration.app_label}.{migration.name}"


class _Judge:
    """Goes through one migration, operation by operation, with the state as it is then."""

    def __init__(
        self, migration: Migration, state: ProjectState, released: Collection[str], born: set[tuple[str, str]]
    ) -> None:
        self.migration = migration
        self.app = migration.app_label
        self.state = state
        self.born = born
        self.released = released
        self.contracts: str = getattr(migration, CONTRACTS, "")
        self.holds_writes: str = getattr(migration, HOLDS_WRITES, "")
        self.found: list[Problem] = []

    def problems(self) -> list[Problem]:
        """Return what is wrong with the migration."""
        if not self.migration.atomic:
            self._say("E101", "is not atomic; a company's schema is migrated in one transaction. Leave atomic alone")
        if self.contracts and self.contracts not in self.released:
            self._say(
                "E102",
                f"contracts {self.contracts}, which is not released yet: expand and contract are two releases. Roll"
                " that one out first (provisioning/released.txt)",
            )
        for operation in self.migration.operations:
            self._judge(operation)
        return self.found

    def _say(self, code: str, says: str) -> None:
        self.found.append(Problem(_name(self.migration), code, f"{_name(self.migration)} {says}."))

    def _judge(self, operation: Operation) -> None:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            before = self.state.clone()
            for inner in operation.database_operations:
                self._judge(inner)
            self.state = before
            for inner in operation.state_operations:
                self._judge_state_only(inner, operation.database_operations)
                inner.state_forwards(self.app, self.state)
            return
        self._judge_one(operation)
        operation.state_forwards(self.app, self.state)

    def _judge_one(self, operation: Operation) -> None:
        name = type(operation).__name__
        if isinstance(operation, operations.CreateModel):
            self.born.add((self.app, operation.name_lower))
        elif isinstance(operation, operations.RunSQL):
            self._say("E103", "runs SQL of its own, which nobody can judge. Use Django's operations")
        elif isinstance(operation, operations.RunPython):
            self._judge_python(operation)
        elif "Concurrently" in name:
            self._say("E104", f"uses {name}, which no transaction allows. Use the plain operation")
        elif self._is_new(operation):
            return
        elif name in _TAKES_AWAY:
            self._take_away(f"{_TAKES_AWAY[name]} {self._target(operation)}")
        elif isinstance(operation, operations.AddField):
            self._judge_new_field(operation)
        elif isinstance(operation, operations.AlterField):
            for what in self._narrowed(operation):
                self._take_away(f"{what} of {self._target(operation)}")
        elif isinstance(operation, operations.AddConstraint):
            self._take_away(f"demands {_named(operation.constraint)} of rows that the old code still writes")
        elif isinstance(operation, operations.AddIndex):
            self._judge_index(operation)

    def _take_away(self, what: str) -> None:
        """Refuse what is taken away unless the release before let go of it."""
        if not self.contracts:
            self._say(
                "E105",
                f"{what}, while code of the release before still runs. Let the code go of it first; in a later release"
                f' take it away, in a migration with {CONTRACTS} = "app.name of the one that let go"',
            )

    def _judge_new_field(self, operation: operations.AddField) -> None:
        field = operation.field
        if field.many_to_many:
            return
        if not field.null and not field.has_db_default():
            self._say(
                "E106",
                f"adds {self._target(operation)} NOT NULL without a default in the database: rows of the old code"
                " would be refused. Give it db_default or null=True",
            )
        if field.has_db_default() and not _is_constant(field.db_default):
            self._say(
                "E107",
                f"computes a default for {self._target(operation)}, which rewrites every table. Make db_default a"
                " constant",
            )
        if field.unique:
            self._take_away(f"demands unique values of {self._target(operation)}")

    def _judge_index(self, operation: operations.AddIndex) -> None:
        table = self._table(operation.model_name)
        if table in GROWING and not self.holds_writes:
            self._say(
                "E108",
                f"builds an index on {table}, which stops its writers meanwhile. Measure it on the largest company and"
                f' write {HOLDS_WRITES} = "how long, and why that will do"',
            )

    def _judge_python(self, operation: operations.RunPython) -> None:
        path = (operation.hints or {}).get(PER_TENANT, "")
        task = import_string(path) if path else None
        if operation.code is not operations.RunPython.noop or not isinstance(task, TenantTask):
            self._say(
                "E109",
                "runs Python of its own. Declare a @tenant_task and write tenant_change('path.of.it')"
                " (tenants/changes.py): it runs for one company at a time",
            )

    def _judge_state_only(self, operation: Operation, instead: Sequence[Operation]) -> None:
        """The new code forgets a column that stays: then it must be able to leave it out when it inserts."""
        if not isinstance(operation, operations.RemoveField) or self._is_new(operation):
            return
        field = self.state.models[self.app, operation.model_name_lower].fields[operation.name]
        loosened = any(
            isinstance(each, operations.AlterField | operations.RemoveField)
            and (each.model_name_lower, each.name) == (operation.model_name_lower, operation.name)
            for each in instead
        )
        if not (field.null or field.has_db_default() or loosened):
            self._say(
                "E110",
                f"lets go of {self._target(operation)}, which stays NOT NULL without a default: new rows would be"
                " refused. Make it nullable in the same operation's database_operations",
            )

    def _narrowed(self, operation: operations.AlterField) -> Iterator[str]:
        old = self.state.models[self.app, operation.model_name_lower].fields[operation.name]
        new = operation.field
        before, after = (_column_type(field, operation.name) for field in (old, new))
        if before != after and not _is_wider(before, after):
            yield f"changes the type ({before} to {after})"
        if old.null and not new.null:
            yield "forbids NULL"
        if new.unique and not old.unique:
            yield "demands unique values"
        if old.db_column != new.db_column:
            yield "renames the column"
        if old.has_db_default() and not new.has_db_default() and not new.null:
            yield "drops the default"
        if _refers_to(old) != _refers_to(new):
            yield "changes the reference"

    def _is_new(self, operation: Any) -> bool:
        """Whether the operation's table is made by an unreleased migration: no old code knows it."""
        model = getattr(operation, "model_name_lower", "") or getattr(operation, "name_lower", "")
        return (self.app, model) in self.born

    def _target(self, operation: Any) -> str:
        model = getattr(operation, "model_name", "") or getattr(operation, "old_name", "") or operation.name
        field = getattr(operation, "name", "") if hasattr(operation, "model_name") else ""
        return f"{model}.{field}" if field else str(model)

    def _table(self, model: str) -> str:
        found = self.state.models[self.app, model.lower()]
        return str(found.options.get("db_table") or f"{self.app}_{model.lower()}")


_TAKES_AWAY = {
    "RemoveField": "removes",
    "DeleteModel": "deletes",
    "DropColumn": "drops",
    "DropTable": "drops table",
    "RenameField": "renames",
    "RenameModel": "renames",
    "AlterModelTable": "renames the table of",
    "AlterUniqueTogether": "demands unique values of",
    "AlterOrderWithRespectTo": "adds a column to",
}


def _named(constraint: BaseConstraint) -> str:
    return f"constraint {constraint.name}"


def _is_constant(default: Any) -> bool:
    return isinstance(default, Value) or not hasattr(default, "resolve_expression")


def _column_type(field: Field[Any, Any], name: str) -> str:
    """Return the column's type, of a field that belongs to no model yet."""
    bare = field.clone()
    bare.set_attributes_from_name(name)
    if bare.remote_field is not None:
        return "reference"
    return bare.db_type(connection) or ""


def _refers_to(field: Field[Any, Any]) -> str:
    return str(field.remote_field.model).lower() if field.remote_field is not None else ""


def _is_wider(before: str, after: str) -> bool:
    """Whether the server changes the type without rewriting the table and every old value fits."""
    if not before.startswith("varchar("):
        return False
    if after == "text":
        return True
    return after.startswith("varchar(") and int(after[8:-1]) >= int(before[8:-1])


@register("migrations", deploy=True)
def check_new_migrations(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Let `./porchlight check` refuse migrations that the fleet must not get."""
    found = find_problems(tenant_plan(), released_migrations())
    return [Error(each.says, id=f"provisioning.{each.code}") for each in found]
