"""What a person may see and do for a customer: pure decisions with their reasons (datamodel.md 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from portal.accounts.viewer import Grant

Level = Literal["none", "non_billing", "billing"]


@dataclass(frozen=True, slots=True)
class Allow:
    """It may be seen or done."""

    allowed: Literal[True] = True


@dataclass(frozen=True, slots=True)
class Deny:
    """It may not; `reason` is for the office, never for the person who asked."""

    reason: str
    allowed: Literal[False] = False


Decision = Allow | Deny


def level(grant: Grant | None) -> Level:
    """Return the effective level of a grant; whatever is missing or unclear counts as none (X-14)."""
    if grant is None or grant.status != "active" or grant.customer_is_locked:
        return "none"
    if grant.level == "billing":
        return "billing"
    return "non_billing" if grant.level == "non_billing" else "none"


def may_see_billing(grant: Grant | None) -> Decision:
    """Decide on invoices, balance and payments of the customer (VIS-12)."""
    found = level(grant)
    if found == "billing":
        return Allow()
    return Deny("no access to this customer" if found == "none" else "access without billing")


def billing_customers(grants: Iterable[Grant]) -> tuple[UUID, ...]:
    """Return the customers whose billing records the grants open."""
    return tuple(grant.customer_id for grant in grants if may_see_billing(grant).allowed)
