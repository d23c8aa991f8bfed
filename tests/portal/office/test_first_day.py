"""The checklist of the first day follows the data (F-02)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.access.models import PortalAccess
from portal.accounts.models import StaffUser
from portal.customers.models import Customer
from portal.office.setup import load_setup
from tenants.context import prove_tenant
from tenants.models import Tenant
from tenants.scope import control_scope
from tests.cast import ACME, NOW
from tests.conftest import HostClient


@pytest.fixture(autouse=True)
def _office_addresses(settings: Any) -> None:
    """The checklist names pages of the office; outside a request nobody has chosen a URL map."""
    settings.ROOT_URLCONF = "config.urls_tenant"


def states() -> list[bool]:
    olive = StaffUser.objects.get(email="olive@acme.example")
    return [step.done for step in load_setup(tenant=prove_tenant(ACME, NOW).tenant, staff=olive).steps]


def test_each_step_is_done_by_its_own_deed(olive: HostClient, acme: Any) -> None:
    """F-02: portal seen, payments, customers, own access, link; the last one ends the checklist."""
    assert states() == [False, True, True, False, False]
    assert "Set up your portal" in olive.get("/office/").content.decode()
    assert olive.post("/office/setup/portal_seen")["Location"] == "/"
    assert olive.post("/office/setup/portal_seen").status_code == 303
    assert states() == [True, True, True, False, False]
    olive.post("/office/setup/invite_me")
    assert states()[3] is False
    PortalAccess.objects.filter(portal_user__email="olive@acme.example").update(status="active", activated_at=NOW)
    assert states()[3] is True
    olive.post("/office/setup/link_shared")
    assert states() == [True] * 5
    assert "Set up your portal" not in olive.get("/office/").content.decode()


def test_looking_at_the_checklist_ticks_nothing(olive: HostClient, acme: Any) -> None:
    """AUN-10 in spirit: GET changes nothing."""
    before = states()
    for path in ("/office/", "/office/share"):
        olive.get(path)
    assert olive.get("/office/setup/portal_seen").status_code == 405
    assert olive.post("/office/setup/whatever").status_code == 404
    assert states() == before


def test_inviting_myself_twice_makes_one_record(olive: HostClient, acme: Any) -> None:
    """ENR-30: staff try with a record of their own that does not count as a customer."""
    count = Customer.objects.count()
    olive.post("/office/setup/invite_me")
    olive.post("/office/setup/invite_me")
    assert Customer.objects.count() == count + 1
    own = PortalAccess.objects.get(portal_user__email="olive@acme.example")
    assert (own.status, own.customer.name, own.customer.number) == ("invited", "Olive Owens (test)", "1101")
    Customer.objects.exclude(pk=own.customer_id).update(archived_at=NOW)
    assert states()[2] is False


def test_who_cannot_set_up_is_not_asked_to(staff_of: Callable[..., HostClient], acme: Any) -> None:
    """datamodel 6.5."""
    for role in ("csr", "technician", "read_only"):
        page = staff_of(role).get("/office/").content.decode()
        assert "Set up your portal" not in page
        assert not re.search(r"/office/setup/", page)


def test_the_page_says_when_the_portal_is_off(olive: HostClient, acme: Any) -> None:
    """PLT-06."""
    assert "The portal is off for customers" not in olive.get("/office/").content.decode()
    with control_scope():
        version = Tenant.objects.get(pk=ACME).config_version
    olive.post("/office/settings", {"version": version, "welcome_message": "", "confirm": "1"})
    assert "The portal is off for customers" in olive.get("/office/").content.decode()
