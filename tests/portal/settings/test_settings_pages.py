"""The owner's settings: open and closed, words, colours, logo, contact (F-23, PLT-05…08, BRAND-03)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from portal.accounts import sessions
from portal.accounts.client import Client
from portal.accounts.models import PortalUser
from portal.documents.models import MediaItem
from portal.settings.brand import short_name
from portal.settings.models import CompanyProfile
from portal.settings.services import stamp_of
from tenants.models import SettingValue, Tenant
from tenants.scope import control_scope
from tests.cast import ACME
from tests.conftest import HostClient
from tests.portal.office.conftest import sign_in

SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def olive(db: None) -> HostClient:
    return sign_in("acme", "olive@acme.example")


@pytest.fixture
def alice(acme_client: HostClient, acme: Any) -> HostClient:
    user = PortalUser.objects.get(email="alice@example.com")
    started = sessions.start_session(user=user, tenant_id=ACME, client=Client(None, "", ""), now=timezone.now())
    acme_client.cookies[sessions.cookie_name()] = started.token
    return acme_client


def version() -> int:
    with control_scope():
        return Tenant.objects.get(pk=ACME).config_version


def turn(olive: HostClient, on: bool, **more: Any) -> Any:
    data = {"version": version(), "welcome_message": "Hello.", "confirm": "1", **more}
    return olive.post("/office/settings", {**data, "enabled": "on"} if on else data)


def test_closing_says_whom_it_hits_before_it_happens(olive: HostClient, acme: Any) -> None:
    """Impact line: two people, and nothing is changed by asking."""
    before = version()
    answer = turn(olive, on=False, confirm="")
    assert answer.status_code == 200
    assert "2 people can sign in now." in answer.content.decode()
    assert 'name="confirm" value="1"' in answer.content.decode()
    assert version() == before


def test_closing_ends_visits_and_opening_brings_them_back(olive: HostClient, alice: HostClient) -> None:
    """PLT-05…08: at once, in both directions, nothing lost; the office goes on meanwhile."""
    assert alice.get("/").status_code == 200
    assert turn(olive, on=False).status_code == 303
    for path in ("/", "/invoices/", "/sign-in"):
        answer = alice.get(path)
        assert answer.status_code == 503
        assert "(512) 555-0100" in answer.content.decode()
    page = olive.get("/office/settings")
    assert page.status_code == 200
    assert "Off for customers" in page.content.decode()
    for path in (
        "/office/",
        "/office/customers",
        "/office/settings/brand",
        "/office/settings/company",
        "/office/share",
    ):
        assert olive.get(path).status_code == 200
    assert turn(olive, on=True).status_code == 303
    assert alice.get("/").status_code == 200


def test_the_welcome_message_is_shown_and_bounded(olive: HostClient, alice: HostClient) -> None:
    """BRAND-04: plain text, up to 500 characters, never markup."""
    assert turn(olive, on=True, welcome_message="<b>Welcome</b> home").status_code == 303
    page = olive.get("/office/settings").content.decode()
    assert "&lt;b&gt;Welcome&lt;/b&gt; home" in page
    assert turn(olive, on=True, welcome_message="x" * 501).status_code == 422
    assert turn(olive, on=True, welcome_message="x" * 500).status_code == 303


def test_of_two_owners_the_second_is_told_and_overwrites_nothing(olive: HostClient, acme: Any) -> None:
    """Lost updates: a form that is no longer current saves nothing."""
    old = version()
    assert turn(olive, on=True, welcome_message="First").status_code == 303
    answer = olive.post("/office/settings", {"version": old, "enabled": "on", "welcome_message": "Second"}, follow=True)
    assert "Somebody else changed these settings" in answer.content.decode()
    with control_scope():
        assert SettingValue.objects.get(key="portal.welcome_message").value == "First"


def test_of_two_owners_the_second_changes_no_contact(olive: HostClient, acme: Any) -> None:
    """Lost updates, the other store."""
    profile = CompanyProfile.objects.get()
    data = {"stamp": stamp_of(profile), "name": "Acme", "phone": "(512) 555-0111"}
    assert olive.post("/office/settings/company", data).status_code == 303
    answer = olive.post("/office/settings/company", {**data, "name": "Acme Two"}, follow=True)
    assert "nothing was saved" in answer.content.decode()
    profile.refresh_from_db()
    assert (profile.name, profile.phone) == ("Acme", "+15125550111")


def test_contact_is_checked_beside_its_field(olive: HostClient, acme: Any) -> None:
    """F-23: a sentence, 422, nothing stored."""
    profile = CompanyProfile.objects.get()
    bad = {"stamp": stamp_of(profile), "name": "", "phone": "call me", "email": "x@"}
    answer = olive.post("/office/settings/company", bad)
    assert answer.status_code == 422
    assert answer.content.decode().count("field__error") == 3
    profile.refresh_from_db()
    assert profile.name == "Acme Heating & Air"


def test_the_address_of_the_portal_is_nowhere_a_field(olive: HostClient, acme: Any) -> None:
    """HOST-03: shown as permanent, and a field of that name changes nothing."""
    page = olive.get("/office/settings").content.decode()
    assert "acme.portal.localhost, permanent" in page
    stamp = stamp_of(CompanyProfile.objects.get())
    olive.post("/office/settings/company", {"stamp": stamp, "name": "Acme", "slug": "evil", "host": "evil", "id": "2"})
    with control_scope():
        assert Tenant.objects.get(pk=ACME).slug == "acme"


@pytest.mark.parametrize("colour", ["#ffffff", "#000000", "#ffee00", "#1E5AA8", "#808080"])
def test_any_colour_works(olive: HostClient, acme: Any, colour: str) -> None:
    """BRAND-03: the seven colours are stored with it."""
    data = {"stamp": stamp_of(CompanyProfile.objects.get()), "colour": colour}
    assert olive.post("/office/settings/brand", data).status_code == 303
    profile = CompanyProfile.objects.get()
    assert profile.brand_color == colour.lower()
    assert len(profile.palette) in (0, 7)
    assert olive.get("/office/settings/brand").status_code == 200


@pytest.mark.parametrize("colour", ["red", "#12", "#12345g", "#1234567", "", "}body{display:none"])
def test_what_is_no_colour_is_refused(olive: HostClient, acme: Any, colour: str) -> None:
    """INJ: nothing but a colour reaches the style element."""
    data = {"stamp": stamp_of(CompanyProfile.objects.get()), "colour": colour}
    assert olive.post("/office/settings/brand", data).status_code == 422
    assert CompanyProfile.objects.get().brand_color == "#1e5aa8"


def test_a_bad_logo_takes_the_colour_back_too(olive: HostClient, acme: Any, settings: Any, tmp_path: Any) -> None:
    """UPL-03: the sentence stands beside the field, nothing of the form is stored."""
    settings.MEDIA_ROOT = tmp_path
    data = {
        "stamp": stamp_of(CompanyProfile.objects.get()),
        "colour": "#00ff00",
        "logo": SimpleUploadedFile("logo.png", SCRIPT, content_type="image/png"),
    }
    answer = olive.post("/office/settings/brand", data)
    assert answer.status_code == 422
    assert "This is an SVG or a web page" in answer.content.decode()
    assert "id_logo_error" in answer.content.decode()
    assert CompanyProfile.objects.get().brand_color == "#1e5aa8"
    assert MediaItem.objects.count() == 0
    assert list(tmp_path.rglob("*.*")) == []


def test_a_logo_is_served_on_its_own_host_only(
    olive: HostClient, alice: HostClient, globex_client: HostClient, acme: Any, settings: Any, tmp_path: Any
) -> None:
    """BRAND-03, UPL-01: customers see it, another company's host does not have it."""
    settings.MEDIA_ROOT = tmp_path
    out = io.BytesIO()
    Image.new("RGB", (300, 100), "navy").save(out, "PNG")
    data = {
        "stamp": stamp_of(CompanyProfile.objects.get()),
        "colour": "#1e5aa8",
        "logo": SimpleUploadedFile("../../evil name.svg", out.getvalue(), content_type="image/svg+xml"),
    }
    assert olive.post("/office/settings/brand", data).status_code == 303
    key = MediaItem.objects.get().storage_key.rpartition("/")[2]
    assert f"/brand/logo/{key}" in alice.get("/").content.decode()
    served = HostClient("acme.portal.localhost").get(f"/brand/logo/{key}")
    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    assert globex_client.get(f"/brand/logo/{key}").status_code == 404


def test_a_manager_looks_and_the_rest_stay_outside(staff_of: Callable[..., HostClient], acme: Any) -> None:
    """datamodel 6.5: settings are the owner's and administrators'; a manager may look."""
    manager, clerk = staff_of("manager"), staff_of("csr")
    page = manager.get("/office/settings")
    assert page.status_code == 200
    assert "The owner and administrators can change this." in page.content.decode()
    assert turn(manager, on=False).status_code == 403
    assert clerk.get("/office/settings").status_code == 403
    assert staff_of("admin").get("/office/settings/company").status_code == 200
    with control_scope():
        assert not SettingValue.objects.filter(key="portal.enabled", value=False).exists()


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "!!!", "x" * 121, "Acme\x00"])
def test_a_company_keeps_a_name_that_can_be_read(olive: HostClient, acme: Any, name: str) -> None:
    """Every page and every mail carries it."""
    before = CompanyProfile.objects.get().name
    answer = olive.post("/office/settings/company", {"name": name, "stamp": stamp_of(CompanyProfile.objects.get())})
    assert answer.status_code == 422
    assert answer.context["form"].errors["name"]
    assert CompanyProfile.objects.get().name == before


def test_a_mark_of_direction_is_taken_out_of_a_name(olive: HostClient, acme: Any) -> None:
    """“Pay Acme” would be read backwards."""
    stamp = stamp_of(CompanyProfile.objects.get())
    assert olive.post("/office/settings/company", {"name": "\u202eAcme\n Air", "stamp": stamp}).status_code == 303
    assert CompanyProfile.objects.get().name == "Acme Air"


def test_a_page_for_what_went_wrong_wears_the_colors_of_the_company(acme_client: HostClient, acme: Any) -> None:
    """BRAND-03, WEB-04: the same seven colors, under the nonce that the policy names."""
    CompanyProfile.objects.update(brand_color="#7a2f8f", palette={})
    answer = acme_client.get("/no-such-page")
    assert answer.status_code == 404
    found = re.search(r'<style nonce="([^"]+)">:root\{--b-fill:#7a2f8f', answer.content.decode())
    assert found is not None
    assert f"'nonce-{found[1]}'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Acme Heating & Air", "Acme"),
        ("Rosa & Söhne Plumbing", "Rosa & Söhne"),
        ("Smith and Sons, Electric", "Smith and Sons"),
        ("Heating & Air", "Heating"),
        ("The Pipe People", "The Pipe People"),
        ("AB Electric", "AB Electric"),
        ("", ""),
    ],
)
def test_the_name_said_in_passing_keeps_partners_together(name: str, short: str) -> None:
    """“Welcome to Rosa’s customer portal” is somebody else’s."""
    assert short_name(name) == short
