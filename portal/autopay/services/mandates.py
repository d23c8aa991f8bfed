"""Allows autopay, changes its limits, pauses, resumes and revokes it; skips one charge (datamodel.md 4.15, PAY-20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from portal.accounts.models import PortalUser
from portal.autopay import errors
from portal.autopay.agreement import Consent, place_words
from portal.customers.models import Location
from portal.invoices.methods import method_words
from portal.payments.models import AutopayCharge, AutopayMandate, PaymentMethod
from portal.payments.services.on_file import lock_customer
from tenants.audit import Actor, record
from tenants.outbox import emit

CHANGED = "autopay.changed"
State, Pause = AutopayMandate.State, AutopayMandate.Pause
Charge = AutopayCharge.State
Change = Literal["authorised", "paused", "resumed", "revoked"]
# What was skipped stays skipped under a changed permission, and what is in the air is not charged a second time.
KEPT = (Charge.SKIPPED, Charge.CHARGING, Charge.HANDED_OVER, Charge.NEEDS_CUSTOMER)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the customer allows: with what, at most how much (cents), how many days' notice, and for which address."""

    method_id: UUID
    cap_cents: int
    notice_days: int
    fallback_id: UUID | None = None
    month_cap_cents: int | None = None
    location_id: UUID | None = None


@transaction.atomic
def authorise(
    *, customer_id: UUID, portal_user_id: UUID, terms: Terms, consent: Consent, by: Actor, now: datetime
) -> AutopayMandate:
    """Allow autopay, or change what is allowed; raises UnusableMethod, UnknownPlace, CoversAll.

    A change is a new permission under the same row's end: the old one is revoked, open charges begin anew. One for all
    invoices takes the place of those for single addresses. What the office paused stays paused.
    """
    lock_customer(customer_id)
    method, fallback = _methods(customer_id, terms)
    place = _place(customer_id, terms.location_id)
    olds = _replaced(customer_id, place)
    for old in olds:
        end(old, now=now)
        record("autopay.replaced", by=by, now=now, target=old)
    held = any(old.paused_because == Pause.OFFICE for old in olds)
    mandate = AutopayMandate.objects.create(
        bill_to_id=customer_id,
        location=place,
        method=method,
        fallback=fallback,
        cap_cents=terms.cap_cents,
        month_cap_cents=terms.month_cap_cents,
        notice_days=terms.notice_days,
        text_version=consent.version,
        agreed={
            "text": consent.text,
            "language": consent.language,
            "place": place_words(place),
            "method": method_words(method.shown),
            "fallback": method_words(fallback.shown) if fallback else "",
            "by": by.label,
            "email": PortalUser.objects.values_list("email", flat=True).get(pk=portal_user_id),
        },
        authorised_by_id=portal_user_id,
        authorised_at=now,
        authorised_ip=by.ip,
        state=State.PAUSED if held else State.ACTIVE,
        paused_because=Pause.OFFICE if held else "",
        created_at=now,
    )
    for old in olds:
        known = mandate.charges.values("invoice_id")
        old.charges.filter(state__in=KEPT).exclude(invoice_id__in=known).update(mandate=mandate)
    tell(mandate, "authorised", by=by, now=now)
    return mandate


def _methods(customer_id: UUID, terms: Terms) -> tuple[PaymentMethod, PaymentMethod | None]:
    usable = PaymentMethod.objects.filter(bill_to_id=customer_id, state=PaymentMethod.State.ACTIVE)
    method = usable.filter(pk=terms.method_id).first()
    fallback = usable.filter(pk=terms.fallback_id).first() if terms.fallback_id else None
    if method is None or (terms.fallback_id and fallback is None) or method == fallback:
        raise errors.UnusableMethod
    return method, fallback


def _place(customer_id: UUID, location_id: UUID | None) -> Location | None:
    if location_id is None:
        return None
    found = Location.objects.filter(pk=location_id, customer_id=customer_id, is_active=True).first()
    if found is None:
        raise errors.UnknownPlace
    return found


def _replaced(customer_id: UUID, place: Location | None) -> list[AutopayMandate]:
    """Return the living permissions whose place a new one takes."""
    living = list(AutopayMandate.objects.filter(bill_to_id=customer_id, state__in=AutopayMandate.LIVE).order_by("id"))
    if place is None:
        return living
    if any(mandate.location_id is None for mandate in living):
        raise errors.CoversAll
    return [mandate for mandate in living if mandate.location_id == place.pk]


@transaction.atomic
def revoke(*, customer_id: UUID, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """End autopay; nothing is charged from this moment; raises UnknownMandate."""
    mandate = lock_living(customer_id, mandate_id)
    end(mandate, now=now)
    tell(mandate, "revoked", by=by, now=now)
    return mandate


def end(mandate: AutopayMandate, *, now: datetime) -> None:
    """Take a permission out of use; the customer is locked."""
    AutopayMandate.objects.filter(pk=mandate.pk).update(state=State.REVOKED, revoked_at=now, paused_because="")
    mandate.charges.filter(state=Charge.ANNOUNCED).delete()


@transaction.atomic
def pause(*, customer_id: UUID, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Charge nothing until the customer resumes; raises UnknownMandate."""
    mandate = lock_living(customer_id, mandate_id)
    if AutopayMandate.objects.filter(pk=mandate.pk, state=State.ACTIVE).update(
        state=State.PAUSED, paused_because=Pause.CUSTOMER
    ):
        tell(mandate, "paused", by=by, now=now)
    return mandate


@transaction.atomic
def resume(*, customer_id: UUID, mandate_id: UUID, by: Actor, now: datetime) -> AutopayMandate:
    """Charge again; raises UnknownMandate, HeldByOffice, UnusableMethod while the card or account cannot be used."""
    mandate = lock_living(customer_id, mandate_id)
    if mandate.paused_because == Pause.OFFICE:
        raise errors.HeldByOffice
    go_on(mandate, by=by, now=now)
    return mandate


def go_on(mandate: AutopayMandate, *, by: Actor, now: datetime) -> None:
    """End a pause; raises UnusableMethod. The customer is locked.

    What was announced before the pause is announced anew: nobody is charged without the days of notice they chose.
    """
    if not mandate.method.is_usable:
        raise errors.UnusableMethod
    if AutopayMandate.objects.filter(pk=mandate.pk, state=State.PAUSED).update(state=State.ACTIVE, paused_because=""):
        mandate.charges.filter(state=Charge.ANNOUNCED).delete()
        tell(mandate, "resumed", by=by, now=now)


@transaction.atomic
def skip_charge(*, customer_id: UUID, charge_id: UUID, today: date, by: Actor, now: datetime) -> AutopayCharge:
    """Leave one invoice to be paid by hand; raises UnknownMandate, TooLate on its day (who is charged must know)."""
    lock_customer(customer_id)
    living = AutopayCharge.objects.filter(mandate__bill_to_id=customer_id, mandate__state__in=AutopayMandate.LIVE)
    charge = living.select_for_update(of=("self",)).select_related("invoice").filter(pk=charge_id).first()
    if charge is None:
        raise errors.UnknownMandate
    if charge.state != Charge.ANNOUNCED or charge.tries or charge.planned_on <= today:
        raise errors.TooLate
    AutopayCharge.objects.filter(pk=charge.pk).update(state=Charge.SKIPPED)
    record("autopay.skipped", by=by, now=now, target=charge, after={"invoice": charge.invoice.number})
    return charge


def lock_living(customer_id: UUID, mandate_id: UUID) -> AutopayMandate:
    """Lock the customer and return their living permission; raises UnknownMandate."""
    lock_customer(customer_id)
    rows = AutopayMandate.objects.filter(pk=mandate_id, bill_to_id=customer_id, state__in=AutopayMandate.LIVE)
    mandate = rows.select_related("method", "fallback", "bill_to", "location").first()
    if mandate is None:
        raise errors.UnknownMandate
    return mandate


def tell(mandate: AutopayMandate, change: Change, *, by: Actor, now: datetime) -> None:
    """Audit a change and have customer and office told of it; who of the office did it is the office's to know."""
    after = {
        "cap_cents": mandate.cap_cents,
        "month_cap_cents": mandate.month_cap_cents,
        "notice_days": mandate.notice_days,
        "text": mandate.text_version,
    }
    record(f"autopay.{change}", by=by, now=now, target=mandate, after=after)
    payload = {"mandate": str(mandate.pk), "change": change, "by": by.label, "office": by.kind == "staff"}
    emit(CHANGED, key=f"autopay:{mandate.pk}:{change}:{now.timestamp():.6f}", payload=payload, now=now)
