"""What must be true before money may move: the environment's Stripe setup, and no transaction around a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connection

from infra.stripe_client import NetworkInTransaction, find_setup_problem


@register()
def check_stripe_setup(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a stand-in for Stripe together with a live key, or away from this machine."""
    problem = find_setup_problem(settings.ENV)
    return [Error(problem, id="payments.E001")] if problem else []


def leave_database() -> None:
    """Give the connection back before a call to Stripe; raises NetworkInTransaction (PAY-12).

    A call may take a minute when Stripe is slow: payers who wait for it must not keep the pool from everybody
    else (F-64). The transaction that wraps a test does not count, and is not left.
    """
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise NetworkInTransaction
    if not connection.in_atomic_block:
        connection.close()
