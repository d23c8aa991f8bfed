"""The words of the mails that let a customer in: invitation, sign-in link, fresh link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.models import PortalAccess
from portal.accounts.models import LoginToken
from portal.invoices.selectors import AccountFigures
from portal.ui.formats import format_clock, format_money, format_weekday_date


def invitation(
    *, access: PortalAccess, token: LoginToken, figures: AccountFigures | None, by: str, company: str
) -> dict[str, Any]:
    """Return the texts of an invitation (ENR-24, AUTH-04, AUTH-05)."""
    user = access.portal_user
    name = user.display_name.split(" ")[0] if access.customer.kind == "person" else ""
    day = format_weekday_date(token.created_at, "full")
    inviter = by or _("the office")
    return {
        "subject": _("Your customer portal at %(company)s") % {"company": company},
        "preheader": _("See your invoices and pay them in one place. No password needed."),
        "heading": _("Hello %(name)s, your portal is ready") % {"name": name} if name else _("Your portal is ready"),
        "paragraphs": [
            _(
                "See what you owe, what it was for and what you have paid, all in one place. "
                "This button signs you in. There is no password."
            )
        ],
        "button_text": _("Open your customer portal"),
        "button_note": _until(token.expires_at),
        "code_note": _code_note(token, _("type this code with your e-mail address under “I have a 6-digit code”")),
        "closing": _waiting(figures),
        "reason": _(
            "You get this because %(by)s invited %(email)s on %(day)s. Not you? Then do nothing, or tell us and we "
            "remove the address."
        )
        % {"by": inviter, "email": user.email, "day": day},
    }


def sign_in_link(*, token: LoginToken, company: str) -> dict[str, Any]:
    """Return the texts of a link that was asked for on the sign-in page (AUTH-02)."""
    return {
        "subject": _("Your sign-in link for %(company)s") % {"company": company},
        "preheader": _("One tap signs you in. No password needed."),
        "heading": _("Here is your sign-in link"),
        "paragraphs": [_("This button signs you in on the device you open it on.")],
        "button_text": _("Open your customer portal"),
        "button_note": _until_clock(token.expires_at),
        "code_note": _code_note(token, _("type this code on the page where you asked for it")),
        "reason": _("You get this because somebody typed %(email)s on our sign-in page. Not you? Then do nothing.")
        % {"email": token.email},
    }


def fresh_link(*, token: LoginToken, company: str) -> dict[str, Any]:
    """Return the texts of a link in place of one that has ended (AUTH-08)."""
    long_lived = token.purpose == LoginToken.Purpose.INVITE
    way = _("type this code with your e-mail address under “I have a 6-digit code”")
    return {
        "subject": _("Your fresh link for %(company)s") % {"company": company},
        "preheader": _("The old link has ended. This one works."),
        "heading": _("Here is a fresh link"),
        "paragraphs": [_("The link you opened can’t be used any more. This one signs you in.")],
        "button_text": _("Open your customer portal"),
        "button_note": _until(token.expires_at) if long_lived else _until_clock(token.expires_at),
        "code_note": _code_note(token, way) if long_lived else "",
        "reason": _("You get this because a link we had mailed to %(email)s was opened after it ended.")
        % {"email": token.email},
    }


def _until(moment: datetime) -> str:
    day = format_weekday_date(moment, "full")
    return _("Works until %(day)s. After that we send you a fresh one.") % {"day": day}


def _until_clock(moment: datetime) -> str:
    return _("Works until %(time)s and for one device.") % {"time": format_clock(moment)}


def _code_note(token: LoginToken, way: str) -> str:
    return _("On another device, %(way)s:") % {"way": way} if token.code_hash else ""


def _waiting(figures: AccountFigures | None) -> str:
    if figures is None or not figures.owed_cents:
        return ""
    amount = format_money(figures.owed_cents, figures.currency)
    text = ngettext(
        "Waiting for you now: one invoice, %(amount)s.",
        "Waiting for you now: %(count)s invoices, %(amount)s in total.",
        figures.open_count,
    )
    return text % {"count": figures.open_count, "amount": amount}
