"""What the payment pages show, as frozen values: the pay page and the result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from infra.stripe_client import is_stripe_away
from portal.estimates.models import Estimate
from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.invoices.rows import title_of
from portal.invoices.selectors import company_day
from portal.payments import ways
from portal.payments.bills import Bill, PayLine, deposit_words
from portal.payments.deposits import estimate_of
from portal.payments.ledger import payable_cents
from portal.payments.models import Payment, PaymentAttempt, Refund
from portal.payments.notices import Notice
from portal.payments.plans import PayRules, rules_of
from portal.payments.services.card_testing import must_sign_in
from portal.payments.services.posting import shares_of
from portal.payments.services.settle import Settled
from portal.payments.tills import PayRequest, Till
from portal.payments.workdays import clears_by

State = PaymentAttempt.State
ResultState = Literal["succeeded", "processing", "action", "checking"]
REFUNDED = (Refund.State.PENDING, Refund.State.REQUIRES_ACTION, Refund.State.SUCCEEDED)
SHOWN: dict[str, ResultState] = {
    State.SUCCEEDED: "succeeded",
    State.PROCESSING: "processing",
    State.REQUIRES_ACTION: "action",
}


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A method on file that can be chosen to pay with."""

    id: UUID
    words: str
    is_bank: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class PayPage:
    """The page on which one invoice, several of one account, or a deposit are paid."""

    title: str
    lines: tuple[PayLine, ...]
    amount_cents: int
    currency: str
    form_key: UUID
    error: Notice | None
    can_pay: bool
    not_now: bool
    must_sign_in: bool
    lets_pay_part: bool
    minimum_cents: int
    lets_save: bool
    prove_url: str
    takes_bank: bool
    saved: tuple[SavedMethod, ...]
    back_url: str
    back_text: str
    portal_url: str
    client: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PaidPart:
    """One invoice of a payment, or the deposit on an estimate, and what it takes of it."""

    label: str
    title: str
    cents: int
    url: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a payment, as its payer sees it; money is paid when the ledger says so (PAY-13)."""

    attempt_id: UUID
    state: ResultState
    amount_cents: int
    currency: str
    parts: tuple[PaidPart, ...]
    still_open_cents: int | None
    receipt_number: str = ""
    paid_at: datetime | None = None
    method: str = ""
    refunds: tuple[tuple[datetime, int], ...] = ()
    poll_url: str = ""
    pdf_url: str = ""
    list_url: str = ""
    clears_by: date | None = None


def make_pay_page(request: PayRequest, bill: Bill, *, error: Notice | None, now: datetime) -> PayPage:
    """Return the pay page as it is now; every rendering has a form key of its own."""
    account = request.tenant.payment_account
    can_charge = account is not None and account.can_charge
    payable = bill.payable(request.till.payer)
    amount = sum(payable.values())
    currency = bill.currency
    today = company_day(request.tenant, now)
    rules = rules_of(request.settings)
    would_pay = can_charge and all(payable.values()) and ways.takes_anything(rules, currency)
    signs_in = must_sign_in(request.till.payer, now)
    back_url, back_text = bill.back(request.till)
    takes_parts = bill.takes_parts and rules.lets_pay_part_of(len(bill.ids))
    return PayPage(
        title=bill.title(),
        lines=bill.lines(payable),
        amount_cents=amount,
        currency=currency,
        form_key=uuid4(),
        error=error,
        can_pay=would_pay and not is_stripe_away() and not signs_in,
        not_now=would_pay and is_stripe_away(),
        must_sign_in=would_pay and signs_in,
        lets_pay_part=takes_parts and amount > rules.minimum_cents,
        minimum_cents=rules.minimum_cents,
        lets_save=rules.lets_save and request.till.may_keep,
        prove_url=request.till.prove_address(bill.address(request.till)) if rules.lets_save else "",
        takes_bank="us_bank_account" not in ways.excluded_types(rules, currency),
        saved=_saved_methods(request, bill.bill_to_id, rules, currency, today),
        back_url=back_url,
        back_text=back_text,
        portal_url=bill.portal_address(),
        client={
            "publishableKey": settings.ENV.stripe_publishable_key,
            "account": account.account_id if account else "",
            "amount": amount,
            "currency": currency.lower(),
            "excluded": ways.excluded_types(rules, currency),
            "locale": get_language() or "en",
            "button": _("Pay %(amount)s") % {"amount": "{amount}"},
            "failed": {
                "title": _("That didn’t reach us"),
                "text": _("Press the button again; you won’t be charged twice."),
                "offline": _("The card field didn’t load. Reload the page, or call us to pay by phone."),
            },
        },
    )


def _saved_methods(
    request: PayRequest, bill_to_id: UUID, rules: PayRules, currency: str, today: date
) -> tuple[SavedMethod, ...]:
    """Return what is on file of the account; a link alone opens none of it (PAY-20)."""
    if request.till.payer.portal_user_id is None:
        return ()
    found = ways.find_offered(bill_to_id, rules, currency, today).values()
    return tuple(
        SavedMethod(method.pk, method_words(method.shown), method.kind == method.Kind.BANK, index == 0)
        for index, method in enumerate(found)
    )


def make_result(settled: Settled, till: Till) -> Result:
    """Return the result page of an attempt that is neither failed nor expired."""
    attempt = settled.attempt
    parts, still_open = _parts(attempt, till)
    state = SHOWN.get(attempt.state, "checking")
    payment = getattr(attempt, "payment", None) if state == "succeeded" else None
    return Result(
        attempt_id=attempt.pk,
        state=state,
        amount_cents=attempt.amount_cents,
        currency=attempt.currency,
        parts=parts,
        still_open_cents=still_open,
        receipt_number=payment.receipt_no or "" if payment else "",
        paid_at=payment.succeeded_at if payment else None,
        method=method_words(payment.method) if payment else "",
        refunds=_refunds_of(payment) if payment else (),
        poll_url=till.status_address(attempt.pk) if state == "checking" else "",
        pdf_url=_pdf_url(attempt, till),
        list_url=till.list_address(),
        clears_by=clears_by(timezone.localtime(attempt.created_at).date()) if state == "processing" else None,
    )


def _parts(attempt: PaymentAttempt, till: Till) -> tuple[tuple[PaidPart, ...], int | None]:
    """Return what an attempt pays, and what is open of its invoices; a deposit is paid whole."""
    estimate_id = estimate_of(attempt)
    if estimate_id:
        estimate = Estimate.objects.get(pk=estimate_id)
        words, url = deposit_words(estimate.number), till.estimate_address(estimate.pk)
        return (PaidPart(words, estimate.title, attempt.amount_cents, url),), None
    shares = shares_of(attempt)
    known = Invoice.objects.in_bulk([share.invoice_id for share in shares])
    parts = tuple(
        PaidPart(
            _("Invoice %(number)s") % {"number": known[share.invoice_id].number},
            title_of(known[share.invoice_id]),
            share.amount_cents,
            till.invoice_address(share.invoice_id),
        )
        for share in shares
    )
    return parts, sum(payable_cents(invoice) for invoice in known.values())


def _pdf_url(attempt: PaymentAttempt, till: Till) -> str:
    shares = shares_of(attempt)
    return till.pdf_address(shares[0].invoice_id) if len(shares) == 1 else ""


def _refunds_of(payment: Payment) -> tuple[tuple[datetime, int], ...]:
    """Return what went back of a payment, and when."""
    made = payment.refunds.filter(state__in=REFUNDED).order_by("id")
    return tuple((refund.created_at, refund.amount_cents) for refund in made)
