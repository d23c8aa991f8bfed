"""Mails about bank debits: it has started, it has failed; the receipt comes when it has cleared (PAY-13, F16)."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.messaging.services import Related, reader_of, was_sent
from portal.payments.bills import deposit_words
from portal.payments.declines import words_for
from portal.payments.handlers import deposit_estimate
from portal.payments.links import link_to
from portal.payments.models import Payment
from portal.payments.readers import Letter, payer_of, send_letter, tell_office
from portal.payments.refund_handlers import office_letter
from portal.payments.services.posting import shares_of
from portal.payments.workdays import clears_by
from portal.ui.formats import format_money, format_weekday_date
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles("payment.processing")
def tell_of_start(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the payer that a bank debit has started, and by when it clears; this is no receipt."""
    payment = _payment(event)
    to = payer_of(payment)
    if to is None or was_sent(event.key):
        return
    with reader_of(context.tenant, to.language):
        letter = start_letter(context, payment)
    about = Related("payment", payment.pk)
    send_letter(context, event, to=to, letter=letter, kind="bank_payment_started", about=about)


@handles("payment.bank_failed")
def tell_of_failure(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the payer why a bank debit failed, with the way to pay otherwise, and the office; each once (F16)."""
    payment = _payment(event)
    about = Related("payment", payment.pk)
    tell_office(
        context,
        event,
        make=lambda: office_failure_letter(context, payment),
        kind="bank_payment_failed_office",
        about=about,
    )
    to = payer_of(payment)
    if to is None or was_sent(event.key):
        return
    with reader_of(context.tenant, to.language):
        letter = failure_letter(context, payment)
    user = payment.attempt.portal_user if payment.attempt else None
    link = link_to(context, user, _pay_path(payment), now=timezone.now())
    send_letter(context, event, to=to, letter=letter, kind="bank_payment_failed", about=about, link=link)


def _payment(event: OutboxEvent) -> Payment:
    return Payment.objects.select_related("attempt__portal_user", "bill_to").get(pk=UUID(event.payload["payment"]))


def _invoices(payment: Payment) -> list[Invoice]:
    ids = [share.invoice_id for share in shares_of(payment.attempt)] if payment.attempt else []
    return list(Invoice.objects.filter(pk__in=ids).order_by("number"))


def _numbers(payment: Payment) -> str:
    estimate = deposit_estimate(payment)
    if estimate:
        return deposit_words(estimate.number)
    return ", ".join(_("Invoice %(number)s") % {"number": invoice.number} for invoice in _invoices(payment))


def _pay_path(payment: Payment) -> str:
    """Return where what was to be paid can be paid now."""
    estimate = deposit_estimate(payment)
    if estimate:
        return reverse("deposit", args=[estimate.pk], urlconf="portal.payments.urls")
    invoices = _invoices(payment)
    if len(invoices) == 1:
        return reverse("pay", args=[invoices[0].pk], urlconf="portal.payments.urls")
    return "/"


def start_letter(context: TenantContext, payment: Payment) -> Letter:
    """Return the payer's letter about a debit that is under way, in the active language and time zone."""
    amount = format_money(payment.amount_cents, payment.currency)
    until = clears_by(timezone.localtime(payment.initiated_at).date())
    day = format_weekday_date(until, "full")
    company = context.tenant.display_name
    return Letter(
        subject=_("Your bank payment of %(amount)s has started") % {"amount": amount},
        preheader=_("It usually clears by %(day)s.") % {"day": day},
        heading=_("Your bank payment of %(amount)s has started") % {"amount": amount},
        paragraphs=(
            _("Banks take a few days. It usually clears by %(day)s; then we mail your receipt.") % {"day": day},
            _("Please don’t pay again meanwhile."),
        ),
        facts=(
            (_("For"), _numbers(payment)),
            (_("Amount"), amount),
            (_("With"), method_words(payment.method)),
            (_("Clears by"), day),
        ),
        button_url=context.tenant.url("/"),
        button_text=_("See your account"),
        reason=_("You get this mail because you paid %(company)s.") % {"company": company},
    )


def failure_letter(context: TenantContext, payment: Payment) -> Letter:
    """Return the payer's letter about a debit that the bank has refused; no receipt had been mailed (F16)."""
    amount = format_money(payment.amount_cents, payment.currency)
    company = context.tenant.display_name
    title, _text = words_for(payment.failure_code, "", str(payment.method.get("kind", "")))
    return Letter(
        subject=_("Your bank payment of %(amount)s didn’t go through") % {"amount": amount},
        preheader=_("Nothing was paid. Here is another way."),
        heading=_("Your bank payment of %(amount)s didn’t go through") % {"amount": amount},
        paragraphs=(_("Nothing was paid, and it is due as before. You can pay it another way now."),),
        facts=(
            (_("For"), _numbers(payment)),
            (_("With"), method_words(payment.method)),
            (_("The bank’s reason"), title),
        ),
        button_url=context.tenant.url(_pay_path(payment)),
        button_text=_("Pay %(amount)s another way") % {"amount": amount},
        reason=_("You get this mail because you paid %(company)s.") % {"company": company},
    )


def office_failure_letter(context: TenantContext, payment: Payment) -> Letter:
    """Return the office's letter about the same."""
    names = {"amount": format_money(payment.amount_cents, payment.currency), "name": payment.bill_to.name}
    title, _text = words_for(payment.failure_code, "", str(payment.method.get("kind", "")))
    return office_letter(
        context,
        payment,
        subject=_("Bank payment of %(amount)s from %(name)s failed") % names,
        text=_("The bank did not pay. What it was for is due as before."),
        todo=_("The customer has been told and can pay another way."),
        facts=(
            (_("For"), _numbers(payment)),
            (_("Amount"), names["amount"]),
            (_("Customer"), names["name"]),
            (_("The bank’s reason"), title),
        ),
    )
