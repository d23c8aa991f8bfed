"""Writes estimates: a new one, and the next version of one that customers have seen (datamodel.md 4.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from portal.estimates.errors import NotEditable
from portal.estimates.models import Estimate, EstimateVersion
from portal.estimates.offer import Offer, write_offer
from tenants.audit import Actor, record
from tenants.schema.models import NumberSequence

Status = Estimate.Status
EDITABLE = (Status.DRAFT, Status.SENT, Status.CHANGES_REQUESTED, Status.DECLINED)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the office wrote."""

    offer: Offer
    location_id: UUID | None
    expires_on: date | None
    change_summary: str = ""


@transaction.atomic
def create_estimate(*, customer_id: UUID, draft: Draft, currency: str, by: Actor, now: datetime) -> Estimate:
    """Write a new estimate down; nobody but the office sees it until it is sent (EST-04)."""
    estimate = Estimate.objects.create(
        number=_take_number(),
        customer_id=customer_id,
        location_id=draft.location_id,
        title=draft.offer.title,
        expires_on=draft.expires_on,
        currency=currency,
        created_by_name=by.label[:120],
        created_at=now,
        updated_at=now,
    )
    _write_version(estimate, 1, draft, by, now)
    record("estimate.created", by=by, now=now, target=estimate, after={"number": estimate.number})
    return estimate


@transaction.atomic
def save_draft(*, estimate_id: UUID, draft: Draft, by: Actor, now: datetime) -> EstimateVersion:
    """Write the version that is sent next; raises NotEditable.

    A version that customers have is never changed: beside it the next one is written.
    """
    estimate = Estimate.objects.select_for_update().get(pk=estimate_id)
    if estimate.status not in EDITABLE:
        raise NotEditable(estimate.status)
    if estimate.status == Status.DRAFT:
        Estimate.objects.filter(pk=estimate.pk).update(
            title=draft.offer.title, location_id=draft.location_id, expires_on=draft.expires_on, updated_at=now
        )
    version = unsent_version(estimate)
    if version is None:
        version = _write_version(estimate, estimate.current + 1, draft, by, now)
    else:
        changed = EstimateVersion.objects.filter(pk=version.pk, sent_at=None).update(
            body=_body(draft), change_summary=draft.change_summary[:300]
        )
        if changed != 1:
            raise NotEditable(version.pk)
    record("estimate.drafted", by=by, now=now, target=estimate, after={"version": version.n})
    return version


def unsent_version(estimate: Estimate) -> EstimateVersion | None:
    """Return the version that waits to be sent."""
    return EstimateVersion.objects.filter(estimate=estimate, sent_at=None).order_by("-n").first()


def current_version(estimate: Estimate) -> EstimateVersion:
    """Return the version that customers see."""
    return EstimateVersion.objects.get(estimate=estimate, n=estimate.current)


def _write_version(estimate: Estimate, n: int, draft: Draft, by: Actor, now: datetime) -> EstimateVersion:
    return EstimateVersion.objects.create(
        estimate=estimate,
        n=n,
        body=_body(draft),
        change_summary=draft.change_summary[:300],
        created_by=by.id,
        created_by_name=by.label[:120],
        created_at=now,
    )


def _body(draft: Draft) -> dict[str, object]:
    """Return what the version keeps; place and last day go along, so that they change only when it is sent."""
    return write_offer(draft.offer) | {
        "location": str(draft.location_id) if draft.location_id else "",
        "expires_on": draft.expires_on.isoformat() if draft.expires_on else "",
    }


def _take_number() -> str:
    row, _ = NumberSequence.objects.select_for_update().get_or_create(kind="estimate")
    NumberSequence.objects.filter(pk=row.pk).update(next_number=F("next_number") + 1)
    return f"E-{row.next_number}"
