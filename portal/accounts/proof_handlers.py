"""Mails the code with which somebody signed in proves anew who they are; minted when the mail leaves (S9)."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import LoginToken, PortalSession
from portal.accounts.proofs import ASKED, CODE_LIVES, browser_of
from portal.accounts.tokens import mint_token
from portal.accounts.viewer import may_sign_in
from portal.messaging.services import Related, reader_of, send_message, was_sent
from portal.ui.formats import format_clock
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


@handles(ASKED)
def mail_proof_code(context: TenantContext, event: OutboxEvent) -> None:
    """Mail a code to the stored address of whoever asked, unless their session or access has ended since."""
    session = PortalSession.objects.select_related("portal_user").filter(pk=UUID(event.payload["session"])).first()
    if session is None or session.ended_at or not may_sign_in(session.portal_user) or was_sent(event.key):
        return
    user, now = session.portal_user, timezone.now()
    minted = mint_token(
        purpose=LoginToken.Purpose.PROOF,
        email=user.email,
        portal_user=user,
        lifetime=CODE_LIVES,
        browser_hash=browser_of(session.pk),
        now=now,
    )
    if not minted.code:
        return
    page = reverse("accounts:proof", urlconf="config.urls_tenant")
    names = {"company": context.tenant.display_name}
    language = user.language or event.payload["language"]
    with reader_of(context.tenant, language):
        until = {"time": format_clock(minted.row.expires_at)}
        subject = _("Your code for %(company)s") % names
        values = {
            "preheader": _("Type it on the page where you asked for it."),
            "heading": _("Is it you?"),
            "paragraphs": [
                _("Somebody signed in as you wants to change how you pay. This code shows that it’s you."),
                _("Not you? Then tell nobody the code, and call us."),
            ],
            "button_url": context.tenant.url(f"{page}?{urlencode({'next': event.payload['back'], 'asked': '1'})}"),
            "button_text": _("Back to the page"),
            "button_note": _("The code works until %(time)s, and only on the device that asked.") % until,
            "code_note": _("Type this code on the page where you asked for it:"),
            "reason": _("You get this because %(email)s signs in at %(company)s.") % {"email": user.email, **names},
        }
    send_message(
        context=context,
        kind="proof_code",
        to=user.email,
        language=language,
        subject=subject,
        template="email/base_email",
        values=values,
        secrets={"code": minted.code},
        event_key=event.key,
        related=Related("portal_user", user.pk),
        now=now,
    )
