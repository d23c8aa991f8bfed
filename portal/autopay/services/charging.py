"""Announces invoices, charges them on their day, and follows what became of it: once per try, whoever runs it twice.

Money invariant 7: no invoice with a payment under way, none above the cap, before the notice is over or after the end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F, Q

from portal.autopay.services.limits import covered, covers, is_over
from portal.autopay.services.mandates import CHANGED
from portal.invoices.models import Invoice
from portal.invoices.policy import shown_for
from portal.payments import errors as pay_errors
from portal.payments import ways
from portal.payments.ledger import PAYABLE, payable_cents
from portal.payments.models import AutopayCharge, AutopayMandate, PaymentAttempt, PaymentMethod
from portal.payments.payers import Payer
from portal.payments.plans import rules_of
from portal.payments.services.on_file import lock_customer
from portal.payments.services.settle import settle_attempt
from portal.payments.services.submit import Submission, submit_payment
from tenants.audit import SYSTEM, record
from tenants.context import TenantContext
from tenants.outbox import emit

log = logging.getLogger("porchlight.autopay")
Charge, Mandate = AutopayCharge.State, AutopayMandate.State
Attempt = PaymentAttempt.State
ANNOUNCED, FAILED, OVER_CAP = "autopay.announced", "autopay.failed", "autopay.over_cap"
# Refusals that have nothing to do with the card or account: the same try is made again when they are over.
NOT_BEGUN = (
    pay_errors.PaymentsOff,
    pay_errors.StripeIsAway,
    pay_errors.SomebodyIsPaying,
    pay_errors.NotPayable,
    pay_errors.AmountChanged,
    pay_errors.TooManyDeclines,
)
NEXT_TRY = timedelta(days=3)
TRIES = 2
# Says the bank that only its customer can help: asking again without them is no use (F15).
ASKS_CUSTOMER = "authentication_required"


def run_autopay(*, context: TenantContext, now: datetime) -> None:
    """Follow up what is under way, charge what is due, announce what comes. Must run outside any transaction."""
    today = now.astimezone(context.tenant.zone).date()
    for charge in AutopayCharge.objects.filter(state=Charge.CHARGING).order_by("id"):
        _guarded(charge, lambda c: follow_up(context=context, charge_id=c.pk, now=now))
    due = AutopayCharge.objects.filter(state=Charge.ANNOUNCED, planned_on__lte=today, mandate__state=Mandate.ACTIVE)
    for charge in due.filter(Q(next_try_at=None) | Q(next_try_at__lte=now)).order_by("planned_on", "id"):
        _guarded(charge, lambda c: charge_one(context=context, charge_id=c.pk, now=now))
    for mandate in AutopayMandate.objects.filter(state=Mandate.ACTIVE).order_by("id"):
        announce(context=context, mandate_id=mandate.pk, now=now)


def _guarded(charge: AutopayCharge, work: Callable[[AutopayCharge], object]) -> None:
    try:
        work(charge)
    except Exception:
        # One charge that cannot be made must not keep the others waiting.
        log.exception("an autopay charge failed", extra={"charge": str(charge.pk)})


@transaction.atomic
def announce(*, context: TenantContext, mandate_id: UUID, now: datetime, at_most: int | None = None) -> int:
    """Plan a charge for each open invoice that has none, and have the customer told; return how many.

    `at_most` stops after so many, the earliest due first; what is left is planned by the next run.
    """
    mandate = AutopayMandate.objects.select_related("bill_to").get(pk=mandate_id)
    lock_customer(mandate.bill_to_id)
    mandate.refresh_from_db(fields=["state"])
    if mandate.state != Mandate.ACTIVE:
        return 0
    today = now.astimezone(context.tenant.zone).date()
    shown = shown_for([mandate.bill_to_id], context.settings).filter(status__in=PAYABLE, pending_cents=0)
    known = AutopayCharge.objects.filter(mandate=mandate).values("invoice_id")
    made = 0
    for invoice in covered(mandate, shown).exclude(pk__in=known).order_by("due_on", "number")[:at_most]:
        amount = payable_cents(invoice)
        if amount <= 0:
            continue
        day = max(invoice.due_on, today + timedelta(days=mandate.notice_days))
        over = is_over(mandate, amount, day)
        charge = AutopayCharge.objects.create(
            mandate=mandate,
            invoice=invoice,
            amount_cents=amount,
            planned_on=day,
            announced_at=now,
            state=Charge.OVER_CAP if over else Charge.ANNOUNCED,
            created_at=now,
        )
        emit(OVER_CAP if over else ANNOUNCED, key=f"announced:{charge.pk}", payload={"charge": str(charge.pk)}, now=now)
        made += 1
    return made


def charge_one(*, context: TenantContext, charge_id: UUID, now: datetime) -> AutopayCharge:
    """Make the next try of a charge that is due; the same try, however often it is run, is one payment (F-65)."""
    ready = _take(context, charge_id, now)
    charge = AutopayCharge.objects.select_related("mandate__bill_to", "invoice").get(pk=charge_id)
    if ready is None:
        return charge
    method, amount = ready
    try:
        settled = submit_payment(
            context=context,
            bill_to_id=charge.mandate.bill_to_id,
            invoice_ids=[charge.invoice_id],
            payer=Payer(mandate_id=charge.mandate_id),
            submission=Submission(key_of(charge), amount, "", method_id=method.pk),
            rules=rules_of(context.settings),
            by=SYSTEM,
            now=now,
        )
    except NOT_BEGUN:
        return _take_back(charge)
    except pay_errors.PaymentRefused:
        return _after_failure(charge.pk, "not_now", "", now)
    AutopayCharge.objects.filter(pk=charge.pk).update(attempt_id=settled.attempt.pk)
    return apply_outcome(charge.pk, settled.attempt, now)


def _take_back(charge: AutopayCharge) -> AutopayCharge:
    """Undo the decision for a try that nobody has begun: it is made again later, if anything is left to pay."""
    if not PaymentAttempt.objects.filter(form_key=key_of(charge)).exists():
        AutopayCharge.objects.filter(pk=charge.pk, state=Charge.CHARGING, tries=charge.tries).update(
            state=Charge.ANNOUNCED, tries=F("tries") - 1
        )
        charge.refresh_from_db()
    return charge


def key_of(charge: AutopayCharge) -> UUID:
    """Return the form key of a charge's present try: one attempt per mandate, invoice and try. Pure."""
    return uuid5(charge.pk, f"try:{charge.tries}")


@transaction.atomic
def _take(context: TenantContext, charge_id: UUID, now: datetime) -> tuple[PaymentMethod, int] | None:
    """Decide under lock whether this charge may be made now, and note its try; None when it may not."""
    found = AutopayCharge.objects.select_related("mandate").get(pk=charge_id)
    lock_customer(found.mandate.bill_to_id)
    charge = (
        AutopayCharge.objects.select_for_update(of=("self",)).select_related("mandate", "invoice").get(pk=charge_id)
    )
    mandate, invoice = charge.mandate, charge.invoice
    today = now.astimezone(context.tenant.zone).date()
    if charge.state != Charge.ANNOUNCED or mandate.state != Mandate.ACTIVE or charge.planned_on > today:
        return None
    if charge.next_try_at and charge.next_try_at > now:
        return None
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    amount = payable_cents(invoice)
    if invoice.status not in PAYABLE:
        _set(charge, Charge.PAID_OTHERWISE)
        return None
    if not covers(mandate, invoice):
        _set(charge, Charge.SKIPPED)
        return None
    if invoice.pending_cents or invoice.reserved_cents or not amount:
        return None  # somebody is paying; what is left of it shows later
    if amount > charge.amount_cents:
        _announce_anew(charge, amount, today, now)
        return None
    if is_over(mandate, amount, today, apart_from=charge.pk):
        _set(charge, Charge.OVER_CAP)
        key = f"over_cap:{charge.pk}:{charge.tries}:{today:%Y-%m}"
        emit(OVER_CAP, key=key, payload={"charge": str(charge.pk)}, now=now)
        return None
    method = _method_of(charge, context, invoice.currency)
    if method is None:
        _pause(mandate, AutopayMandate.Pause.METHOD, now)
        return None
    AutopayCharge.objects.filter(pk=charge.pk).update(
        state=Charge.CHARGING,
        tries=charge.tries + 1,
        amount_cents=amount,
        taken_on=today,
        next_try_at=None,
        attempt_id=None,
    )
    return method, amount


def _announce_anew(charge: AutopayCharge, amount: int, today: date, now: datetime) -> None:
    """More is due than was announced: that needs a notice of its own, and must fit the cap."""
    day = today + timedelta(days=charge.mandate.notice_days)
    over = is_over(charge.mandate, amount, day, apart_from=charge.pk)
    AutopayCharge.objects.filter(pk=charge.pk).update(
        amount_cents=amount,
        planned_on=day,
        announced_at=now,
        state=Charge.OVER_CAP if over else Charge.ANNOUNCED,
    )
    key = f"announced:{charge.pk}:{amount}"
    emit(OVER_CAP if over else ANNOUNCED, key=key, payload={"charge": str(charge.pk)}, now=now)


def _method_of(charge: AutopayCharge, context: TenantContext, currency: str) -> PaymentMethod | None:
    """Return what the present try charges: the method, then the fallback."""
    mandate = charge.mandate
    usable = ways.find_usable(mandate.bill_to_id, rules_of(context.settings), currency)
    wanted = [mandate.method_id, mandate.fallback_id] if not charge.tries else [mandate.fallback_id, mandate.method_id]
    return next((usable[pk] for pk in wanted if pk in usable), None)


def follow_up(*, context: TenantContext, charge_id: UUID, now: datetime) -> AutopayCharge:
    """Look at the payment of a charge that is under way and draw the consequence."""
    charge = AutopayCharge.objects.get(pk=charge_id)
    attempt = PaymentAttempt.objects.filter(form_key=key_of(charge)).first()
    if attempt is None:
        # The process ended between the decision and the reservation: nothing was asked. Should it live after all,
        # the next decision is the same try with the same key.
        return _take_back(charge)
    if attempt.state in (Attempt.SUBMITTED, Attempt.UNKNOWN):
        attempt = settle_attempt(context=context, attempt_id=attempt.pk, now=now).attempt
    return apply_outcome(charge.pk, attempt, now)


def apply_outcome(charge_id: UUID, attempt: PaymentAttempt, now: datetime) -> AutopayCharge:
    """Make the charge say what its payment says: paid, still under way, or failed with what follows."""
    if attempt.state == Attempt.SUCCEEDED:
        with transaction.atomic():
            charge = AutopayCharge.objects.select_for_update().get(pk=charge_id)
            if charge.state == Charge.CHARGING:
                _set(charge, Charge.CHARGED)
                record("autopay.charged", by=SYSTEM, now=now, target=charge, after={"cents": attempt.amount_cents})
        return charge
    if attempt.state in (Attempt.FAILED, Attempt.EXPIRED):
        return _after_failure(charge_id, attempt.failure_code or "expired", attempt.decline_code, now)
    return AutopayCharge.objects.get(pk=charge_id)


@transaction.atomic
def _after_failure(charge_id: UUID, code: str, decline_code: str, now: datetime) -> AutopayCharge:
    """Plan the next try, or leave it to the customer (F15), or hand it over after the second (X-10)."""
    found = AutopayCharge.objects.select_related("mandate").get(pk=charge_id)
    lock_customer(found.mandate.bill_to_id)
    charge = AutopayCharge.objects.select_for_update(of=("self",)).select_related("mandate").get(pk=charge_id)
    if charge.state != Charge.CHARGING:
        return charge
    charge.failure_code, charge.decline_code = code[:60], decline_code[:60]
    step: Literal["ask", "retry", "hand_over"]
    if ASKS_CUSTOMER in (code, decline_code):
        step, charge.state = "ask", Charge.NEEDS_CUSTOMER
    elif charge.tries < TRIES:
        step, charge.state = "retry", Charge.ANNOUNCED
        charge.next_try_at = now if charge.mandate.fallback_id else now + NEXT_TRY
    else:
        step, charge.state = "hand_over", Charge.HANDED_OVER
        _pause(charge.mandate, AutopayMandate.Pause.FAILED, now)
    charge.save()
    record("autopay.failed", by=SYSTEM, now=now, target=charge, after={"code": code, "step": step})
    if step != "retry" or not charge.mandate.fallback_id:
        payload = {"charge": str(charge.pk), "step": step}
        emit(FAILED, key=f"autopay_failed:{charge.pk}:{charge.tries}", payload=payload, now=now)
    return charge


def _pause(mandate: AutopayMandate, reason: str, now: datetime) -> None:
    if AutopayMandate.objects.filter(pk=mandate.pk, state=Mandate.ACTIVE).update(
        state=Mandate.PAUSED, paused_because=reason
    ):
        record("autopay.paused", by=SYSTEM, now=now, target=mandate, after={"because": reason})
        if reason == AutopayMandate.Pause.METHOD:
            payload = {"mandate": str(mandate.pk), "change": "paused", "by": ""}
            emit(CHANGED, key=f"autopay:{mandate.pk}:paused:{now.timestamp():.6f}", payload=payload, now=now)


def _set(charge: AutopayCharge, state: str) -> None:
    AutopayCharge.objects.filter(pk=charge.pk).update(state=state, next_try_at=None)
    charge.state = state


def has_autopay_work() -> bool:
    """Whether the tenant in scope has a mandate to look after or a charge under way."""
    return (
        AutopayMandate.objects.filter(state=Mandate.ACTIVE).exists()
        or AutopayCharge.objects.filter(state=Charge.CHARGING).exists()
    )
