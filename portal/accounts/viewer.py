"""Who looks at a customer page: a person and what they were granted, read anew in every request (AUZ-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.accounts.models import PortalUser


@dataclass(frozen=True, slots=True)
class Grant:
    """The facts of one access that decisions are made from (datamodel.md 6.1)."""

    access_id: UUID
    customer_id: UUID
    customer_name: str
    customer_number: str
    level: str
    status: str
    customer_is_locked: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person with every grant that counts now, and the account they chose to look at."""

    user: PortalUser
    session_id: UUID
    grants: tuple[Grant, ...]
    chosen: Grant | None
    proved_at: datetime

    @property
    def must_choose(self) -> bool:
        """Whether the person acts for several customers and has not said for which (AUN-22)."""
        return self.chosen is None and len(self.grants) > 1

    @property
    def shown_grants(self) -> tuple[Grant, ...]:
        """Return the grants that lists and sums cover: those of the chosen account."""
        return (self.chosen,) if self.chosen else self.grants


def usable_grants(user: PortalUser) -> tuple[Grant, ...]:
    """Return the person's active accesses to customers that are not locked; one query."""
    accesses = user.accesses.filter(
        status="active", customer__portal_locked=False, customer__archived_at=None, customer__merged_into=None
    )
    return tuple(
        Grant(
            access_id=access.pk,
            customer_id=access.customer_id,
            customer_name=access.customer.name,
            customer_number=access.customer.number,
            level=access.level,
            status=access.status,
            customer_is_locked=access.customer.portal_locked,
        )
        for access in accesses.select_related("customer").order_by("customer__name", "customer_id")
    )


def may_sign_in(user: PortalUser) -> bool:
    """Whether a link may sign this person in: active, with an invited or active access to an unlocked customer."""
    if user.status != PortalUser.Status.ACTIVE:
        return False
    return user.accesses.filter(
        status__in=("invited", "active"),
        customer__portal_locked=False,
        customer__archived_at=None,
        customer__merged_into=None,
    ).exists()
