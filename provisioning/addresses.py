"""Addresses below the base domain: held for half an hour, given for good; the primary key decides races (HOST-05)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from tenants.models import Hostname
from tenants.slugs import alternatives

HOLD = timedelta(minutes=30)


class AddressTaken(Exception):
    """Somebody else has the address, or holds it at this moment."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"{slug} is not available.")
        self.slug = slug


_HOLD = """
INSERT INTO tenants_hostname (name, kind, state, is_primary, held_for, expires_at)
VALUES (%(name)s, 'slug', 'held', false, %(holder)s, %(until)s)
ON CONFLICT (name) DO UPDATE SET held_for = excluded.held_for, expires_at = excluded.expires_at
   WHERE tenants_hostname.state = 'held'
     AND (tenants_hostname.expires_at <= %(now)s OR tenants_hostname.held_for = excluded.held_for)
RETURNING name
"""


def hold_address(*, slug: str, holder: UUID, now: datetime) -> datetime:
    """Hold an address for 30 minutes and let go of the holder's former one; raises AddressTaken.

    Runs in the caller's control transaction: of two holders at once the second waits and then is refused.
    """
    until = now + HOLD
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"name": slug, "holder": holder, "until": until, "now": now})
        if cursor.fetchone() is None:
            raise AddressTaken(slug)
    Hostname.objects.filter(held_for=holder, state=Hostname.State.HELD).exclude(name=slug).delete()
    return until


def let_go(*, holder: UUID) -> None:
    """Give back whatever the holder holds; what has become a company's is not touched."""
    Hostname.objects.filter(held_for=holder, state=Hostname.State.HELD).delete()


def held_until(*, slug: str, holder: UUID) -> datetime | None:
    """Return until when the holder has the address, or None."""
    held = Hostname.objects.filter(name=slug, held_for=holder, state=Hostname.State.HELD)
    return held.values_list("expires_at", flat=True).first()


def free_addresses(*, wishes: Iterable[str], holder: UUID | None, now: datetime) -> list[str]:
    """Return those of the wishes that could be held now, in their order."""
    listed = list(wishes)
    taken = Hostname.objects.filter(name__in=listed).exclude(
        Q(state=Hostname.State.HELD) & (Q(expires_at__lte=now) | Q(held_for=holder))
    )
    gone = set(taken.values_list("name", flat=True))
    return [wish for wish in listed if wish not in gone]


def propose_addresses(
    *, wish: str, hints: Iterable[str], holder: UUID | None, now: datetime, count: int = 3
) -> list[str]:
    """Return free addresses near a wish, best first."""
    return free_addresses(wishes=alternatives(wish, hints=hints), holder=holder, now=now)[:count]
