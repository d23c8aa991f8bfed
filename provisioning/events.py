"""The history of a run, numbered without gaps; feeds its progress page and the company's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from provisioning.models import RunEvent

BUILDING = "slot.building"


def add_event(run_id: UUID, kind: str, *, step: str = "", args: dict[str, Any] | None = None, now: datetime) -> None:
    """Append to the run's history; the caller holds the run's row."""
    last = RunEvent.objects.filter(run_id=run_id).aggregate(seq=Max("seq"))["seq"] or 0
    RunEvent.objects.create(run_id=run_id, seq=last + 1, at=now, kind=kind, step=step, args=args or {})
