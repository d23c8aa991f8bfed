"""What migrations of a company's schema say beyond Django's words: work on data, and taking away what was let go of."""

from __future__ import annotations

from typing import Any

from django.db.migrations import RunPython, operations
from django.db.migrations.operations.base import Operation
from django.db.models import Field

PER_TENANT = "per_tenant"


def tenant_change(path: str) -> RunPython:
    """Return the operation that has a tenant task run for each company after its schema is migrated.

    `path` names a task declared with @tenant_task. It takes `context` alone, may be run again, and is no part of the
    schema's transaction: the code of this release must work before and after it (platform.md 3.7).
    """
    return RunPython(RunPython.noop, RunPython.noop, hints={PER_TENANT: path})


class DropColumn(Operation):
    """Drops a column that a release before has taken out of the state, and with it out of the code (3.7).

    `field` is what the column was when it was let go of.
    """

    reduces_to_sql = True
    reversible = False

    def __init__(self, model_name: str, name: str, field: Field[Any, Any]) -> None:
        self.model_name = model_name
        self.name = name
        self.field = field

    @property
    def model_name_lower(self) -> str:
        """The model's name as Django's state has it."""
        return self.model_name.lower()

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is: it has forgotten the column before."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the column."""
        before = from_state.clone()
        operations.AddField(self.model_name, self.name, self.field).state_forwards(app_label, before)
        removal = operations.RemoveField(self.model_name, self.name)
        removal.database_forwards(app_label, schema_editor, before, to_state)

    def describe(self) -> str:
        """Say what it does."""
        return f"Drop column {self.name} of {self.model_name}"


class DropTable(Operation):
    """Drops a table whose model a release before has taken out of the state, and with it out of the code (3.7)."""

    reduces_to_sql = True
    reversible = False

    def __init__(self, name: str) -> None:
        self.name = name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state as it is: it has forgotten the model before."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the table."""
        schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(self.name)}")

    def describe(self) -> str:
        """Say what it does."""
        return f"Drop table {self.name}"
