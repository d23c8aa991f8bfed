"""What the payment pages show, as frozen values: notices in words, the pay page, the result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from portal.access.policy import billing_customers
from portal.accounts.guards import CustomerRequest
from portal.invoices.models import Invoice
from portal.invoices.rows import InvoiceRow, make_row, title_of
from portal.invoices.selectors import company_day
from portal.payments import errors
from portal.payments.declines import words_for
from portal.payments.ledger import PAYABLE, payable_cents
from portal.payments.models import Payment, PaymentAttempt, Refund
from portal.payments.services.posting import shares_of
from portal.payments.services.settle import Settled
from portal.payments.services.submit import own_waiting
from portal.payments.words import method_words
from portal.ui.formats import format_money

State = PaymentAttempt.State
ResultState = Literal["succeeded", "processing", "action", "checking"]
REFUNDED = (Refund.State.PENDING, Refund.State.REQUIRES_ACTION, Refund.State.SUCCEEDED)
SHOWN: dict[str, ResultState] = {
    State.SUCCEEDED: "succeeded",
    State.PROCESSING: "processing",
    State.REQUIRES_ACTION: "action",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A heading and a sentence: what happened, and what can be done."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class PayPage:
    """The page on which one invoice is paid."""

    invoice: InvoiceRow
    amount_cents: int
    currency: str
    form_key: UUID
    error: Notice | None
    can_pay: bool
    client: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a payment, as its payer sees it; money is paid when the ledger says so (PAY-13)."""

    attempt_id: UUID
    state: ResultState
    amount_cents: int
    currency: str
    invoice_id: UUID
    invoice_number: str
    invoice_title: str
    still_open_cents: int
    receipt_number: str = ""
    paid_at: datetime | None = None
    method: str = ""
    refunds: tuple[tuple[datetime, int], ...] = ()
    poll_url: str = ""


def own_payable_cents(invoice: Invoice, user_id: UUID) -> int:
    """Return what this person may pay now: what they left at their bank's page is theirs to pay again."""
    if invoice.status not in PAYABLE:
        return 0
    waiting = own_waiting([invoice.pk], user_id)
    mine = sum(s.amount_cents for a in waiting for s in shares_of(a) if s.invoice_id == invoice.pk)
    return payable_cents(invoice) + mine


def make_pay_page(request: CustomerRequest, invoice: Invoice, *, error: Notice | None, now: datetime) -> PayPage:
    """Return the pay page as it is now; every rendering has a form key of its own."""
    account = request.tenant.payment_account
    can_charge = account is not None and account.can_charge
    amount = own_payable_cents(invoice, request.viewer.user.pk)
    return PayPage(
        invoice=make_row(invoice, today=company_day(request.tenant, now), can_charge=can_charge),
        amount_cents=amount,
        currency=invoice.currency,
        form_key=uuid4(),
        error=error,
        can_pay=can_charge and amount > 0,
        client={
            "publishableKey": settings.ENV.stripe_publishable_key,
            "account": account.account_id if account else "",
            "amount": amount,
            "currency": invoice.currency.lower(),
            "locale": get_language() or "en",
            "failed": {
                "title": _("That didn’t reach us"),
                "text": _("Press the button again; you won’t be charged twice."),
                "offline": _("The card field didn’t load. Reload the page, or call us to pay by phone."),
            },
        },
    )


def refusal_notice(error: errors.PaymentRefused, *, currency: str, now: datetime) -> Notice:
    """Return a refusal in words."""
    if isinstance(error, errors.AmountChanged):
        return changed_notice(error.payable_cents, currency)
    if isinstance(error, errors.SomebodyIsPaying):
        return busy_notice(error.started_at, now)
    if isinstance(error, errors.NotPayable):
        return Notice(_("There is nothing left to pay"), _("This invoice is settled. Nothing was charged."))
    if isinstance(error, errors.AmountOutOfRange):
        return Notice(_("This amount can’t be paid by card"), _("Nothing was charged. Please call us."))
    if isinstance(error, errors.TooManyDeclines):
        return Notice(
            _("Too many cards were declined"), _("Nothing was charged. Try again in ten minutes, or call us.")
        )
    if isinstance(error, errors.PaymentsOff):
        return off_notice()
    return Notice(*words_for("form_expired", ""))


def off_notice() -> Notice:
    """Say that cards cannot be taken at the moment."""
    return Notice(_("Card payments don’t work right now"), _("Nothing was charged. Please call us to pay."))


def changed_notice(amount_cents: int, currency: str) -> Notice:
    """Say that the amount has changed while the payer looked at it."""
    amount = format_money(amount_cents, currency)
    return Notice(
        _("This invoice changed while you were here"),
        _("It’s now %(amount)s. Nothing was charged.") % {"amount": amount},
    )


def busy_notice(started_at: datetime, now: datetime) -> Notice:
    """Say that somebody is paying at this moment."""
    minutes = max(1, int((now - started_at).total_seconds() // 60))
    text = ngettext(
        "It started %(n)s minute ago. Please wait a moment – you won’t be charged twice.",
        "It started %(n)s minutes ago. Please wait a moment – you won’t be charged twice.",
        minutes,
    )
    return Notice(_("A payment for this invoice is being processed right now"), text % {"n": minutes})


def busy_since(invoice: Invoice) -> datetime | None:
    """Return since when somebody has been paying this invoice."""
    holding = PaymentAttempt.objects.filter(
        bill_to_id=invoice.bill_to_id, state__in=[*PaymentAttempt.OPEN, State.PROCESSING]
    ).order_by("-created_at")
    return next((a.created_at for a in holding if any(s.invoice_id == invoice.pk for s in shares_of(a))), None)


def failure_notice(attempt: PaymentAttempt) -> Notice | None:
    """Return why an attempt brought no money, or None if it did or may still."""
    if attempt.state == State.EXPIRED:
        return Notice(_("The payment wasn’t finished in time"), _("Nothing was charged. You can try again."))
    if attempt.state == State.FAILED:
        return Notice(*words_for(attempt.failure_code, attempt.decline_code))
    return None


def find_attempt(request: CustomerRequest, attempt_id: UUID) -> PaymentAttempt | None:
    """Return an attempt of this very person, as long as they may see the account's billing (AUZ-02)."""
    customers = billing_customers(request.viewer.grants)
    mine = PaymentAttempt.objects.filter(portal_user_id=request.viewer.user.pk, bill_to_id__in=customers)
    return mine.filter(pk=attempt_id).first()


def make_result(settled: Settled) -> Result:
    """Return the result page of an attempt that is neither failed nor expired."""
    attempt = settled.attempt
    invoice = Invoice.objects.get(pk=shares_of(attempt)[0].invoice_id)
    state = SHOWN.get(attempt.state, "checking")
    payment = getattr(attempt, "payment", None) if state == "succeeded" else None
    return Result(
        attempt_id=attempt.pk,
        state=state,
        amount_cents=attempt.amount_cents,
        currency=attempt.currency,
        invoice_id=invoice.pk,
        invoice_number=invoice.number,
        invoice_title=title_of(invoice),
        still_open_cents=payable_cents(invoice),
        receipt_number=payment.receipt_no or "" if payment else "",
        paid_at=payment.succeeded_at if payment else None,
        method=method_words(payment.method) if payment else "",
        refunds=_refunds_of(payment) if payment else (),
        poll_url=reverse("payments:status", args=[attempt.pk]) if state == "checking" else "",
    )


def _refunds_of(payment: Payment) -> tuple[tuple[datetime, int], ...]:
    """Return what went back of a payment, and when."""
    made = payment.refunds.filter(state__in=REFUNDED).order_by("id")
    return tuple((refund.created_at, refund.amount_cents) for refund in made)
