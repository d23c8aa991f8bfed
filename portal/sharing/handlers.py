"""Mails an invoice, or a fresh link to what an ended one opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils import timezone

from portal.invoices.models import Invoice
from portal.invoices.policy import shown_for
from portal.messaging.services import Related, reader_of, was_sent
from portal.sharing import letters
from portal.sharing.estimate_handlers import mail_estimate_link
from portal.sharing.link_mail import mail_link, read_sender
from portal.sharing.links import mint_link
from portal.sharing.models import ShareLink
from portal.sharing.services import INVOICE_SENT, LINK_ENDED, addresses_of
from tenants.audit import SYSTEM, Actor
from tenants.config.registry import SHARE_INVOICE_DAYS
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles(INVOICE_SENT)
def mail_invoice(context: TenantContext, event: OutboxEvent) -> None:
    """Mail an invoice with a link to it, unless it has been withdrawn since; a second delivery finds it sent."""
    asked = event.payload
    by, invoice_id = read_sender(asked["by"]), UUID(asked["invoice"])
    _mail(context, event, invoice_id, asked["to"], by, "invoice", letters.invoice_letter)


@handles(LINK_ENDED)
def mail_fresh_link(context: TenantContext, event: OutboxEvent) -> None:
    """Mail a fresh link to where the ended one went, while that address is still the customer's (AUN-14, AUN-15)."""
    old = ShareLink.objects.filter(pk=UUID(event.payload["link"]), revoked_at__isnull=True).first()
    if old is None:
        return
    if old.estimate_id:
        mail_estimate_link(context, event, old.estimate_id, old.recipient, SYSTEM, fresh=True)
        return
    assert old.invoice_id
    _mail(context, event, old.invoice_id, old.recipient, SYSTEM, "fresh_share_link", letters.fresh_letter)


def _mail(
    context: TenantContext,
    event: OutboxEvent,
    invoice_id: UUID,
    to: str,
    by: Actor,
    kind: str,
    letter: Callable[..., dict[str, Any]],
) -> None:
    invoice = Invoice.objects.select_related("bill_to", "location").filter(pk=invoice_id).first()
    if invoice is None or was_sent(event.key) or to not in addresses_of(invoice.bill_to_id):
        return
    if not shown_for([invoice.bill_to_id], context.settings).filter(pk=invoice.pk).exists():
        return
    now = timezone.now()
    days = context.settings.get(SHARE_INVOICE_DAYS)
    minted = mint_link(invoice=invoice, channel=ShareLink.Channel.EMAIL, recipient=to, days=days, by=by, now=now)
    language = invoice.bill_to.language
    with reader_of(context.tenant, language):
        values = letter(context=context, invoice=invoice, link=minted.row, now=now)
    mail_link(
        context=context,
        event=event,
        kind=kind,
        to=to,
        language=language,
        values=values,
        token=minted.token,
        about=Related("invoice", invoice.pk),
        now=now,
    )
