"""What payers are told: refusals, failures and changes, each as a heading and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.payments import errors
from portal.payments.declines import words_for
from portal.payments.models import PaymentAttempt
from portal.ui.formats import format_money

State = PaymentAttempt.State


@dataclass(frozen=True, slots=True)
class Notice:
    """A heading and a sentence: what happened, and what can be done."""

    title: str
    text: str


def refusal_notice(error: errors.PaymentRefused, *, currency: str, now: datetime) -> Notice:
    """Return a refusal in words."""
    if isinstance(error, errors.AmountChanged):
        return changed_notice(error.payable_cents, currency)
    if isinstance(error, errors.SomebodyIsPaying):
        return busy_notice(error.started_at, now)
    if isinstance(error, errors.NotPayable):
        return Notice(_("There is nothing left to pay"), _("This invoice is settled. Nothing was charged."))
    if isinstance(error, errors.AmountOutOfRange):
        return Notice(_("This amount can’t be paid by card"), _("Nothing was charged. Please call us."))
    if isinstance(error, errors.TooManyDeclines):
        return Notice(
            _("Too many cards were declined"), _("Nothing was charged. Try again in ten minutes, or call us.")
        )
    if isinstance(error, errors.PayerUnknown):
        return Notice(_("Check your name and e-mail address"), _("The receipt goes there. Nothing was charged."))
    if isinstance(error, errors.ProofNeeded):
        return Notice(
            _("First show that it’s you"),
            _("Nothing was charged. To keep this on file, reload the page; or untick the box and pay."),
        )
    if isinstance(error, errors.SignInNeeded):
        return sign_in_notice()
    if isinstance(error, errors.StripeIsAway):
        return not_now_notice()
    if isinstance(error, errors.MethodGone):
        return Notice(
            _("This card or account is not on file any more"), _("Nothing was charged. Choose another way to pay.")
        )
    if isinstance(error, errors.PaymentsOff):
        return off_notice()
    part = _part_notice(error, currency)
    if part:
        return part
    return Notice(*words_for("form_expired", ""))


def off_notice() -> Notice:
    """Say that cards cannot be taken at the moment."""
    return Notice(_("Card payments don’t work right now"), _("Nothing was charged. Please call us to pay."))


def sign_in_notice() -> Notice:
    """Say that a link is not enough to pay for a while (PAY-19)."""
    return Notice(
        _("Please sign in to pay"),
        _("Nothing was charged. For your protection only people who have signed in can pay right now. Or call us."),
    )


def not_now_notice() -> Notice:
    """Say that cards cannot be taken for some minutes (F23)."""
    return Notice(*words_for("not_now", ""))


def changed_notice(amount_cents: int, currency: str) -> Notice:
    """Say that the amount has changed while the payer looked at it."""
    amount = format_money(amount_cents, currency)
    return Notice(
        _("This invoice changed while you were here"),
        _("It’s now %(amount)s. Nothing was charged.") % {"amount": amount},
    )


def busy_notice(started_at: datetime, now: datetime) -> Notice:
    """Say that somebody is paying at this moment."""
    minutes = max(1, int((now - started_at).total_seconds() // 60))
    text = ngettext(
        "It started %(n)s minute ago. Please wait a moment – you won’t be charged twice.",
        "It started %(n)s minutes ago. Please wait a moment – you won’t be charged twice.",
        minutes,
    )
    return Notice(_("A payment for this invoice is being processed right now"), text % {"n": minutes})


def _part_notice(error: errors.PaymentRefused, currency: str) -> Notice | None:
    """Return why this part cannot be paid, or None when the refusal is about something else (PAY-05, PAY-06)."""
    if isinstance(error, errors.PartNotAllowed):
        return Notice(_("Only the whole amount can be paid here"), _("Nothing was charged. Please call us."))
    if isinstance(error, errors.PartUnreadable):
        return Notice(_("Check the amount"), _("Type it like 120.00. Nothing was charged."))
    if isinstance(error, errors.PartTooLarge):
        most = format_money(error.payable_cents, currency)
        return Notice(_("That is more than is due"), _("At most %(amount)s. Nothing was charged.") % {"amount": most})
    if isinstance(error, errors.PartTooSmall):
        least = format_money(error.minimum_cents, currency)
        return Notice(_("That is too little"), _("At least %(amount)s. Nothing was charged.") % {"amount": least})
    if isinstance(error, errors.LeavesTooLittle):
        names = {
            "left": format_money(error.left_cents, currency),
            "least": format_money(error.smallest_cents, currency),
        }
        text = _("%(left)s would be left, and less than %(least)s can’t be paid by card. Pay it all, or a little less.")
        return Notice(_("Too little would be left"), text % names)
    return None


def failure_notice(attempt: PaymentAttempt) -> Notice | None:
    """Return why an attempt brought no money, or None if it did or may still."""
    if attempt.state == State.EXPIRED:
        return Notice(_("The payment wasn’t finished in time"), _("Nothing was charged. You can try again."))
    if attempt.state == State.FAILED:
        return Notice(*words_for(attempt.failure_code, attempt.decline_code, attempt.method_kind))
    return None
