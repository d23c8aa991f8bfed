"""Mails about disputes and bank returns: to the office what to do by when, to the payer what is due again."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from portal.invoices.models import Invoice
from portal.messaging.services import Related, reader_of, was_sent
from portal.payments.dispute_words import reason_words
from portal.payments.models import Dispute
from portal.payments.readers import Letter, payer_of, send_letter, tell_office
from portal.payments.refund_handlers import office_letter
from portal.ui.formats import format_money, format_weekday_date
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles("payment.disputed")
def tell_of_dispute(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office, and the payer when the bank has taken back a bank payment; each once."""
    dispute = Dispute.objects.select_related("payment__bill_to", "payment__attempt__portal_user").get(
        pk=UUID(event.payload["dispute"])
    )
    about = Related("payment", dispute.payment_id)
    stage, is_return = event.payload["stage"], event.payload["is_return"]
    tell_office(
        context,
        event,
        make=lambda: dispute_letter(context, dispute, stage, is_return=is_return),
        kind="dispute",
        about=about,
    )
    payer = payer_of(dispute.payment)
    if not is_return or payer is None or was_sent(event.key):
        return
    with reader_of(context.tenant, payer.language):
        letter = return_letter(context, dispute)
    send_letter(context, event, to=payer, letter=letter, kind="payment_returned", about=about)


def dispute_letter(context: TenantContext, dispute: Dispute, stage: str, *, is_return: bool) -> Letter:
    """Return the office's letter about a stage of a dispute, in the active language and time zone."""
    payment = dispute.payment
    names = {"amount": format_money(dispute.amount_cents, dispute.currency), "name": payment.bill_to.name}
    due_by = format_weekday_date(dispute.due_by, "full") if dispute.due_by else ""
    if is_return:
        subject = _("The bank took back %(amount)s from %(name)s") % names
        text = _("The payment went through first and was returned afterwards. This cannot be contested.")
        todo = _("What it had paid is due again.")
    elif stage == "closed" and dispute.status == "lost":
        subject = _("Dispute lost: %(amount)s from %(name)s") % names
        text, todo = _("The bank decided for the customer."), _("What the payment had paid stays due.")
    elif stage == "closed":
        subject = _("Dispute ended: %(amount)s from %(name)s stays paid") % names
        text, todo = _("The bank decided for you, or the customer gave up."), _("There is nothing more to do.")
    elif stage == "inquiry":
        subject = _("The bank of %(name)s asks about %(amount)s") % names
        text = _("No money has moved yet. An answer, or a refund, can keep it from becoming a dispute.")
        todo = _("Answer in your Stripe dashboard by %(date)s.") % {"date": due_by}
    else:
        subject = _("%(name)s disputes %(amount)s") % names
        text = _("The bank has taken the money back until it decides. What it had paid is due again.")
        todo = _("Answer in your Stripe dashboard by %(date)s, or the money is lost.") % {"date": due_by}
    facts = (
        (_("Amount"), names["amount"]),
        (_("Customer"), names["name"]),
        (_("The bank’s reason"), reason_words(dispute.reason)),
        (_("Answer by"), due_by if dispute.is_open else ""),
    )
    return office_letter(context, payment, subject=subject, text=text, todo=todo, facts=facts)


def return_letter(context: TenantContext, dispute: Dispute) -> Letter:
    """Return the payer's letter about a payment that their bank has taken back."""
    payment = dispute.payment
    amount = format_money(dispute.amount_cents, dispute.currency)
    numbers = sorted(set(_reopened_by(dispute)))
    again = _("Invoice %(numbers)s is due again by this amount.") % {"numbers": ", ".join(numbers)} if numbers else ""
    company = context.tenant.display_name
    return Letter(
        subject=_("Your bank took back your payment of %(amount)s") % {"amount": amount},
        preheader=_("Your payment to %(company)s was returned.") % {"company": company},
        heading=_("Your payment of %(amount)s was returned") % {"amount": amount},
        paragraphs=tuple(
            text for text in (again, _("You can pay with another method, or call us if this surprises you.")) if text
        ),
        facts=(
            (_("The bank’s reason"), reason_words(dispute.reason)),
            (_("Of receipt no."), payment.receipt_no or ""),
        ),
        button_url=context.tenant.url("/"),
        button_text=_("See your account"),
        reason=_("You get this mail because you paid %(company)s.") % {"company": company},
    )


def _reopened_by(dispute: Dispute) -> list[str]:
    touched = Invoice.objects.filter(journal__payment=dispute.payment_id, journal__kind="dispute")
    return list(touched.values_list("number", flat=True))
