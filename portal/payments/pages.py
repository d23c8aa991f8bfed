"""What the payment pages show, as frozen values: the pay page and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from infra.stripe_client import is_stripe_away
from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.invoices.rows import InvoiceRow, make_row, title_of
from portal.invoices.selectors import company_day
from portal.payments import ways
from portal.payments.ledger import PAYABLE, payable_cents
from portal.payments.models import Payment, PaymentAttempt, Refund
from portal.payments.notices import Notice
from portal.payments.payers import Payer
from portal.payments.plans import PayRules, rules_of
from portal.payments.services.card_testing import must_sign_in
from portal.payments.services.posting import shares_of
from portal.payments.services.settle import Settled
from portal.payments.services.submit import own_waiting
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
    """The page on which one invoice, or several of one account, are paid."""

    invoices: tuple[InvoiceRow, ...]
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
    client: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """One invoice of a payment and what it takes of it."""

    id: UUID
    number: str
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
    invoices: tuple[PaidInvoice, ...]
    still_open_cents: int
    receipt_number: str = ""
    paid_at: datetime | None = None
    method: str = ""
    refunds: tuple[tuple[datetime, int], ...] = ()
    poll_url: str = ""
    pdf_url: str = ""
    list_url: str = ""
    clears_by: date | None = None


def own_payable(invoices: Sequence[Invoice], payer: Payer) -> dict[UUID, int]:
    """Return what this payer may pay of each invoice now: what they left at their bank's page is theirs again."""
    mine = dict.fromkeys((invoice.pk for invoice in invoices), 0)
    for attempt in own_waiting(list(mine), payer):
        for share in shares_of(attempt):
            if share.invoice_id in mine:
                mine[share.invoice_id] += share.amount_cents
    return {
        invoice.pk: payable_cents(invoice) + mine[invoice.pk] if invoice.status in PAYABLE else 0
        for invoice in invoices
    }


def make_pay_page(request: PayRequest, invoices: Sequence[Invoice], *, error: Notice | None, now: datetime) -> PayPage:
    """Return the pay page as it is now; every rendering has a form key of its own."""
    account = request.tenant.payment_account
    can_charge = account is not None and account.can_charge
    payable = own_payable(invoices, request.till.payer)
    amount = sum(payable.values())
    currency = invoices[0].currency
    today = company_day(request.tenant, now)
    rules = rules_of(request.settings)
    rows = tuple(make_row(invoice, today=today, can_charge=can_charge) for invoice in invoices)
    would_pay = can_charge and all(payable.values()) and ways.takes_anything(rules, currency)
    signs_in = must_sign_in(request.till.payer, now)
    return PayPage(
        invoices=tuple(replace(row, open_cents=payable[row.id]) for row in rows),
        amount_cents=amount,
        currency=currency,
        form_key=uuid4(),
        error=error,
        can_pay=would_pay and not is_stripe_away() and not signs_in,
        not_now=would_pay and is_stripe_away(),
        must_sign_in=would_pay and signs_in,
        lets_pay_part=rules.lets_pay_part_of(len(invoices)) and amount > rules.minimum_cents,
        minimum_cents=rules.minimum_cents,
        lets_save=rules.lets_save and request.till.may_keep,
        prove_url=request.till.prove_address([invoice.pk for invoice in invoices]) if rules.lets_save else "",
        takes_bank="us_bank_account" not in ways.excluded_types(rules, currency),
        saved=_saved_methods(request, invoices[0].bill_to_id, rules, currency, today),
        back_url=request.till.invoice_address(invoices[0].pk) if len(invoices) == 1 else request.till.list_address(),
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
    found = [
        method
        for method in ways.find_usable(bill_to_id, rules, currency).values()
        if not ways.has_expired(method, today)
    ]
    return tuple(
        SavedMethod(method.pk, method_words(method.shown), method.kind == method.Kind.BANK, index == 0)
        for index, method in enumerate(found)
    )


def busy_since(invoices: Sequence[Invoice]) -> datetime | None:
    """Return since when somebody has been paying one of these invoices."""
    wanted = {invoice.pk for invoice in invoices}
    holding = PaymentAttempt.objects.filter(
        bill_to_id=invoices[0].bill_to_id, state__in=[*PaymentAttempt.OPEN, State.PROCESSING]
    ).order_by("-created_at")
    return next((a.created_at for a in holding if any(s.invoice_id in wanted for s in shares_of(a))), None)


def make_result(settled: Settled, till: Till) -> Result:
    """Return the result page of an attempt that is neither failed nor expired."""
    attempt = settled.attempt
    shares = shares_of(attempt)
    known = Invoice.objects.in_bulk([share.invoice_id for share in shares])
    invoices = tuple(
        PaidInvoice(
            share.invoice_id,
            known[share.invoice_id].number,
            title_of(known[share.invoice_id]),
            share.amount_cents,
            till.invoice_address(share.invoice_id),
        )
        for share in shares
    )
    state = SHOWN.get(attempt.state, "checking")
    payment = getattr(attempt, "payment", None) if state == "succeeded" else None
    return Result(
        attempt_id=attempt.pk,
        state=state,
        amount_cents=attempt.amount_cents,
        currency=attempt.currency,
        invoices=invoices,
        still_open_cents=sum(payable_cents(invoice) for invoice in known.values()),
        receipt_number=payment.receipt_no or "" if payment else "",
        paid_at=payment.succeeded_at if payment else None,
        method=method_words(payment.method) if payment else "",
        refunds=_refunds_of(payment) if payment else (),
        poll_url=till.status_address(attempt.pk) if state == "checking" else "",
        pdf_url=till.pdf_address(shares[0].invoice_id) if len(shares) == 1 else "",
        list_url=till.list_address(),
        clears_by=clears_by(timezone.localtime(attempt.created_at).date()) if state == "processing" else None,
    )


def _refunds_of(payment: Payment) -> tuple[tuple[datetime, int], ...]:
    """Return what went back of a payment, and when."""
    made = payment.refunds.filter(state__in=REFUNDED).order_by("id")
    return tuple((refund.created_at, refund.amount_cents) for refund in made)
