"""What several pages read about credit."""

from __future__ import annotations

from uuid import UUID

from portal.payments.models import Credit


def credits_of(customer_id: UUID) -> list[Credit]:
    """Return the credits of a customer of which something is left, oldest first."""
    return list(Credit.objects.filter(customer_id=customer_id, remaining_cents__gt=0).order_by("id"))


def count_credits() -> int:
    """Return how many credits wait to be applied or given back."""
    return Credit.objects.filter(remaining_cents__gt=0).count()
