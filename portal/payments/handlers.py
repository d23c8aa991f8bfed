"""Effects of payments outside the database: the receipt, one per payment (PAY-22, F9)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.estimates.models import Estimate
from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.messaging.services import Related, reader_of, send_message, was_sent
from portal.payments.bills import deposit_words
from portal.payments.deposits import estimate_of
from portal.payments.ledger import payable_cents
from portal.payments.models import Payment
from portal.payments.readers import payer_of
from portal.ui.formats import format_clock, format_money, format_weekday_date
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles("payment.succeeded")
def mail_receipt(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the receipt to whoever paid; a second delivery of the event finds it sent."""
    payment = Payment.objects.select_related("attempt__portal_user", "bill_to").get(pk=UUID(event.payload["payment"]))
    to = payer_of(payment)
    if to is None or was_sent(event.key):
        return
    with reader_of(context.tenant, to.language):
        values = receipt_values(context, payment)
        subject = _("Receipt %(number)s: %(amount)s paid") % {
            "number": payment.receipt_no,
            "amount": format_money(payment.received_cents, payment.currency),
        }
    send_message(
        context=context,
        kind="receipt",
        to=to.email,
        language=to.language,
        subject=subject,
        template="email/receipt",
        values=values,
        event_key=event.key,
        related=Related("payment", payment.pk),
        now=timezone.now(),
    )


def receipt_values(context: TenantContext, payment: Payment) -> dict[str, object]:
    """Return heading, sentences and facts of a receipt, in the active language and time zone."""
    assert payment.succeeded_at
    amount = format_money(payment.received_cents, payment.currency)
    invoices = list(Invoice.objects.filter(allocations__payment=payment).distinct().order_by("number"))
    still_open = sum(payable_cents(invoice) for invoice in invoices)
    paid = [_("Invoice %(number)s") % {"number": invoice.number} for invoice in invoices]
    # What was a deposit when it came is called so for ever: the receipt says what was paid, and when.
    estimate = deposit_estimate(payment)
    if estimate:
        paid, still_open = [deposit_words(estimate.number)], 0
    excess = payment.received_cents - payment.allocated_cents
    facts: list[dict[str, Any]] = [
        {"label": _("Receipt no."), "value": payment.receipt_no},
        {"label": _("For"), "value": ", ".join(paid)},
        {"label": _("Paid"), "value": amount},
        {"label": _("Date"), "value": _date_and_time(payment)},
        {"label": _("With"), "value": method_words(payment.method)},
        {"label": _("Still open"), "value": "" if estimate else format_money(still_open, payment.currency)},
    ]
    if excess:
        facts.append({"label": _("Kept as your credit"), "value": format_money(excess, payment.currency)})
    return {
        "preheader": _("Thank you. %(amount)s has arrived.") % {"amount": amount},
        "heading": _("Thank you, %(amount)s has arrived") % {"amount": amount},
        "paragraphs": [_("This is your receipt. There is nothing more to do.")],
        "facts": [fact for fact in facts if fact["value"]],
        # Whoever paid through a link has no account here.
        "button_url": "" if payment.origin == Payment.Origin.LINK else context.tenant.url("/"),
        "button_text": _("See your account"),
        "reason": _("You get this mail because you paid %(company)s.") % {"company": context.tenant.display_name},
    }


def deposit_estimate(payment: Payment) -> Estimate | None:
    """Return the estimate whose deposit a payment was made for."""
    estimate_id = estimate_of(payment.attempt) if payment.attempt else None
    return Estimate.objects.filter(pk=estimate_id).first() if estimate_id else None


def _date_and_time(payment: Payment) -> str:
    assert payment.succeeded_at
    return f"{format_weekday_date(payment.succeeded_at, 'full_year')}, {format_clock(payment.succeeded_at)}"
