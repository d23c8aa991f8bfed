"""What must be true before money may move: the environment's Stripe setup, and no open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connection

from infra.stripe_client import find_setup_problem


@register()
def check_stripe_setup(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a stand-in for Stripe together with a live key, or away from this machine."""
    problem = find_setup_problem(settings.ENV)
    return [Error(problem, id="payments.E001")] if problem else []


def is_transaction_open() -> bool:
    """Whether the product has a transaction open on this thread; the one that wraps a test does not count."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)
