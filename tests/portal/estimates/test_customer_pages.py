"""What customers see of estimates: the list, the options, the page to sign on (P-14, P-15)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.access.models import PortalAccess
from portal.estimates.models import Estimate, SignatureRecord
from portal.home.views import TASKS
from portal.payments.services.estimates import convert_estimate
from tenants.models import PaymentAccount
from tenants.scope import control_scope
from tests.cast import ACME
from tests.conftest import HostClient
from tests.portal.estimates.making import (
    OLIVE,
    again,
    approval,
    approve,
    customer_browser,
    draft,
    offer,
    revise,
    sent,
    today,
)
from tests.portal.invoices.test_invoice_pages import text_of
from tests.portal.sharing.making import settle_on

Status = Estimate.Status


@pytest.fixture
def alice(acme: Any) -> HostClient:
    """Alice's browser."""
    return customer_browser()


def page(browser: HostClient, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_the_list_shows_what_waits_and_what_was_answered(alice: HostClient) -> None:
    """EST-01, EST-05, VIS-05."""
    waiting, done = sent(), approve(sent(what=offer("none", 0)))
    html = page(alice, "/estimates/")
    assert waiting.number in html
    assert "from $3,000.00" in html
    assert done.number not in html
    html = page(alice, "/estimates/?show=answered")
    assert done.number in html
    assert "$3,685.00" in html


@pytest.mark.parametrize("status", ["draft", "canceled"])
def test_drafts_and_canceled_ones_are_never_visible(alice: HostClient, status: str) -> None:
    """VIS-04, EST-04."""
    estimate = draft() if status == "draft" else sent()
    if status == "canceled":
        Estimate.objects.filter(pk=estimate.pk).update(status="canceled", canceled_at=timezone.now())
    assert estimate.number not in page(alice, "/estimates/") + page(alice, "/estimates/?show=answered")
    for path in ("", "/approve", "/answer", "/pdf"):
        assert alice.get(f"/estimates/{estimate.pk}{path}").status_code == 404
    assert alice.get(f"/pay/deposit/{estimate.pk}").status_code == 404


def test_somebody_elses_estimate_is_like_none(alice: HostClient) -> None:
    """AUZ-02."""
    bobs = sent("C-1002")
    for path in ("", "/approve", "/answer", "/pdf"):
        assert alice.get(f"/estimates/{bobs.pk}{path}").status_code == 404
    assert alice.post(f"/estimates/{bobs.pk}/again").status_code == 404
    assert alice.post(f"/estimates/{bobs.pk}/approve", {"version": 1, "option": "b"}).status_code == 404


def test_a_hidden_section_is_none(alice: HostClient) -> None:
    """EST-07, NAV-06: no page, no line in the menu, no card."""
    estimate = sent()
    assert "/estimates/" in page(alice, "/")
    settle_on(**{"sections.estimates": "hide"})
    assert alice.get("/estimates/").status_code == 404
    assert alice.get(f"/estimates/{estimate.pk}").status_code == 404
    assert "/estimates/" not in page(alice, "/") + page(alice, "/invoices/")


def test_access_without_billing_sees_no_estimate(alice: HostClient) -> None:
    """VIS-12."""
    estimate = sent()
    PortalAccess.objects.filter(portal_user__email="alice@example.com").update(level="non_billing")
    assert alice.get("/estimates/").status_code == 404
    assert alice.get(f"/estimates/{estimate.pk}").status_code == 404
    assert estimate.number not in page(alice, "/")


def test_the_first_page_and_the_menu_tell_of_open_estimates(alice: HostClient) -> None:
    """NAV-04, P-06."""
    estimate = sent()
    html = page(alice, "/")
    assert f'href="/estimates/{estimate.pk}"' in html
    assert re.search(r'href="/estimates/"[^>]*>.*?<span class="count">1<', html, re.S)
    approve(estimate)
    html = page(alice, "/")
    assert f'href="/pay/deposit/{estimate.pk}"' in html
    assert not re.search(r'href="/estimates/"[^>]*>(?:(?!</a>).)*<span class="count">', html, re.S)


def test_deposits_on_their_way_hide_nothing_that_waits(alice: HostClient) -> None:
    """P-06: the first page shows a few tasks, and what is being paid is none."""
    waiting = sent()
    for _ in range(TASKS):
        paying = approve(sent())
        Estimate.objects.filter(pk=paying.pk).update(deposit_pending_cents=paying.deposit_cents)
    html = page(alice, "/")
    assert f'href="/estimates/{waiting.pk}"' in html
    assert "Pay the deposit" not in html


def test_options_stand_side_by_side_with_what_differs(alice: HostClient) -> None:
    """P-15."""
    estimate = sent()
    html = page(alice, f"/estimates/{estimate.pk}")
    assert "Everything in Good" in html
    assert re.search(r"<li data-new>.*?Smart thermostat", html)
    assert "Recommended" in html
    assert re.search(r'value="b5"[^>]*checked', html), "what is preselected is ticked"
    assert not re.search(r'value="b4"[^>]*checked', html)
    assert "30% deposit." in html
    assert again(estimate.pk).first_viewed_at is not None


def test_the_server_adds_up_what_was_ticked(alice: HostClient) -> None:
    """EST-02: without a script, and whatever the script showed."""
    estimate = sent()
    html = page(alice, f"/estimates/{estimate.pk}/approve?v=1&option=b&line=b4")
    assert "$4,020.00" in html
    assert "$1,206.00" in html
    assert 'name="seen_total" value="402000"' in html
    html = page(alice, f"/estimates/{estimate.pk}/approve?v=1&option=a&line=b4&line=zebra")
    assert "$3,000.00" in html
    assert "Duct sealing" not in html


def fields(html: str) -> dict[str, Any]:
    """Return what the page to sign on would send."""
    found: dict[str, Any] = dict(re.findall(r'name="(version|option|seen_total)" value="([^"]*)"', html))
    return found | {"line": re.findall(r'name="line" value="([^"]*)"', html)}


def test_a_typed_name_and_a_tick_approve(alice: HostClient) -> None:
    """EST-03: then on to the deposit."""
    estimate = sent()
    url = f"/estimates/{estimate.pk}/approve"
    form = fields(page(alice, f"{url}?v=1&option=b&line=b5"))
    refused = alice.post(url, form)
    assert refused.status_code == 422
    assert "Type your name to sign." in refused.content.decode()
    answer = alice.post(url, form | {"name": "Alice Archer", "consent": "on"})
    assert answer["Location"] == f"/pay/deposit/{estimate.pk}"
    assert again(estimate.pk).total_cents == 368500
    signature = SignatureRecord.objects.get()
    assert (signature.signer_name, signature.signer_email) == ("Alice Archer", "alice@example.com")
    assert "electronically" in signature.consent_text
    html = page(alice, f"/estimates/{estimate.pk}")
    assert "Approved by Alice Archer" in html
    assert "Not chosen" in html
    assert "Pay the deposit, $1,105.50" in html


def test_an_old_page_is_told_of_the_newer_version(alice: HostClient) -> None:
    """AUZ-14: nothing is signed; the new one is shown with what changed."""
    estimate = sent()
    url = f"/estimates/{estimate.pk}/approve"
    form = fields(page(alice, f"{url}?v=1&option=b&line=b5")) | {"name": "Alice", "consent": "on"}
    revise(estimate)
    assert alice.post(url, form)["Location"] == f"/estimates/{estimate.pk}"
    html = page(alice, f"/estimates/{estimate.pk}")
    assert "sent a newer version" in html
    assert "Better is less now" in html
    assert again(estimate.pk).status == Status.SENT
    assert "older version" in page(alice, f"/estimates/{estimate.pk}?version=1")
    assert alice.get(f"{url}?v=1&option=b").status_code == 303


def test_a_deposit_is_paid_otherwise_where_nobody_can_charge(alice: HostClient) -> None:
    """PLT-18, M-12: never a dead button, and never nothing at all."""
    estimate = approve(sent())
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).update(card_payments="pending")
    html = page(alice, f"/estimates/{estimate.pk}")
    assert "How to pay the deposit" in html
    assert "Online payment is not set up" in html
    assert "/pay/deposit/" not in html + page(alice, "/")


def test_an_older_version_says_nothing_of_the_approval(alice: HostClient) -> None:
    """EST-02: what was signed is the newer one."""
    estimate = approve(revise(sent()), approval(version=2))
    approved = re.compile(r"</svg>Approved</span>|Not chosen|What was approved")
    assert approved.search(page(alice, f"/estimates/{estimate.pk}"))
    html = page(alice, f"/estimates/{estimate.pk}?version=1")
    assert "older version" in html
    assert not approved.search(html)
    assert "Pay the deposit" not in html


def test_the_invoice_is_linked_where_it_may_be_seen(alice: HostClient) -> None:
    """VIS-06: a hidden section has no link that leads nowhere."""
    estimate = approve(sent())
    invoice = convert_estimate(estimate_id=estimate.pk, number="5001", today=today(), by=OLIVE, now=timezone.now())
    link = f'href="/invoices/{invoice.pk}"'
    assert link in page(alice, f"/estimates/{estimate.pk}")
    settle_on(**{"sections.invoices": "hide"})
    assert link not in page(alice, f"/estimates/{estimate.pk}")


def test_an_expired_estimate_offers_to_ask_anew(alice: HostClient) -> None:
    """EST-06."""
    estimate = sent()
    Estimate.objects.filter(pk=estimate.pk).update(expires_on=today() - timedelta(days=2))
    html = page(alice, f"/estimates/{estimate.pk}")
    assert "Ask for a new one" in html
    assert "Go on to sign" not in html
    assert alice.get(f"/estimates/{estimate.pk}/approve").status_code == 303
    assert alice.post(f"/estimates/{estimate.pk}/again").status_code == 303
    assert "Expired" in page(alice, "/estimates/?show=answered")


def test_declining_and_asking_for_changes(alice: HostClient) -> None:
    """datamodel.md 4.9."""
    first, second = sent(), sent()
    url = f"/estimates/{first.pk}/answer"
    assert alice.post(url, {"kind": "request_changes", "version": 1, "reason": ""}).status_code == 422
    alice.post(url, {"kind": "request_changes", "version": 1, "reason": "A smaller one"})
    assert again(first.pk).status == Status.CHANGES_REQUESTED
    assert "is revising this estimate" in page(alice, f"/estimates/{first.pk}")
    alice.post(f"/estimates/{second.pk}/answer", {"kind": "decline", "version": 1, "reason": "Too dear"})
    assert again(second.pk).status == Status.DECLINED


def test_the_pdf_carries_the_signature(alice: HostClient) -> None:
    """SHARE-12: the same values as the page."""
    estimate = approve(sent())
    words = text_of(alice.get(f"/estimates/{estimate.pk}/pdf"))
    assert "Approved and signed" in words
    assert "Alice Archer" in words
    assert SignatureRecord.objects.get().document_sha256 in words
