"""What the page of the company's plan shows, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.utils.translation import gettext as _

from billing.rows import ensure_row
from billing.services.dunning import grace_of, hold_date, operators_reason
from billing.standing import LIVING, decide_standing
from tenants.models import Plan
from tenants.scope import control_scope

State = Literal["trial", "trialing", "active", "ending", "failed", "none"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan that can be chosen."""

    id: UUID
    name: str
    price_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """How the company stands with us and what it can do."""

    state: State
    name: str
    price_cents: int
    currency: str
    trial_ends_at: datetime
    days_left: int
    next_at: datetime | None
    cancels_at: datetime | None
    pauses_at: datetime | None
    is_held: bool
    held_because: str
    may_manage: bool
    offers: tuple[Offer, ...]


def make_plan_page(*, tenant_id: UUID, now: datetime) -> PlanPage:
    """Return the page as our mirror knows it."""
    row = ensure_row(tenant_id=tenant_id, now=now)
    with control_scope():
        plans = Plan.objects.filter(is_offered=True).order_by("price_cents", "name")
        offers = tuple(Offer(each.pk, each.name, each.price_cents, each.currency) for each in plans)
        pauses_at = hold_date(row, grace_of(row.tenant, now))
        held_because = operators_reason(tenant_id)
    living = row.status in LIVING
    standing = decide_standing(status=row.status, trial_ends_at=row.trial_ends_at, now=now)
    state: State = "none"
    if row.cancels_at and standing == "paying":
        state = "ending"
    elif row.status in ("trialing", "active"):
        state = "trialing" if row.status == "trialing" else "active"
    elif living:
        state = "failed"
    elif standing == "trial":
        state = "trial"
    plan = row.tenant.plan
    return PlanPage(
        state=state,
        name=plan.name,
        price_cents=plan.price_cents,
        currency=plan.currency,
        trial_ends_at=row.trial_ends_at,
        days_left=max(0, -((now - row.trial_ends_at) // timedelta(days=1))),
        next_at=row.current_period_end if living else None,
        cancels_at=row.cancels_at,
        pauses_at=pauses_at,
        is_held=row.held_at is not None,
        held_because=held_because,
        may_manage=living,
        offers=() if living else offers,
    )


def state_badge(page: PlanPage) -> dict[str, str]:
    """Return the one word for the page's state."""
    words = {
        "trial": ("info", _("Trial"), "clock"),
        "trialing": ("ok", _("Trial"), "circle-check"),
        "active": ("ok", _("Active"), "circle-check"),
        "ending": ("warn", _("Canceled"), "clock"),
        "failed": ("bad", _("Payment failed"), "triangle-alert"),
        "none": ("bad", _("No plan"), "triangle-alert"),
    }
    kind, text, icon = words[page.state]
    return {"kind": kind, "text": text, "icon": icon}
