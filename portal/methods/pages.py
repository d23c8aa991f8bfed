"""What the pages of methods on file show, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from portal.invoices.methods import method_words
from portal.invoices.rows import Badge
from portal.methods.expiry import NOTICES, days_left
from portal.payments import ways
from portal.payments.declines import words_for
from portal.payments.models import PaymentMethod
from portal.payments.notices import Notice
from portal.payments.plans import rules_of
from tenants.config.snapshot import Snapshot
from tenants.context import TenantContext

State = PaymentMethod.State


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One method as its owner sees it."""

    id: UUID
    words: str
    note: str
    is_bank: bool
    is_default: bool
    is_usable: bool
    badge: Badge | None
    verify_url: str


def method_rows(customer_id: UUID, today: date) -> tuple[MethodRow, ...]:
    """Return what is on file of a customer, the default first."""
    rows = PaymentMethod.objects.filter(bill_to_id=customer_id, state__in=PaymentMethod.LIVE)
    return tuple(make_row(row, today) for row in rows.order_by("-is_default", "-id"))


def make_row(row: PaymentMethod, today: date) -> MethodRow:
    """Return one method; money is never shown here."""
    is_bank = row.kind == PaymentMethod.Kind.BANK
    if is_bank:
        note = row.brand
    elif row.exp_month and row.exp_year:
        note = _("Expires %(month)s/%(year)s") % {"month": f"{row.exp_month:02d}", "year": f"{row.exp_year % 100:02d}"}
    else:
        note = ""
    return MethodRow(
        id=row.pk,
        words=method_words(row.shown),
        note=note,
        is_bank=is_bank,
        is_default=row.is_default,
        is_usable=row.is_usable and not ways.has_expired(row, today),
        badge=_badge(row, today),
        verify_url=row.verify_url,
    )


def _badge(row: PaymentMethod, today: date) -> Badge | None:
    if row.state == State.VERIFYING:
        return Badge(_("Waits for verification"), "warn", "clock")
    if row.state == State.INVALID:
        return Badge(_("Can’t be used any more"), "bad", "circle-alert")
    left = days_left(row, today)
    if left is not None and left < 0:
        return Badge(_("Expired"), "bad", "circle-alert")
    if left is not None and left <= NOTICES[-1]:
        text = ngettext("Expires in %(n)s day", "Expires in %(n)s days", left) % {"n": left}
        return Badge(text if left else _("Expires today"), "warn", "triangle-alert")
    return Badge(_("Default"), "ok", "check") if row.is_default else None


def excluded_for(settings_: Snapshot, currency: str) -> list[str]:
    """Return the types that cannot be put on file: what the company does not take. Pure."""
    return ways.excluded_types(rules_of(settings_), currency)


def client_values(context: TenantContext) -> dict[str, Any]:
    """Return what the script of the add page needs; nothing of it is secret."""
    account = context.tenant.payment_account
    return {
        "mode": "setup",
        "publishableKey": settings.ENV.stripe_publishable_key,
        "account": account.account_id if account else "",
        "currency": context.tenant.currency.lower(),
        "excluded": excluded_for(context.settings, context.tenant.currency),
        "locale": get_language() or "en",
        "failed": {
            "title": _("That didn’t reach us"),
            "text": _("Press the button again; nothing is kept twice."),
            "offline": _("The form didn’t load. Reload the page, or call us."),
        },
    }


def failure_notice(row: PaymentMethod) -> Notice | None:
    """Return why an addition brought nothing, or None if it did or may still."""
    if row.state != State.FAILED:
        return None
    if row.failure_code == "expired":
        return Notice(_("This wasn’t finished in time"), _("Nothing was kept. You can try again."))
    title, _text = words_for(row.failure_code, row.decline_code, row.kind or "card")
    return Notice(title, _("Nothing was kept. Try another card or account, or call us."))
