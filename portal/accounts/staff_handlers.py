"""Mails to staff: the link is minted when the mail leaves, so that no secret waits in the outbox (S9)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import LoginToken, StaffUser
from portal.accounts.staff_tokens import WELCOMED, mint_staff_token
from portal.messaging.services import Related, reader_of, send_message, was_sent
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent

Purpose = LoginToken.Purpose


@handles("staff.welcome")
def welcome_staff(context: TenantContext, event: OutboxEvent) -> None:
    """Mail a new staff member the way in; whoever has chosen a password meanwhile gets the address alone."""
    staff = StaffUser.objects.filter(pk=UUID(event.payload["staff_user"]), status__in=WELCOMED).first()
    if staff is None or not staff.email or was_sent(event.key):
        return
    _send(context, event, staff, Purpose.STAFF_FIRST_SIGN_IN)


@handles("staff.password_reset")
def mail_reset(context: TenantContext, event: OutboxEvent) -> None:
    """Mail a new-password link to the stored address; an unknown address ends here, unseen (AUN-17, AUN-21)."""
    staff = StaffUser.objects.filter(email=event.payload["email"], status__in=WELCOMED).first()
    if staff is None or was_sent(event.key):
        return
    _send(context, event, staff, Purpose.PASSWORD_RESET)


def _send(context: TenantContext, event: OutboxEvent, staff: StaffUser, purpose: LoginToken.Purpose) -> None:
    now = timezone.now()
    tenant = context.tenant
    has_password = purpose is Purpose.STAFF_FIRST_SIGN_IN and bool(staff.password_hash)
    if has_password:
        link = tenant.url("/office/")
    else:
        link = tenant.url(f"/office/welcome/{mint_staff_token(staff=staff, purpose=purpose, now=now)}/")
    with reader_of(tenant, staff.language):
        first_time = purpose is Purpose.STAFF_FIRST_SIGN_IN
        texts = _welcome(tenant.display_name, has_password) if first_time else _reset()
        texts["facts"] = [
            {"label": _("Your office"), "value": tenant.url("/office/")},
            {"label": _("Your customers’ portal"), "value": tenant.url("/")},
        ]
        texts["reason"] = _("You get this mail because you work at %(company)s.") % {"company": tenant.display_name}
    send_message(
        context=context,
        kind=event.type,
        to=staff.email or "",
        language=staff.language,
        subject=texts["subject"],
        template="email/staff",
        values=texts,
        secrets={"button_url": link},
        event_key=event.key,
        related=Related("staff", staff.pk),
        now=now,
    )


def _welcome(company: str, has_password: bool) -> dict[str, Any]:
    names = {"company": company}
    return {
        "subject": _("Your office at %(company)s") % names,
        "preheader": _("Sign in, import your customers, invite the first one."),
        "heading": _("%(company)s’s portal is ready") % names,
        "paragraphs": [_("This is where you import customers and invoices, invite customers and see who paid.")],
        "button_text": _("Open the office") if has_password else _("Choose your password"),
        "button_note": "" if has_password else _("The link works once and for 24 hours."),
    }


def _reset() -> dict[str, Any]:
    return {
        "subject": _("Choose a new password"),
        "preheader": _("The link works once and for one hour."),
        "heading": _("Choose a new password"),
        "paragraphs": [
            _("Somebody asked for a new password for your address. If it wasn’t you, there is nothing to do.")
        ],
        "button_text": _("Choose a new password"),
        "button_note": _("The link works once and for one hour."),
    }
