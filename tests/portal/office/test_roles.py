"""Who may open and do what in the office, as a table (datamodel.md 6.5, AUZ-01)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern

from portal.access.models import PortalAccess
from portal.customers.models import Customer
from portal.office import urls
from portal.office.views import session
from tests.conftest import HostClient
from tests.isolation.answers import shape_of
from tests.portal.office.conftest import SCHEMAS
from tests.portal.office.conftest import sign_in as sign_in

ROLES = ("owner", "admin", "manager", "csr", "dispatcher", "accountant", "technician", "read_only")
EVERYBODY = set(ROLES)
CUSTOMERS = EVERYBODY - {"technician"}
ACCESS = {"owner", "admin", "manager", "csr"}
SETTINGS = {"owner", "admin"}
SET_UP = {"owner", "admin", "manager"}

# view name → (roles that may look, roles that may change)
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "today": (EVERYBODY, set()),
    "setup_step": (set(), SET_UP),
    "share": (CUSTOMERS, set()),
    "customers": (CUSTOMERS, set()),
    "customer": (CUSTOMERS, set()),
    "invite": (set(), ACCESS),
    "customer_access": (set(), ACCESS),
    "customer_memo": (ACCESS, ACCESS),
    "customer_revoke": (ACCESS, ACCESS),
    "settings": (SET_UP, SETTINGS),
    "settings_brand": (SET_UP, SETTINGS),
    "settings_company": (SET_UP, SETTINGS),
}
OPEN_TO_ALL = {"sign_in", "sign_out", "forgot", "welcome"}
# Parts of the office that other packages bring along have tables of their own.
OWN = [
    pattern
    for pattern in urls.urlpatterns
    if isinstance(pattern, URLPattern) and pattern.callback.__module__.startswith("portal.office")
]


def address(name: str) -> str:
    alice = Customer.objects.get(number="C-1001")
    access = PortalAccess.objects.get(customer=alice)
    return {
        "today": "/office/",
        "setup_step": "/office/setup/link_shared",
        "share": "/office/share",
        "customers": "/office/customers",
        "customer": f"/office/customers/{alice.pk}",
        "invite": f"/office/customers/{alice.pk}/invite",
        "customer_access": f"/office/customers/{alice.pk}/access/{access.pk}",
        "customer_memo": f"/office/customers/{alice.pk}/access/{access.pk}/memo",
        "customer_revoke": f"/office/customers/{alice.pk}/access/{access.pk}/revoke",
        "settings": "/office/settings",
        "settings_brand": "/office/settings/brand",
        "settings_company": "/office/settings/company",
    }[name]


def test_every_page_of_the_office_has_a_row() -> None:
    """AUZ-01: a new page without a row fails here."""
    assert {pattern.name for pattern in OWN} == set(TABLE) | OPEN_TO_ALL
    guarded = {pattern.name for pattern in OWN if pattern.callback.__module__ != session.__name__}
    assert guarded == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_exactly_its_pages(staff_of: Callable[..., HostClient], acme: Any, role: str) -> None:
    """datamodel 6.5: allowed is 200, forbidden is 403, a missing method is 405; never anything else."""
    client = staff_of(role) if role != "owner" else sign_in("acme", "olive@acme.example")
    for name, (look, change) in TABLE.items():
        seen = client.get(address(name)).status_code
        expected = 405 if not look else 200 if role in look else 403
        assert seen == expected, f"GET {name} as {role}"
        done = client.post(address(name), {"do": "nothing"}).status_code
        if not change:
            assert done == 405, f"POST {name} as {role}"
        elif role in change:
            assert done in (200, 302, 303, 404, 422), f"POST {name} as {role}"
        else:
            assert done == 403, f"POST {name} as {role}"


def test_strangers_see_only_the_sign_in(acme_client: HostClient, acme: Any) -> None:
    """AUZ-01: every page and every method leads to the sign-in page."""
    for name, (look, change) in TABLE.items():
        for method, allowed in (("get", look), ("post", change)):
            answer = getattr(acme_client, method)(address(name))
            if allowed:
                assert answer.status_code == 302, f"{method} {name}"
                assert answer["Location"].startswith("/office/sign-in")
            else:
                assert answer.status_code == 405


def test_an_extra_permission_opens_one_page_more(staff_of: Callable[..., HostClient], acme: Any) -> None:
    """datamodel 2.2: by person, read on every request."""
    client = staff_of("technician", extra_permissions=["customers.view"])
    assert client.get("/office/customers").status_code == 200
    assert client.get("/office/settings").status_code == 403


def test_who_may_not_see_amounts_is_shown_none(staff_of: Callable[..., HostClient], acme: Any) -> None:
    """AUZ-04: a dispatcher sees people and places, no money and no access."""
    page = staff_of("dispatcher").get(address("customer")).content.decode()
    assert "Alice Archer" in page
    assert "12 Elm Street" in page
    for hidden in ("$", "1042", "CANARY", "Customer portal"):
        assert hidden not in page.partition("<main")[2], hidden


def test_foreign_and_unknown_ids_are_the_same_404(olive: HostClient, acme: Any) -> None:
    """AUZ-02, ISO-08: a customer of Globex is nobody here, whatever is asked."""
    from tenants.scope import tenant_scope

    with tenant_scope(*SCHEMAS["globex"]):
        theirs = Customer.objects.get()
        their_access = PortalAccess.objects.get()
    alice = Customer.objects.get(number="C-1001")
    bobs = PortalAccess.objects.get(customer__number="C-1002")
    unknown = olive.get(f"/office/customers/{uuid4()}")
    assert unknown.status_code == 404
    foreign = olive.get(f"/office/customers/{theirs.pk}")
    assert foreign.status_code == 404
    assert shape_of(foreign, {}) == shape_of(unknown, {})
    for path in (
        f"{theirs.pk}/invite",
        f"{theirs.pk}/access/{their_access.pk}",
        f"{theirs.pk}/access/{their_access.pk}/revoke",
        f"{alice.pk}/access/{their_access.pk}/revoke",
        f"{alice.pk}/access/{bobs.pk}/revoke",
        f"{alice.pk}/access/{bobs.pk}/memo",
    ):
        data = {"email": "evil@example.com", "do": "revoke", "memo": "x"}
        assert olive.post(f"/office/customers/{path}", data).status_code == 404, path
    bobs.refresh_from_db()
    assert bobs.status == "active"
