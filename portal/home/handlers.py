"""What follows when somebody is invited or asks for a link: a token is minted and mailed, outside any transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.access.services import INVITED
from portal.accounts.asking import LINK_ENDED, LINK_REQUESTED
from portal.accounts.models import LoginToken
from portal.accounts.tokens import Minted, mint_token
from portal.accounts.viewer import may_sign_in
from portal.home import letters
from portal.home.enrolment import find_or_enrol
from portal.invoices.policy import shown_for
from portal.invoices.selectors import AccountFigures, account_figures
from portal.messaging.services import Related, reader_of, send_message, was_sent
from tenants.config.registry import INVOICES_SECTION, MAGIC_LINK_DAYS, REQUESTED_LINK_MINUTES
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent

TENANT_URLS = "config.urls_tenant"
Purpose = LoginToken.Purpose


@handles(INVITED)
def mail_invitation(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the link, button and code of an invitation, unless the access has ended since (ENR-24)."""
    if was_sent(event.key):
        return
    accesses = PortalAccess.objects.select_related("portal_user", "customer")
    access = accesses.filter(pk=event.payload["access_id"], status__in=("invited", "active")).first()
    if access is None or not may_sign_in(access.portal_user):
        return
    now = timezone.now()
    user = access.portal_user
    minted = mint_token(
        purpose=Purpose.INVITE, email=user.email, portal_user=user, lifetime=_lifetime(context, Purpose.INVITE), now=now
    )
    language = user.language or access.customer.language
    with reader_of(context.tenant, language):
        values = letters.invitation(
            access=access,
            token=minted.row,
            figures=_figures(context, access, now),
            by=event.payload["by"],
            company=context.tenant.display_name,
        )
    _send(context, event, minted, "portal_invitation", language, values, Related("portal_access", access.pk))


@handles(LINK_REQUESTED)
def mail_requested_link(context: TenantContext, event: OutboxEvent) -> None:
    """Mail a link when the typed address is one we know; nobody is told whether it was (AUTH-02, AUN-17, AUN-21)."""
    asked = event.payload
    if not asked["send"] or was_sent(event.key):
        return
    now = timezone.now()
    user = find_or_enrol(email=asked["email"], settings=context.settings, now=now)
    if user is None:
        return
    minted = mint_token(
        purpose=Purpose.EMAIL_LINK,
        email=user.email,
        portal_user=user,
        lifetime=_lifetime(context, Purpose.EMAIL_LINK),
        browser_hash=bytes.fromhex(asked["browser"]),
        deep_link=asked["next"],
        now=now,
    )
    language = user.language or asked["language"]
    with reader_of(context.tenant, language):
        values = letters.sign_in_link(token=minted.row, company=context.tenant.display_name)
    _send(context, event, minted, "sign_in_link", language, values, Related("portal_user", user.pk))


@handles(LINK_ENDED)
def mail_fresh_link(context: TenantContext, event: OutboxEvent) -> None:
    """Mail a new link in place of an ended one, to the address stored with it only (AUN-14, AUN-15)."""
    if was_sent(event.key):
        return
    old = LoginToken.objects.select_related("portal_user").filter(pk=event.payload["token_id"]).first()
    user = old.portal_user if old else None
    if old is None or user is None or old.revoked_at or user.email != old.email or not may_sign_in(user):
        return
    purpose = Purpose(old.purpose)
    minted = mint_token(
        purpose=purpose,
        email=old.email,
        portal_user=user,
        lifetime=_lifetime(context, purpose),
        with_code=purpose == Purpose.INVITE,
        deep_link=old.deep_link,
        now=timezone.now(),
    )
    language = user.language or event.payload["language"]
    with reader_of(context.tenant, language):
        values = letters.fresh_link(token=minted.row, company=context.tenant.display_name)
    _send(context, event, minted, "fresh_link", language, values, Related("portal_user", user.pk))


def _lifetime(context: TenantContext, purpose: LoginToken.Purpose) -> timedelta:
    if purpose == Purpose.INVITE:
        return timedelta(days=context.settings.get(MAGIC_LINK_DAYS))
    return timedelta(minutes=context.settings.get(REQUESTED_LINK_MINUTES))


def _figures(context: TenantContext, access: PortalAccess, now: datetime) -> AccountFigures | None:
    """Return what waits for the invited person; amounts go to people with billing access only (AUZ-04)."""
    if access.level != PortalAccess.Level.BILLING or context.settings.get(INVOICES_SECTION) == "hide":
        return None
    return account_figures(shown_for([access.customer_id], context.settings), tenant=context.tenant, now=now)


def _send(
    context: TenantContext,
    event: OutboxEvent,
    minted: Minted,
    kind: str,
    language: str,
    values: dict[str, Any],
    related: Related,
) -> None:
    link = context.tenant.url(reverse("accounts:link", urlconf=TENANT_URLS, args=[minted.token]))
    send_message(
        context=context,
        kind=kind,
        to=minted.row.email,
        language=language,
        subject=values["subject"],
        template="email/base_email",
        values=values,
        secrets={"button_url": link, "code": minted.code},
        event_key=event.key,
        related=related,
        now=timezone.now(),
    )
