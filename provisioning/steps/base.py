"""What every step is given and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenants.models import Tenant
from tenants.scope import control_scope

Result = dict[str, Any]


class StepFailed(Exception):
    """A step could not do its work this time; the text is for operators."""


@dataclass(frozen=True, slots=True)
class Task:
    """The run a step belongs to, and the moment at which it started."""

    run_id: UUID
    tenant_id: UUID
    start: int
    now: datetime

    def tenant(self) -> Tenant:
        """Return the tenant as the control plane knows it now."""
        with control_scope():
            return Tenant.objects.get(pk=self.tenant_id)

    def schema(self) -> str:
        """Return the schema that the tenant was bound to; raises StepFailed before that."""
        name = self.tenant().schema_name
        if not name:
            raise StepFailed("The company has no schema yet.")
        return name


@dataclass(frozen=True, slots=True)
class Definition:
    """One step: its name in the ledger and what it does. `act` may be called again after any interruption."""

    name: str
    act: Callable[[Task], Result]
