"""The first page, the choice of account, and what a closed door shows (P-06, AUN-22, P-36)."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from portal.access.models import PortalAccess
from portal.accounts.models import PortalUser
from portal.customers.models import Customer
from portal.documents.models import MediaItem
from portal.invoices.models import Invoice
from portal.settings.models import CompanyProfile
from tenants.models import Hold, Tenant
from tenants.scope import control_scope
from tests.cast import ACME
from tests.portal.accounts.signing_in import sign_in
from tests.portal.invoices.test_invoice_pages import set_owner

ALICE = "alice@example.com"


def join_bob(email: str) -> None:
    """Let a person act for Bob's account as well."""
    now = timezone.now()
    PortalAccess.objects.create(
        portal_user=PortalUser.objects.get(email=email),
        customer=Customer.objects.get(number="C-1002"),
        status="active",
        created_at=now,
        activated_at=now,
    )


def test_the_most_urgent_invoice_stands_first(acme: Any, acme_client: Any) -> None:
    """NAV-07, NAV-02, BRAND-03."""
    sign_in(acme_client, ALICE)
    page = acme_client.get("/").content.decode()
    assert page.index("Service call 1042") < page.index("Service call 1043")
    assert "$541.50" in page
    assert "(512) 555-0100" in page
    assert "Acme Heating &amp; Air" in page


def test_with_nothing_to_pay_the_page_says_so(acme: Any, acme_client: Any) -> None:
    Invoice.objects.filter(status="open").update(status="void", voided_at=timezone.now())
    sign_in(acme_client, ALICE)
    page = acme_client.get("/").content.decode()
    assert "All done" in page
    assert "Nothing to pay" in page


def test_the_companys_welcome_message_is_text(acme: Any, acme_client: Any) -> None:
    """BRAND-04: what the office typed is never markup."""
    set_owner(portal__welcome_message="Closed <b>Thursday</b>.")
    sign_in(acme_client, ALICE)
    assert "Closed &lt;b&gt;Thursday&lt;/b&gt;." in acme_client.get("/").content.decode()


def test_with_several_accounts_one_is_chosen_first(acme: Any, acme_client: Any) -> None:
    """AUN-22: one sign-in, a chooser, and no sum over both."""
    join_bob(ALICE)
    sign_in(acme_client, ALICE)
    for address in ("/", "/invoices/"):
        assert acme_client.get(address)["Location"] == "/accounts"
    chooser = acme_client.get("/accounts").content.decode()
    assert "Alice Archer" in chooser
    assert "Bob Baker" in chooser

    bob = Customer.objects.get(number="C-1002")
    assert acme_client.post("/accounts", {"account": str(bob.pk)})["Location"] == "/"
    home = acme_client.get("/").content.decode()
    assert "$660.00" in home
    assert "$412.50" not in home
    listed = acme_client.get("/invoices/?show=all").content.decode()
    assert "1044" in listed
    assert "1042" not in listed
    # A link in a mail opens its invoice whichever account is chosen.
    assert acme_client.get(f"/invoices/{Invoice.objects.get(number='1042').pk}").status_code == 200


def test_nobody_chooses_an_account_that_is_not_theirs(acme: Any, acme_client: Any) -> None:
    """AUZ-08: neither by the form nor by the cookie."""
    sign_in(acme_client, ALICE)
    bob = Customer.objects.get(number="C-1002")
    assert acme_client.post("/accounts", {"account": str(bob.pk)}).status_code == 404
    acme_client.cookies["account"] = str(bob.pk)
    assert "$660.00" not in acme_client.get("/").content.decode()


def test_a_portal_that_is_switched_off_shows_name_and_phone(acme: Any, acme_client: Any) -> None:
    """PLT-06, PLT-07, PLT-08, M-06: sessions close with the next request and come back with the switch."""
    sign_in(acme_client, ALICE)
    set_owner(portal__enabled=False)
    for address in ("/", "/sign-in", "/invoices/"):
        answer = acme_client.get(address)
        assert answer.status_code == 503
        assert "(512) 555-0100" in answer.content.decode()
        assert "$" not in answer.content.decode()
    set_owner(portal__enabled=True)
    assert acme_client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "retry"),
    [("hold", 503, "3600"), ("maintenance", 503, "300"), ("closing", 410, None)],
)
def test_a_closed_company_shows_its_name_and_phone_only(
    change: str, status: int, retry: str | None, acme: Any, acme_client: Any
) -> None:
    """P-36, Decided 22."""
    sign_in(acme_client, ALICE)
    with control_scope():
        if change == "hold":
            Hold.objects.create(
                tenant_id=ACME, kind="security", reason="test", opened_by="test", opened_at=timezone.now()
            )
        elif change == "maintenance":
            Tenant.objects.filter(pk=ACME).update(service_mode="maintenance")
        else:
            Tenant.objects.filter(pk=ACME).update(lifecycle="closing")
    answer = acme_client.get("/")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == retry
    page = answer.content.decode()
    assert "Acme Heating &amp; Air" in page
    assert "(512) 555-0100" in page
    assert "office@acme.example" not in page
    assert "Main Street" not in page
    assert acme_client.get("/brand/logo/x.png").status_code == status


@pytest.fixture
def logo(acme: Any, settings: Any, tmp_path: Any) -> MediaItem:
    """Acme's logo, stored where uploads are."""
    settings.MEDIA_ROOT = tmp_path
    picture = BytesIO()
    Image.new("RGB", (8, 8), "#1e5aa8").save(picture, "PNG")
    key = default_storage.save("logos/0a1b2c.png", ContentFile(picture.getvalue()))
    item = MediaItem.objects.create(
        kind="logo",
        storage_key=key,
        content_type="image/png",
        size_bytes=len(picture.getvalue()),
        sha256="0" * 64,
        created_at=timezone.now() - timedelta(days=1),
    )
    CompanyProfile.objects.update(logo=item)
    return item


def test_the_logo_is_a_sandboxed_picture(logo: MediaItem, acme_client: Any, globex_client: Any) -> None:
    """UPL-01, UPL-02, UPL-03."""
    answer = acme_client.get("/brand/logo/0a1b2c.png")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer["Cache-Control"]
    assert b'src="/brand/logo/0a1b2c.png"' in acme_client.get("/sign-in").content
    assert acme_client.get("/brand/logo/other.png").status_code == 404
    assert acme_client.get("/brand/logo/..%2f0a1b2c.png").status_code == 404
    assert globex_client.get("/brand/logo/0a1b2c.png").status_code == 404


def test_what_is_not_a_png_of_ours_is_not_served(logo: MediaItem, acme_client: Any) -> None:
    """UPL-03."""
    MediaItem.objects.update(content_type="image/svg+xml")
    assert acme_client.get("/brand/logo/0a1b2c.png").status_code == 404
