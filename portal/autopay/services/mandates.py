"""Allows autopay, changes its limits, pauses, resumes and revokes it; skips one charge (datamodel.md 4.15, PAY-20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from portal.autopay import errors
from portal.payments.models import AutopayCharge, AutopayMandate, PaymentMethod
from portal.payments.services.on_file import lock_customer
from tenants.audit import Actor, record
from tenants.outbox import emit

TEXT_VERSION = "2026-11"
CHANGED = "autopay.changed"
State, Pause = AutopayMandate.State, AutopayMandate.Pause
Charge = AutopayCharge.State


@dataclass(frozen=True, slots=True)
class Terms:
    """What the customer allows: with what, at most how much at once (cents), how many days' notice."""

    method_id: UUID
    cap_cents: int
    notice_days: int
    fallback_id: UUID | None = None


@transaction.atomic
def authorise(*, customer_id: UUID, portal_user_id: UUID, terms: Terms, by: Actor, now: datetime) -> AutopayMandate:
    """Allow autopay, or change what is allowed; raises UnusableMethod.

    A change is a new permission under the same row's end: the old one is revoked, open charges begin anew.
    """
    lock_customer(customer_id)
    method, fallback = _methods(customer_id, terms)
    old = AutopayMandate.objects.filter(bill_to_id=customer_id, state__in=AutopayMandate.LIVE).first()
    if old:
        _end(old, now=now)
    mandate = AutopayMandate.objects.create(
        bill_to_id=customer_id,
        method=method,
        fallback=fallback,
        cap_cents=terms.cap_cents,
        notice_days=terms.notice_days,
        text_version=TEXT_VERSION,
        authorised_by_id=portal_user_id,
        authorised_at=now,
        authorised_ip=by.ip,
        created_at=now,
    )
    if old:
        # What the customer skipped stays skipped, and what is in the air is not charged a second time.
        kept = old.charges.filter(
            state__in=[Charge.SKIPPED, Charge.CHARGING, Charge.HANDED_OVER, Charge.NEEDS_CUSTOMER]
        )
        kept.update(mandate=mandate)
    _tell(mandate, "authorised", by=by, now=now)
    return mandate


def _methods(customer_id: UUID, terms: Terms) -> tuple[PaymentMethod, PaymentMethod | None]:
    usable = PaymentMethod.objects.filter(bill_to_id=customer_id, state=PaymentMethod.State.ACTIVE)
    method = usable.filter(pk=terms.method_id).first()
    fallback = usable.filter(pk=terms.fallback_id).first() if terms.fallback_id else None
    if method is None or (terms.fallback_id and fallback is None) or method == fallback:
        raise errors.UnusableMethod
    return method, fallback


@transaction.atomic
def revoke(*, customer_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """End autopay; nothing is charged from this moment; raises UnknownMandate."""
    mandate = _live(customer_id)
    _end(mandate, now=now)
    _tell(mandate, "revoked", by=by, now=now)
    return mandate


def _end(mandate: AutopayMandate, *, now: datetime) -> None:
    AutopayMandate.objects.filter(pk=mandate.pk).update(state=State.REVOKED, revoked_at=now, paused_because="")
    mandate.charges.filter(state=Charge.ANNOUNCED).delete()


@transaction.atomic
def pause(*, customer_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Charge nothing until the customer resumes; raises UnknownMandate."""
    mandate = _live(customer_id)
    if AutopayMandate.objects.filter(pk=mandate.pk, state=State.ACTIVE).update(
        state=State.PAUSED, paused_because=Pause.CUSTOMER
    ):
        _tell(mandate, "paused", by=by, now=now)
    return mandate


@transaction.atomic
def resume(*, customer_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Charge again; raises UnknownMandate, UnusableMethod while the card or account cannot be used.

    What was announced before the pause is announced anew: nobody is charged without the days of notice they chose.
    """
    mandate = _live(customer_id)
    if not mandate.method.is_usable:
        raise errors.UnusableMethod
    if AutopayMandate.objects.filter(pk=mandate.pk, state=State.PAUSED).update(state=State.ACTIVE, paused_because=""):
        mandate.charges.filter(state=Charge.ANNOUNCED).delete()
        _tell(mandate, "resumed", by=by, now=now)
    return mandate


@transaction.atomic
def skip_charge(*, customer_id: UUID, charge_id: UUID, today: date, by: Actor, now: datetime) -> AutopayCharge:
    """Leave one invoice to be paid by hand; raises UnknownMandate, TooLate on its day (who is charged must know)."""
    mandate = _live(customer_id)
    charge = mandate.charges.select_for_update().filter(pk=charge_id).first()
    if charge is None:
        raise errors.UnknownMandate
    if charge.state != Charge.ANNOUNCED or charge.tries or charge.planned_on <= today:
        raise errors.TooLate
    AutopayCharge.objects.filter(pk=charge.pk).update(state=Charge.SKIPPED)
    record("autopay.skipped", by=by, now=now, target=charge, after={"invoice": charge.invoice.number})
    return charge


def _live(customer_id: UUID) -> AutopayMandate:
    lock_customer(customer_id)
    rows = AutopayMandate.objects.filter(bill_to_id=customer_id, state__in=AutopayMandate.LIVE)
    mandate = rows.select_related("method", "fallback", "bill_to").first()
    if mandate is None:
        raise errors.UnknownMandate
    return mandate


def _tell(mandate: AutopayMandate, change: str, *, by: Actor, now: datetime) -> None:
    after = {"cap_cents": mandate.cap_cents, "notice_days": mandate.notice_days, "text": mandate.text_version}
    record(f"autopay.{change}", by=by, now=now, target=mandate, after=after)
    payload = {"mandate": str(mandate.pk), "change": change, "by": by.label}
    emit(CHANGED, key=f"autopay:{mandate.pk}:{change}:{now.timestamp():.6f}", payload=payload, now=now)
