"""How a company stands with us, in the console's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from billing.rows import trial_end_of
from billing.standing import decide_standing
from portal.ui.formats import format_weekday_date
from tenants.models import Subscription, Tenant


def billing_facts(found: Tenant, now: datetime) -> list[dict[str, Any]]:
    """Return the mirror of Stripe, the trial and the step of the reminders as label and value."""
    row = Subscription.objects.filter(tenant=found).first()
    ends = row.trial_ends_at if row else trial_end_of(found)
    status = row.status if row else ""
    words = {"trial": _("In its trial"), "paying": _("Paying"), "owing": _("Owing")}
    standing = words[decide_standing(status=status, trial_ends_at=ends, now=now)]
    facts = [
        {"label": _("Bill"), "value": f"{standing} ({status})" if status else standing},
        {"label": _("Trial ends"), "value": format_weekday_date(ends, "full_year")},
    ]
    if row and row.current_period_end:
        facts.append({"label": _("Paid until"), "value": format_weekday_date(row.current_period_end, "full_year")})
    if row and row.owing_since:
        since = format_weekday_date(row.owing_since, "full_year")
        value = _("since %(date)s, notices: %(n)s") % {"date": since, "n": row.notices}
        facts.append({"label": _("Unpaid"), "value": value})
    if row and row.stripe_customer_id:
        facts.append({"label": _("Customer at Stripe"), "value": row.stripe_customer_id})
    return facts
