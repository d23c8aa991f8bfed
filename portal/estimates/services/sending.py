"""Puts a version into customers' hands (EST-02, EST-04)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from portal.estimates.errors import HasExpired, NothingNew
from portal.estimates.models import Estimate, EstimateVersion
from portal.estimates.offer import hash_version
from portal.estimates.services.drafting import EDITABLE, unsent_version
from tenants.audit import Actor, record

Status = Estimate.Status


@transaction.atomic
def publish_estimate(*, estimate_id: UUID, today: date, by: Actor, now: datetime) -> Estimate:
    """Let customers see the newest version; one that they have already may be sent again.

    Raises NothingNew when there is none to send, HasExpired for a last day that is over. Version and status change
    together, so that nobody approves what is being replaced (AUZ-14). A new version counts as unseen.
    """
    estimate = Estimate.objects.select_for_update().get(pk=estimate_id)
    version = unsent_version(estimate)
    if version is None:
        if estimate.status != Status.SENT:
            raise NothingNew(estimate.status)
        if estimate.expires_on and estimate.expires_on < today:
            raise HasExpired(estimate.expires_on)
        return estimate
    if estimate.status not in EDITABLE:
        raise NothingNew(estimate.status)
    expires_on = date.fromisoformat(version.body["expires_on"]) if version.body["expires_on"] else None
    if expires_on and expires_on < today:
        raise HasExpired(expires_on)
    digest = hash_version(estimate.pk, version.n, estimate.currency, version.body)
    EstimateVersion.objects.filter(estimate=estimate, n=estimate.current).update(superseded_at=now)
    EstimateVersion.objects.filter(pk=version.pk, sent_at=None).update(sent_at=now, content_hash=digest)
    changed = Estimate.objects.filter(pk=estimate.pk, status=estimate.status, current=estimate.current).update(
        status=Status.SENT,
        current=version.n,
        title=version.body["title"],
        location_id=UUID(version.body["location"]) if version.body["location"] else None,
        expires_on=expires_on,
        sent_at=now,
        first_viewed_at=None,
        updated_at=now,
    )
    if changed != 1:
        raise RuntimeError(f"Estimate {estimate.pk} was locked and changed nevertheless.")
    record("estimate.published", by=by, now=now, target=estimate, after={"version": version.n, "sha256": digest})
    estimate.refresh_from_db()
    return estimate


def mark_viewed(*, estimate: Estimate, by: Actor, now: datetime) -> bool:
    """Note that the customer has opened the present version for the first time; True when this was it."""
    first = Estimate.objects.filter(pk=estimate.pk, first_viewed_at__isnull=True).update(first_viewed_at=now)
    if first:
        record("estimate.viewed", by=by, now=now, target=estimate)
    return bool(first)
