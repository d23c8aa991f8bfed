"""Points the product at Stripe's sandbox; without keys there is nothing here to collect."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

import pytest
from django.conf import settings

from infra.env import load_env
from infra.stripe_client import BREAKER
from infra.stripe_double.server import RunningDouble
from tenants.models import PaymentAccount
from tenants.scope import control_scope
from tests.cast import ACME
from tests.portal.payments.bench import Bench
from tests.sandbox.keys import find_sandbox

found = find_sandbox(os.environ)
collect_ignore_glob = [] if found else ["test_*.py"]


@pytest.fixture
def bench(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Start with the cast's database and the connected test account; there is no double to ask."""
    assert found
    monkeypatch.setenv("STRIPE_SECRET_KEY", found.key)
    monkeypatch.setenv("STRIPE_API_BASE", "")
    load_env.cache_clear()
    monkeypatch.setattr(settings, "ENV", load_env())
    BREAKER.close()
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).update(account_id=found.account)
    yield Bench(cast(RunningDouble, None), account=found.account)
    load_env.cache_clear()
