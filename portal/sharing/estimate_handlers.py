"""Mails about estimates: the estimate with its link, the signed copy, and what the office must know (SHARE-10)."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from portal.accounts.staff_permissions import Permission
from portal.estimates.models import Estimate, EstimateDecision
from portal.estimates.pages import estimate_page
from portal.estimates.pdf import pdf_name, render_estimate_pdf
from portal.estimates.policy import shown_for
from portal.estimates.services.deciding import ASKED_AGAIN, DECIDED
from portal.invoices.selectors import company_day
from portal.messaging.services import Attachment, Related, reader_of, send_message, was_sent
from portal.payments.readers import tell_office
from portal.settings.brand import load_brand
from portal.sharing import estimate_letters
from portal.sharing.link_mail import mail_link, read_sender
from portal.sharing.links import mint_link
from portal.sharing.models import ShareLink
from portal.sharing.services import ESTIMATE_SENT, addresses_of
from tenants.audit import Actor
from tenants.config.registry import SHARE_ESTIMATE_DAYS
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent

APPROVE = EstimateDecision.Kind.APPROVE


@handles(ESTIMATE_SENT)
def mail_estimate(context: TenantContext, event: OutboxEvent) -> None:
    """Mail an estimate with a link to it, unless it was canceled or replaced since."""
    asked = event.payload
    estimate_id = UUID(asked["estimate"])
    if Estimate.objects.filter(pk=estimate_id, current=asked["version"]).exists():
        mail_estimate_link(context, event, estimate_id, asked["to"], read_sender(asked["by"]), fresh=False)


def mail_estimate_link(
    context: TenantContext, event: OutboxEvent, estimate_id: UUID, to: str, by: Actor, *, fresh: bool
) -> None:
    """Mail a link to an estimate: it is minted here and stands in the mail only (AUN-16)."""
    estimate = _estimate(estimate_id)
    if was_sent(event.key) or to not in addresses_of(estimate.customer_id):
        return
    if not shown_for([estimate.customer_id]).filter(pk=estimate.pk).exists():
        return
    now = timezone.now()
    days = context.settings.get(SHARE_ESTIMATE_DAYS)
    minted = mint_link(estimate=estimate, channel=ShareLink.Channel.EMAIL, recipient=to, days=days, by=by, now=now)
    language = estimate.customer.language
    with reader_of(context.tenant, language):
        page = estimate_page(estimate, today=company_day(context.tenant, now))
        values = estimate_letters.sent_letter(context, page, minted.row, fresh=fresh)
    mail_link(
        context=context,
        event=event,
        kind="fresh_share_link" if fresh else "estimate",
        to=to,
        language=language,
        values=values,
        token=minted.token,
        about=Related("estimate", estimate.pk),
        now=now,
    )


@handles(DECIDED)
def tell_of_decision(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office what the customer answered, and the approver the signed copy; each once."""
    estimate, kind = _estimate(UUID(event.payload["estimate"])), event.payload["kind"]
    decision = EstimateDecision.objects.select_related("signature").get(
        estimate=estimate, kind=kind, version=event.payload["version"]
    )
    tell_office(
        context,
        event,
        make=lambda: estimate_letters.decision_letter(context, estimate, decision),
        kind="estimate_answered",
        about=Related("estimate", estimate.pk),
        permission=Permission.SEND_ESTIMATES,
    )
    if kind == APPROVE and not was_sent(event.key):
        _mail_signed(context, event, estimate, decision)


def _mail_signed(context: TenantContext, event: OutboxEvent, estimate: Estimate, decision: EstimateDecision) -> None:
    """Mail the signed copy to whoever signed, or to the customer where the signer has no address here."""
    known = addresses_of(estimate.customer_id)
    signer = decision.signature.signer_email if decision.signature else ""
    email = signer or (known[0] if known else "")
    if not email:
        return
    now, language = timezone.now(), estimate.customer.language
    with reader_of(context.tenant, language):
        page = estimate_page(estimate, today=company_day(context.tenant, now))
        values = estimate_letters.signed_letter(context, page)
        pdf = Attachment(pdf_name(page), "application/pdf", render_estimate_pdf(page, load_brand(context.tenant)))
    send_message(
        context=context,
        kind="estimate_signed",
        to=email,
        language=language,
        subject=values["subject"],
        template="email/base_email",
        values=values,
        event_key=event.key,
        related=Related("estimate", estimate.pk),
        attachments=[pdf],
        now=now,
    )


@handles(ASKED_AGAIN)
def tell_of_wish(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office that an expired estimate is wanted anew."""
    estimate = _estimate(UUID(event.payload["estimate"]))
    tell_office(
        context,
        event,
        make=lambda: estimate_letters.wish_letter(context, estimate),
        kind="estimate_again",
        about=Related("estimate", estimate.pk),
        permission=Permission.SEND_ESTIMATES,
    )


def _estimate(estimate_id: UUID) -> Estimate:
    return Estimate.objects.select_related("customer", "location").get(pk=estimate_id)
