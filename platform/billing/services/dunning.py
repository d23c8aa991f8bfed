"""An unpaid bill: two notices, then the office is held and nothing else; paid, it opens at once (platform.md 3.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.rows import ensure_row, lock_row, note_change
from billing.standing import decide_standing
from tenants.audit import SYSTEM, record_control
from tenants.config.explain import explain
from tenants.config.registry import BILLING_GRACE_DAYS
from tenants.models import Hold, Subscription, Tenant
from tenants.outbox import emit_control
from tenants.scope import control_scope

OPENED_BY = "Porchlight billing"
TRIAL_NOTICE = timedelta(days=3)
# Nobody's office is held sooner than this after the notice that announced it.
LAST_WARNING = timedelta(days=3)


def follow_standing(row: Subscription, now: datetime) -> None:
    """Begin or end an unpaid time as the locked row says; in the control plane's transaction."""
    standing = decide_standing(status=row.status, trial_ends_at=row.trial_ends_at, now=now)
    if standing == "owing" and row.owing_since is None:
        row.owing_since = now
        _notify(row, 1, now)
        note_change(row.tenant_id)
    elif standing != "owing" and row.owing_since is not None:
        _end_unpaid_time(row, now)


def _notify(row: Subscription, number: int, now: datetime) -> None:
    """Write the owner one of two letters; each is written once for one unpaid time."""
    assert row.owing_since
    row.notices, row.noticed_at = number, now
    row.save()
    since = row.owing_since.isoformat()
    _mail(row, "owing", key=f"billing:{row.pk}:{since}:{number}", since=since, number=number, now=now)
    _note("billing.notice", row, now, after={"notice": number, "owing_since": since})


def _end_unpaid_time(row: Subscription, now: datetime) -> None:
    was_held, since = row.held_at is not None, row.owing_since
    row.owing_since = row.noticed_at = row.held_at = None
    row.notices = 0
    row.save()
    # Only our own hold: what an operator has closed for another cause stays closed (platform.md, check 28).
    Hold.objects.filter(
        tenant_id=row.tenant_id, kind=Hold.Kind.OFFICE, opened_by=OPENED_BY, released_at__isnull=True
    ).update(released_at=now, released_by=OPENED_BY)
    note_change(row.tenant_id)
    _note("billing.settled", row, now, after={"office_was_held": was_held})
    if was_held and since:
        _mail(row, "reopened", key=f"billing:{row.pk}:{since.isoformat()}:paid", now=now)


def advance(*, tenant_id: UUID, now: datetime) -> None:
    """Take the step that time has made due, if one is: trial notice, first or second notice, hold of the office.

    Safe to repeat, in parallel too: each step is taken under lock and written down with its letter.
    """
    ensure_row(tenant_id=tenant_id, now=now)
    with control_scope(), transaction.atomic():
        row = lock_row(tenant_id)
        if row.tenant.lifecycle != Tenant.Lifecycle.ACTIVE:
            return
        follow_standing(row, now)
        if row.owing_since is None:
            _announce_trial_end(row, now)
            return
        grace = grace_of(row.tenant, now)
        if row.notices == 1 and now >= row.owing_since + grace / 2:
            _notify(row, 2, now)
        elif is_hold_due(row, grace, now):
            _hold_office(row, now)


def is_hold_due(row: Subscription, grace: timedelta, now: datetime) -> bool:
    """Whether both notices are out and their time is over. Pure."""
    if row.owing_since is None or row.noticed_at is None or row.notices < 2 or row.held_at:
        return False
    return now >= row.owing_since + grace and now >= row.noticed_at + LAST_WARNING


def hold_date(row: Subscription, grace: timedelta) -> datetime | None:
    """Return when the office is held at the earliest if nothing is paid. Pure."""
    if row.owing_since is None:
        return None
    warned = row.noticed_at if row.notices >= 2 and row.noticed_at else row.owing_since + grace / 2
    return max(row.owing_since + grace, warned + LAST_WARNING)


def grace_of(tenant: Tenant, now: datetime) -> timedelta:
    """Return how long this company's office stays open with an unpaid bill; reads the control plane."""
    return timedelta(days=explain(BILLING_GRACE_DAYS, tenant, now).result.value)


def operators_reason(tenant_id: UUID) -> str:
    """Return why an operator paused the office, or nothing; such a pause no payment ends. Reads the control plane."""
    holds = Hold.objects.filter(tenant_id=tenant_id, kind=Hold.Kind.OFFICE, released_at__isnull=True)
    return holds.exclude(opened_by=OPENED_BY).order_by("opened_at").values_list("reason", flat=True).first() or ""


def _announce_trial_end(row: Subscription, now: datetime) -> None:
    """Write once for each end of a trial; an operator who moves it makes it another one."""
    ends = row.trial_ends_at
    if row.status not in ("", "trialing") or not ends - TRIAL_NOTICE <= now < ends or row.trial_noticed_for == ends:
        return
    row.trial_noticed_for = ends
    row.save()
    _mail(row, "trial", key=f"billing:{row.pk}:trial:{ends.isoformat()}", ends=ends.isoformat(), now=now)


def _hold_office(row: Subscription, now: datetime) -> None:
    assert row.owing_since
    row.held_at = now
    row.save()
    if not Hold.objects.filter(tenant_id=row.tenant_id, kind=Hold.Kind.OFFICE, released_at__isnull=True).exists():
        Hold.objects.create(
            tenant_id=row.tenant_id,
            kind=Hold.Kind.OFFICE,
            reason="The bill for the plan is unpaid; customers go on seeing and paying.",
            opened_by=OPENED_BY,
            opened_at=now,
        )
    note_change(row.tenant_id)
    since = row.owing_since.isoformat()
    _note("tenant.hold", row, now, target=Hold.Kind.OFFICE, after={"owing_since": since})
    _mail(row, "held", key=f"billing:{row.pk}:{since}:held", since=since, now=now)


def _mail(row: Subscription, letter: str, *, key: str, now: datetime, **about: object) -> None:
    payload = {"letter": letter, "subscription": str(row.pk), **about}
    emit_control("billing.mail", key=key, payload=payload, now=now, tenant_id=row.tenant_id)


def _note(action: str, row: Subscription, now: datetime, *, target: str = "", after: dict[str, object]) -> None:
    record_control(
        action, by=SYSTEM, now=now, tenant_id=row.tenant_id, target=target, after=after, visible_to_tenant=True
    )
