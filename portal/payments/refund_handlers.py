"""Mails about money that goes back: to the customer when it is made, to the office when it fails or is lost."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.invoices.methods import method_words
from portal.invoices.models import Invoice
from portal.messaging.services import Related, reader_of, was_sent
from portal.payments.models import Payment, Refund, RefundProposal
from portal.payments.readers import Letter, payer_of, send_letter, tell_office
from portal.ui.formats import format_money
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles("refund.made")
def tell_customer(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the payer that money is on its way back, and what is due again because of it."""
    refund = Refund.objects.select_related("payment__attempt__portal_user", "payment__bill_to").get(
        pk=UUID(event.payload["refund"])
    )
    to = payer_of(refund.payment)
    if to is None or was_sent(event.key):
        return
    with reader_of(context.tenant, to.language):
        letter = refund_letter(context, refund)
    send_letter(context, event, to=to, letter=letter, kind="refund", about=Related("payment", refund.payment_id))


def refund_letter(context: TenantContext, refund: Refund) -> Letter:
    """Return the customer's letter about a refund, in the active language and time zone."""
    payment = refund.payment
    amount = format_money(refund.amount_cents, refund.currency)
    by_stripe = payment.stripe_pi_id is not None
    arrives = (
        _("It goes back to where it came from. Banks take 5 to 10 business days to show it.")
        if by_stripe
        else _("It was handed back to you directly.")
    )
    reopened = sorted(_names_of(refund, "reopen"))
    again = _("Invoice %(numbers)s is due again by this amount.") % {"numbers": ", ".join(reopened)} if reopened else ""
    kept = sorted(_names_of(refund, "keep"))
    settled = _("Invoice %(numbers)s stays paid.") % {"numbers": ", ".join(kept)} if kept else ""
    company = context.tenant.display_name
    return Letter(
        subject=_("Refund of %(amount)s") % {"amount": amount},
        preheader=_("%(company)s gives %(amount)s back to you.") % {"company": company, "amount": amount},
        heading=_("%(amount)s is on its way back to you") % {"amount": amount},
        paragraphs=tuple(text for text in (arrives, again, settled) if text),
        facts=(
            (_("Refunded"), amount),
            (_("To"), method_words(payment.method)),
            (_("Of receipt no."), payment.receipt_no or ""),
        ),
        button_url=context.tenant.url("/"),
        button_text=_("See your account"),
        reason=_("You get this mail because you paid %(company)s.") % {"company": company},
    )


def _names_of(refund: Refund, effect: str) -> list[str]:
    """Return the numbers of the invoices that a refund reopened, or left settled."""
    kind = {"reopen": "refund", "keep": "credit_note"}
    source = refund.stripe_refund_id or str(refund.pk)
    touched = Invoice.objects.filter(journal__source_type="refund", journal__source_id=source)
    noted = set(touched.filter(journal__kind="credit_note").values_list("number", flat=True))
    found = set(touched.filter(journal__kind=kind[effect]).values_list("number", flat=True))
    return list(found & noted if effect == "keep" else found - noted)


@handles("refund.failed")
def tell_office_of_failure(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office that a refund came back: somebody has to find another way to pay it (F18)."""
    refund = Refund.objects.select_related("payment__bill_to").get(pk=UUID(event.payload["refund"]))

    def letter() -> Letter:
        amount = format_money(refund.amount_cents, refund.currency)
        name = refund.payment.bill_to.name
        return office_letter(
            context,
            refund.payment,
            subject=_("A refund of %(amount)s came back") % {"amount": amount},
            text=_("The bank of %(name)s did not take the refund. The money is in your Stripe balance again.")
            % {"name": name},
            todo=_("What was refunded counts as paid again. Ask the customer how to send the money instead."),
            facts=((_("Refund"), amount), (_("Customer"), name)),
        )

    tell_office(context, event, make=letter, kind="refund_failed", about=Related("payment", refund.payment_id))


@handles("payment.loss")
def tell_office_of_loss(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office that money left which belonged to no invoice any more (F26)."""
    payment = Payment.objects.select_related("bill_to").get(pk=UUID(event.payload["payment"]))

    def letter() -> Letter:
        amount = format_money(event.payload["amount_cents"], payment.currency)
        return office_letter(
            context,
            payment,
            subject=_("%(amount)s went out twice") % {"amount": amount},
            text=_("This payment was refunded, and the bank took it back as well."),
            todo=_("Ask %(name)s to send the second amount back to you.") % {"name": payment.bill_to.name},
            facts=((_("Lost"), amount), (_("Customer"), payment.bill_to.name)),
        )

    tell_office(context, event, make=letter, kind="payment_loss", about=Related("payment", payment.pk))


def office_letter(
    context: TenantContext, payment: Payment, *, subject: str, text: str, todo: str, facts: tuple[tuple[str, str], ...]
) -> Letter:
    """Return a letter to the office about one payment: what happened, what to do."""
    url = context.tenant.url(reverse("office:payment_detail", args=[payment.pk], urlconf="config.urls_tenant"))
    return Letter(
        subject=subject,
        preheader=text,
        heading=subject,
        paragraphs=(text, todo),
        facts=(*facts, (_("Receipt no."), payment.receipt_no or "")),
        button_url=url,
        button_text=_("Open the payment"),
        reason=_("You get this mail because you look after payments at %(company)s.")
        % {"company": context.tenant.display_name},
    )


@handles("payment.differences")
def tell_office_of_differences(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office once a night that the books and Stripe disagree (PAY-14)."""
    tell_office(context, event, make=lambda: differences_letter(context, event.payload["count"]), kind="differences")


def differences_letter(context: TenantContext, count: int) -> Letter:
    """Return the office's letter about what the nightly comparison found."""
    subject = ngettext(
        "%(n)s difference between your books and Stripe",
        "%(n)s differences between your books and Stripe",
        count,
    ) % {"n": count}
    return Letter(
        subject=subject,
        preheader=_("Last night’s comparison found something to look into."),
        heading=subject,
        paragraphs=(
            _("Last night’s comparison found something to look into."),
            _("No money was moved or corrected. Open the list, look into each one and write down why."),
        ),
        facts=(),
        button_url=context.tenant.url(reverse("office:payment_differences", urlconf="config.urls_tenant")),
        button_text=_("Open the differences"),
        reason=_("You get this mail because you look after payments at %(company)s.")
        % {"company": context.tenant.display_name},
    )


@handles("refund.proposed")
def ask_second_person(context: TenantContext, event: OutboxEvent) -> None:
    """Mail everybody else who may decide that a refund waits for one of them (PAY-16)."""
    proposal = RefundProposal.objects.select_related("payment__bill_to").get(pk=UUID(event.payload["proposal"]))
    if proposal.state != RefundProposal.State.WAITING:
        return
    url = context.tenant.url(reverse("office:payment_proposal", args=[proposal.pk], urlconf="config.urls_tenant"))

    def letter() -> Letter:
        amount = format_money(proposal.amount_cents, proposal.currency)
        name = proposal.payment.bill_to.name
        text = _("%(who)s asks for a refund. A second person decides.") % {"who": proposal.proposed_by_name}
        subject = _("Refund %(amount)s to %(name)s?") % {"amount": amount, "name": name}
        todo = _("Nothing is refunded before somebody else has approved it.")
        about_payment = office_letter(
            context, proposal.payment, subject=subject, text=text, todo=todo, facts=((_("Customer"), name),)
        )
        return replace(about_payment, button_url=url, button_text=_("Decide"))

    about = Related("payment", proposal.payment_id)
    tell_office(context, event, make=letter, kind="refund_proposed", about=about, but=proposal.proposed_by)
