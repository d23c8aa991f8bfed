"""What the office's payment pages show, as frozen values (F-17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.invoices.rows import Badge
from portal.payments import dispute_words
from portal.payments.deposits import deposit_of
from portal.payments.models import Dispute, Payment, Refund
from portal.payments.services.refunds import refundable_lines
from portal.ui.formats import format_money

PAGE_SIZE = 25
Status = Payment.Status
BADGES: dict[str, tuple[str, str]] = {
    Status.PROCESSING: ("info", "clock"),
    Status.SUCCEEDED: ("ok", "check"),
    Status.FAILED: ("bad", "circle-alert"),
    Status.DISPUTED: ("bad", "triangle-alert"),
    Status.LOST: ("bad", "circle-alert"),
    Status.WON: ("ok", "check"),
}
FILTERS: dict[str, Q] = {
    "": Q(),
    "processing": Q(status=Status.PROCESSING),
    "refunded": Q(refunded_cents__gt=0),
    "disputed": Q(status__in=[Status.DISPUTED, Status.LOST, Status.WON]),
}


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One line of the list of payments."""

    id: UUID
    customer_id: UUID
    customer_name: str
    at: datetime
    amount_cents: int
    currency: str
    method: str
    receipt_no: str
    badge: Badge


@dataclass(frozen=True, slots=True)
class Part:
    """What a payment pays: an invoice, or the customer's credit."""

    text: str
    cents: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the history of a payment, or of a permission to charge."""

    at: datetime
    text: str
    note: str
    icon: str
    tone: str
    cents: int | None = None


@dataclass(frozen=True, slots=True)
class DisputeCard:
    """A dispute that still wants something of the office."""

    title: str
    reason: str
    cents: int
    due_by: datetime | None
    money_is_out: bool


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One payment with everything that became of it."""

    row: PaymentRow
    parts: tuple[Part, ...]
    history: tuple[Happening, ...]
    refundable_cents: int
    refunded_cents: int
    by_hand: bool
    note: str
    payer: str
    disputes: tuple[DisputeCard, ...]


def status_badge(payment: Payment) -> Badge:
    """Return the state of a payment in a word."""
    texts: dict[str, str] = {
        Status.PROCESSING: _("Processing"),
        Status.SUCCEEDED: _("Paid"),
        Status.FAILED: _("Failed"),
        Status.PARTIALLY_REFUNDED: _("Partly refunded"),
        Status.REFUNDED: _("Refunded"),
        Status.DISPUTED: _("Disputed"),
        Status.WON: _("Dispute won"),
        Status.LOST: _("Taken back by the bank"),
        Status.REVERSED: _("Taken out"),
    }
    kind, icon = BADGES.get(payment.status, ("", ""))
    return Badge(texts[payment.status], kind, icon)


def make_row(payment: Payment) -> PaymentRow:
    """Return the line of a payment read with bill_to."""
    return PaymentRow(
        id=payment.pk,
        customer_id=payment.bill_to_id,
        customer_name=payment.bill_to.name,
        at=payment.succeeded_at or payment.initiated_at,
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        method=method_words(payment.method),
        receipt_no=payment.receipt_no or "",
        badge=status_badge(payment),
    )


def list_payments(chosen: str, page: str) -> tuple[Page[Payment], list[PaymentRow]]:
    """Return one page of payments, newest first, and its lines."""
    rows: QuerySet[Payment] = Payment.objects.filter(FILTERS[chosen]).select_related("bill_to")
    found = Paginator(rows.order_by("-created_at", "-id"), PAGE_SIZE).get_page(page)
    return found, [make_row(payment) for payment in found.object_list]


def make_payment_page(payment: Payment) -> PaymentPage:
    """Return a payment's page."""
    refunds = list(payment.refunds.order_by("id"))
    disputes = list(payment.disputes.order_by("id"))
    return PaymentPage(
        row=make_row(payment),
        parts=tuple(make_parts(payment)),
        history=tuple(_history(payment, refunds, disputes)),
        refundable_cents=refundable_cents(payment),
        refunded_cents=payment.refunded_cents,
        by_hand=payment.origin == Payment.Origin.OFFICE,
        note=payment.note,
        payer=payer_words(payment),
        disputes=tuple(_card(dispute) for dispute in disputes if dispute.is_open),
    )


def payer_words(payment: Payment) -> str:
    """Return who paid: a person who signed in, whoever used a link as they called themselves, or autopay."""
    attempt = payment.attempt
    if attempt is None:
        return ""
    if attempt.portal_user:
        return attempt.portal_user.display_name or attempt.portal_user.email
    if attempt.mandate_id:
        return _("Autopay")
    if not attempt.payer_name:
        return ""
    return _("%(name)s (%(email)s), by link") % {"name": attempt.payer_name, "email": attempt.payer_email}


def refundable_cents(payment: Payment) -> int:
    """Return what can still be given back; nothing while the payer's bank decides, or once it has taken it (F20)."""
    if any(dispute.blocks_refund for dispute in payment.disputes.all()):
        return 0
    left = payment.received_cents - payment.refunded_cents - payment.disputed_out_cents
    return max(0, min(left, sum(line.amount_cents for line in refundable_lines(payment))))


def make_parts(payment: Payment) -> list[Part]:
    """Return what can still be refunded out of each invoice and of credit."""
    lines = refundable_lines(payment)
    free = _("Deposit") if deposit_of(payment) else _("Credit")
    numbers = dict(Invoice.objects.filter(pk__in=[line.invoice_id for line in lines]).values_list("pk", "number"))
    return [
        Part(
            _("Invoice %(number)s") % {"number": numbers[line.invoice_id]} if line.invoice_id else free,
            line.amount_cents,
        )
        for line in lines
    ]


def _history(payment: Payment, refunds: list[Refund], disputes: list[Dispute]) -> list[Happening]:
    arrived = payment.succeeded_at
    found = []
    if arrived:
        note = method_words(payment.method)
        found.append(Happening(arrived, _("Payment received"), note, "check", "done", payment.received_cents))
    found += [_refund_entry(refund) for refund in refunds]
    found += [_dispute_entry(dispute) for dispute in disputes]
    return sorted(found, key=lambda entry: entry.at)


def _refund_entry(refund: Refund) -> Happening:
    texts: dict[str, str] = {
        Refund.State.REQUESTED: _("Refund asked for – waiting for Stripe"),
        Refund.State.PENDING: _("Refund on its way"),
        Refund.State.REQUIRES_ACTION: _("Refund waits for the customer’s bank details"),
        Refund.State.SUCCEEDED: _("Refunded"),
        Refund.State.FAILED: _("Refund failed – the money is back"),
        Refund.State.CANCELED: _("Refund canceled"),
    }
    if refund.origin == Refund.Origin.CORRECTION:
        texts[Refund.State.SUCCEEDED] = _("Taken out")
    if refund.state == Refund.State.FAILED and refund.stripe_refund_id is None:
        texts[Refund.State.FAILED] = _("Stripe refused the refund")
    origin = _("Made in the Stripe dashboard") if refund.origin == Refund.Origin.DASHBOARD else ""
    note = " · ".join(part for part in (origin or reason_words(refund.reason), refund.note) if part)
    ended = refund.state in Refund.ENDED
    tone = "bad" if ended else "done" if refund.state == Refund.State.SUCCEEDED else "now"
    cents = None if ended else -refund.amount_cents
    return Happening(refund.created_at, texts[refund.state], note, "rotate-ccw", tone, cents)


def _dispute_entry(dispute: Dispute) -> Happening:
    cents = -dispute.withdrawn_cents if dispute.withdrawn_cents else None
    tone = "bad" if dispute.withdrawn_cents else "done" if not dispute.is_open else "now"
    note = dispute_words.reason_words(dispute.reason)
    return Happening(dispute.opened_at, dispute_words.state_words(dispute), note, "triangle-alert", tone, cents)


def _card(dispute: Dispute) -> DisputeCard:
    return DisputeCard(
        title=dispute_words.state_words(dispute),
        reason=dispute_words.reason_words(dispute.reason),
        cents=dispute.amount_cents,
        due_by=dispute.due_by if dispute.status.endswith("needs_response") else None,
        money_is_out=dispute.withdrawn_cents > 0,
    )


def reason_words(reason: str) -> str:
    """Return why something was refunded."""
    texts: dict[str, str] = {
        Refund.Reason.CUSTOMER: _("The customer asked for it"),
        Refund.Reason.DUPLICATE: _("Paid twice"),
        Refund.Reason.GOODWILL: _("Goodwill"),
        Refund.Reason.MISTAKE: _("Recorded by mistake"),
        Refund.Reason.OTHER: _("Another reason"),
    }
    return texts[reason]


def refund_summary(lines: list[dict[str, Any]], currency: str) -> list[str]:
    """Return what a refund will do, one sentence for each part."""
    sentences = []
    for line in lines:
        amount = format_money(line["cents"], currency)
        if line["invoice"] is None:
            sentences.append(_("%(amount)s out of the customer’s credit or deposit.") % {"amount": amount})
        elif line["keeps_paid"]:
            words = _("%(what)s stays paid; %(amount)s is written off as goodwill.")
            sentences.append(words % {"what": line["text"], "amount": amount})
        else:
            words = _("%(what)s is due again by %(amount)s.")
            sentences.append(words % {"what": line["text"], "amount": amount})
    return sentences


def payment_url(payment_id: UUID) -> str:
    """Return the address of a payment's page."""
    return reverse("office:payment_detail", args=[payment_id])
