"""The office's real pages keep to the markup contract (design: one h1, one lit card, one primary button)."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.accounts.models import LoginToken, StaffUser
from portal.accounts.staff_tokens import mint_staff_token
from portal.customers.models import Customer
from portal.customers.services import add_email
from tenants.audit import Actor
from tests.cast import NOW
from tests.conftest import HostClient
from tests.portal.ui.test_ui_templates import check


@pytest.fixture
def pages(olive: HostClient, acme_client: HostClient, acme: Any) -> dict[str, HttpResponse]:
    """Every page of the office, by name, with a customer in each state of access."""
    now = timezone.now()
    alice = Customer.objects.get(number="C-1001")
    bobs = PortalAccess.objects.get(customer__number="C-1002")
    PortalAccess.objects.filter(pk=bobs.pk).update(status="invited", invited_at=NOW)
    add_email(customer=alice, email="bob@example.com", by=Actor("staff", None, "Olive"), now=now)
    access = PortalAccess.objects.get(customer=alice)
    paul = StaffUser.objects.create(
        email="paul@acme.example", name="Paul", role="owner", status="invited", created_at=NOW
    )
    token = mint_staff_token(staff=paul, purpose=LoginToken.Purpose.STAFF_FIRST_SIGN_IN, now=now)
    base = f"/office/customers/{alice.pk}"
    version = olive.get("/office/settings").context["form"].initial["version"]
    return {
        "today": olive.get("/office/"),
        "share": olive.get("/office/share"),
        "customers": olive.get("/office/customers"),
        "nobody": olive.get("/office/customers?q=zzz"),
        "empty filter": olive.get("/office/customers?f=no_email"),
        "customer": olive.get(base),
        "bob": olive.get(f"/office/customers/{bobs.customer_id}"),
        "wrong address": olive.post(f"{base}/invite", {"email": "x"}),
        "memo": olive.get(f"{base}/access/{access.pk}/memo"),
        "revoke": olive.get(f"{base}/access/{access.pk}/revoke"),
        "settings": olive.get("/office/settings"),
        "impact": olive.post("/office/settings", {"version": version}),
        "brand": olive.get("/office/settings/brand"),
        "company": olive.get("/office/settings/company"),
        "wrong company": olive.post("/office/settings/company", {"stamp": "x"}),
        "sign in": acme_client.get("/office/sign-in"),
        "wrong sign in": acme_client.post("/office/sign-in", {"email": "x", "password": ""}),
        "forgot": acme_client.get("/office/forgot"),
        "sent": acme_client.post("/office/forgot", {"email": "olive@acme.example"}),
        "welcome": acme_client.get(f"/office/welcome/{token}/"),
        "weak": acme_client.post(f"/office/welcome/{token}/", {"new_password": "short"}),
        "gone": acme_client.get("/office/welcome/x/"),
    }


def test_every_page_keeps_the_contract(pages: dict[str, HttpResponse]) -> None:
    """One h1, at most one lit card and one primary button, paired tags, unique ids, every form with its token."""
    for name, answer in pages.items():
        html = answer.content.decode()
        page = check(html)
        assert page.faults == [], name
        assert page.open == [], name
        assert page.h1 == 1, name
        assert page.lit <= 1, name
        # The picture of the portal beside the settings shows a button of its own.
        assert page.primary - html.count('class="phone"') <= 1, name
        assert len(page.ids) == len(set(page.ids)), name
        assert set(page.references) <= set(page.ids), (name, set(page.references) - set(page.ids))
        assert page.tokens >= page.posts, name
        assert "<c-" not in html, name
        assert "context:" not in html, name


def test_every_page_has_its_policy(pages: dict[str, HttpResponse]) -> None:
    """WEB: nothing cached, nothing framed, no script without its nonce."""
    for name, answer in pages.items():
        assert "no-store" in answer["Cache-Control"], name
        policy = answer["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe-inline" not in policy, name
