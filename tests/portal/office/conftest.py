"""Browsers of staff and helpers to look at what they get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from portal.accounts.client import Client
from portal.accounts.models import StaffUser
from portal.accounts.staff_sessions import cookie_name, start_session
from tenants.scope import tenant_scope
from tests.cast import ACME, GLOBEX, NOW
from tests.conftest import HostClient

SCHEMAS = {"acme": (ACME, "t_ac3e00000000000000000001"), "globex": (GLOBEX, "t_610be8000000000000000002")}
BROWSER = Client("203.0.113.9", "pytest", "")


def sign_in(slug: str, email: str) -> HostClient:
    """Return a browser in which a staff member is signed in."""
    tenant_id, schema = SCHEMAS[slug]
    with tenant_scope(tenant_id, schema):
        staff = StaffUser.objects.get(email=email)
        _session, token = start_session(staff=staff, tenant_id=tenant_id, client=BROWSER, now=timezone.now())
    client = HostClient(f"{slug}.portal.localhost")
    client.cookies[cookie_name()] = token
    return client


@pytest.fixture
def olive(db: None) -> HostClient:
    """Olive, owner of Acme, in the office."""
    return sign_in("acme", "olive@acme.example")


@pytest.fixture
def gina(db: None) -> HostClient:
    """Gina, owner of Globex, in the office."""
    return sign_in("globex", "gina@globex.example")


@pytest.fixture
def staff_of(db: None) -> Callable[..., HostClient]:
    """Return a function: role → a browser of a new staff member of Acme with that role."""

    def make(role: str, **more: Any) -> HostClient:
        with tenant_scope(*SCHEMAS["acme"]):
            email = f"{role}@acme.example"
            StaffUser.objects.create(email=email, name=role.title(), role=role, status="active", created_at=NOW, **more)
        return sign_in("acme", email)

    return make
