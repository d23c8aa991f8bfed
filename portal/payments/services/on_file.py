"""Methods on file: the one default, their end, who is told; for those who change them and for banks that refuse."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Q

from portal.customers.models import Customer
from portal.payments.models import AutopayMandate, PaymentMethod
from tenants.audit import SYSTEM, Actor, record
from tenants.outbox import emit

State = PaymentMethod.State
Change = Literal["added", "replaced", "removed", "default", "ended"]
DETACH = "payment_method.detach"
CHANGED = "payment_method.changed"
AUTOPAY_CHANGED = "autopay.changed"


def lock_customer(customer_id: UUID) -> None:
    """Let nobody else touch this customer's money or methods until the transaction ends; before every other lock."""
    Customer.objects.select_for_update().only("id").get(pk=customer_id)


def choose_default(customer_id: UUID, method_id: UUID | None) -> None:
    """Make one method the default, or the newest that is left; the customer is locked."""
    usable = PaymentMethod.objects.filter(bill_to_id=customer_id, state=State.ACTIVE)
    chosen = method_id or usable.order_by("-id").values_list("pk", flat=True).first()
    if chosen:
        usable.filter(is_default=True).exclude(pk=chosen).update(is_default=False)
        usable.filter(pk=chosen).update(is_default=True)


def end_method(row: PaymentMethod, *, now: datetime) -> None:
    """Take a method out of use at once; Stripe is asked to forget it as soon as it answers."""
    PaymentMethod.objects.filter(pk=row.pk).update(state=State.DETACHED, is_default=False, ended_at=now, verify_url="")
    if row.stripe_pm_id:
        emit(DETACH, key=f"detach:{row.pk}", payload={"method": str(row.pk)}, now=now)


def invalidate_method(method_id: UUID | None, *, now: datetime) -> bool:
    """Keep a bank account from being debited again: its bank refuses for good (F16, F17). The customer is locked."""
    row = PaymentMethod.objects.filter(pk=method_id, state=State.ACTIVE).first() if method_id else None
    if row is None:
        return False
    PaymentMethod.objects.filter(pk=row.pk).update(state=State.INVALID, is_default=False)
    if row.is_default:
        choose_default(row.bill_to_id, None)
        row.is_default = False
    pause_mandates_of(row, now=now)
    tell(row, "ended", by=SYSTEM, now=now)
    return True


def is_needed(method_id: UUID) -> bool:
    """Whether autopay charges the method, at first or when the first fails (CARD-03)."""
    live = AutopayMandate.objects.filter(state__in=AutopayMandate.LIVE)
    return live.filter(Q(method_id=method_id) | Q(fallback_id=method_id)).exists()


def move_mandates(old: PaymentMethod, new: PaymentMethod) -> None:
    """Have autopay charge the method that took another's place."""
    live = AutopayMandate.objects.filter(state__in=AutopayMandate.LIVE)
    live.filter(method=old, fallback=new).update(fallback=None)
    live.filter(method=old).update(method=new)
    live.filter(fallback=old, method=new).update(fallback=None)
    live.filter(fallback=old).update(fallback=new)


def pause_mandates_of(row: PaymentMethod, *, now: datetime) -> None:
    """Charge nothing more by itself until the customer has named another method (F17)."""
    AutopayMandate.objects.filter(fallback=row, state__in=AutopayMandate.LIVE).update(fallback=None)
    for mandate in AutopayMandate.objects.filter(method=row, state=AutopayMandate.State.ACTIVE):
        AutopayMandate.objects.filter(pk=mandate.pk).update(
            state=AutopayMandate.State.PAUSED, paused_because=AutopayMandate.Pause.METHOD
        )
        record("autopay.paused", by=SYSTEM, now=now, target=mandate, after={"because": "method"})
        payload = {"mandate": str(mandate.pk), "change": "paused", "by": ""}
        emit(AUTOPAY_CHANGED, key=f"autopay:{mandate.pk}:paused:{now.timestamp():.6f}", payload=payload, now=now)


def tell(row: PaymentMethod, change: Change, *, by: Actor, now: datetime, old: PaymentMethod | None = None) -> None:
    """Audit a change and have customer and office told of it (CARD-06)."""
    after = {**row.shown, "default": row.is_default}
    record(f"payment_method.{change}", by=by, now=now, target=row, before=old.shown if old else None, after=after)
    payload = {
        "method": str(row.pk),
        "old": str(old.pk) if old else "",
        "change": change,
        "by": by.label if by.kind != "system" else "",
    }
    # A default can be chosen again and again; everything else happens to a method once.
    mark = f":{now.timestamp():.6f}" if change == "default" else ""
    emit(CHANGED, key=f"method:{row.pk}:{change}{mark}", payload=payload, now=now)
