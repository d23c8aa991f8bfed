"""When cards on file expire, and whom to warn: thirty and seven days before (P-11)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime

from portal.payments.models import PaymentMethod
from tenants.config.registry import CARDS_EXPIRY_NOTICE
from tenants.context import TenantContext
from tenants.outbox import emit

NOTICES = (7, 30)


def last_day(row: PaymentMethod) -> date | None:
    """Return the last day on which a card can be used; None for a bank account. Pure."""
    if not row.exp_year or not row.exp_month:
        return None
    return date(row.exp_year, row.exp_month, monthrange(row.exp_year, row.exp_month)[1])


def days_left(row: PaymentMethod, today: date) -> int | None:
    """Return for how many days a card can still be used; below zero it has expired. Pure."""
    day = last_day(row)
    return (day - today).days if day else None


def warn_of_expiries(*, context: TenantContext, now: datetime) -> int:
    """Have each card's two warnings mailed, each once, under the company's setting; return how many cards are near."""
    if not context.settings.get(CARDS_EXPIRY_NOTICE):
        return 0
    today = now.astimezone(context.tenant.zone).date()
    near = 0
    rows = PaymentMethod.objects.filter(
        state=PaymentMethod.State.ACTIVE, kind=PaymentMethod.Kind.CARD, exp_year__in=(today.year, today.year + 1)
    )
    for row in rows.order_by("pk"):
        left = days_left(row, today)
        if left is None or not 0 <= left <= NOTICES[-1]:
            continue
        near += 1
        notice = next(days for days in NOTICES if left <= days)
        month = [row.exp_year, row.exp_month]
        payload = {"method": str(row.pk), "month": month}
        key = f"expires:{row.pk}:{row.exp_year}-{row.exp_month}:{notice}"
        emit("payment_method.expires", key=key, payload=payload, now=now)
    return near
