"""An estimate by its link: seen, approved and paid for without signing in (SHARE-06, SHARE-10, SHARE-12)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.core import mail
from django.utils import timezone

from portal.estimates.models import Estimate, EstimateDecision
from portal.payments.models import PaymentAttempt
from portal.sharing.links import Minted, mint_link
from portal.sharing.models import ShareLink
from tests.conftest import HostClient
from tests.portal.estimates.making import OLIVE, again, customer_browser, draft, revise, sent
from tests.portal.estimates.test_customer_pages import fields
from tests.portal.payments.bench import Bench
from tests.portal.payments.test_pages import form_of
from tests.portal.sharing.making import deliver, make_link, settle_on


def link_to(estimate: Estimate, *, days: int = 90, ago: int = 0) -> Minted:
    return mint_link(
        estimate=estimate,
        channel=ShareLink.Channel.EMAIL,
        recipient="alice@example.com",
        days=days,
        by=OLIVE,
        now=timezone.now() - timedelta(days=ago),
    )


def test_a_stranger_with_the_link_approves_and_pays(bench: Bench) -> None:
    """From the mail to the receipt; the deposit is paid where invoices are."""
    with bench.acme():
        estimate = sent()
        token = link_to(estimate).token
    pat = HostClient("acme.portal.localhost")
    html = pat.get(f"/s/{token}").content.decode()
    assert "Smart thermostat" in html
    assert "sign in" in html
    form = fields(pat.get(f"/s/{token}/approve?v=1&option=b&line=b5").content.decode())
    answer = pat.post(f"/s/{token}/approve", form | {"name": "Pat Archer", "consent": "on"})
    assert answer["Location"] == f"/s/{token}/pay"
    url = pat.get(answer["Location"])["Location"]
    assert token not in url
    html = pat.get(url).content.decode()
    assert "Deposit on estimate" in html
    who = {"name": "Pat", "email": "pat@example.net", "token": bench.token()}
    paid = pat.post(url, {**form_of(html), **who})
    assert paid.status_code == 303
    html = pat.get(paid["Location"]).content.decode()
    assert "Paid $1,105.50" in html
    assert bench.charged() == 110550
    with bench.acme():
        assert PaymentAttempt.objects.get().share_link_id is not None
        decision = EstimateDecision.objects.get()
        assert (decision.by_name, decision.portal_user_id) == ("Pat Archer", None)
        assert decision.share_link_id is not None
    bench.deliver_mail()
    assert {letter.to[0] for letter in mail.outbox} == {"pat@example.net", "olive@acme.example", "alice@example.com"}
    assert "Your deposit of $1,105.50 has arrived" in pat.get(f"/s/{token}").content.decode()


def test_looking_changes_nothing_but_the_count(acme: Any, acme_client: HostClient) -> None:
    """SHARE-06: HEAD and GET approve nothing."""
    estimate = sent()
    token = link_to(estimate).token
    for path in ("", "/approve?option=b", "/answer", "/pdf"):
        assert acme_client.get(f"/s/{token}{path}").status_code == 200
        assert acme_client.head(f"/s/{token}{path}").status_code == 200
    assert again(estimate.pk).status == "sent"
    assert ShareLink.objects.get().opened_count == 1
    assert acme_client.get(f"/s/{token}/again").status_code == 405


def test_a_link_opens_one_estimate_only(acme: Any, acme_client: HostClient) -> None:
    """SHARE-10, AUZ-05: no list, no other estimate, no older version."""
    estimate, other = revise(sent()), sent()
    token = link_to(estimate).token
    html = acme_client.get(f"/s/{token}?version=1").content.decode()
    assert other.number not in html
    assert "older version" not in html
    assert 'name="v" value="2"' in html
    for url in ("/estimates/", f"/estimates/{estimate.pk}", f"/pay/deposit/{estimate.pk}"):
        assert "sign-in" in acme_client.get(url)["Location"]


def test_a_hidden_section_leaves_links_open(acme: Any, acme_client: HostClient) -> None:
    """C-02: sending was a deliberate act."""
    token = link_to(sent()).token
    settle_on(**{"sections.estimates": "hide"})
    assert acme_client.get(f"/s/{token}").status_code == 200


def test_an_ended_link_mails_a_fresh_one(acme: Any, acme_client: HostClient) -> None:
    """datamodel.md 4.16."""
    token = link_to(sent(), days=1, ago=3).token
    assert acme_client.get(f"/s/{token}").status_code == 410
    assert acme_client.post(f"/s/{token}/approve", {"option": "b"}).status_code == 410
    acme_client.post(f"/s/{token}/fresh")
    deliver()
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.com"]
    (path,) = set(re.findall(r"/s/[\w-]{43}", letter.body))
    assert "Smart thermostat" in acme_client.get(path).content.decode()


def test_who_sends_no_estimates_ends_no_link_to_one(staff_of: Any, acme: Any, acme_client: HostClient) -> None:
    """datamodel.md 6.5: an accountant sends invoices only."""
    made = link_to(sent())
    revoke = f"/office/links/{made.row.pk}/revoke"
    assert staff_of("accountant").post(revoke).status_code == 403
    assert acme_client.get(f"/s/{made.token}").status_code == 200
    assert staff_of("csr").post(revoke)["Location"] == f"/office/estimates/{made.row.estimate_id}"
    assert acme_client.get(f"/s/{made.token}").status_code == 410


def test_an_invoices_link_has_no_estimate_pages(acme: Any, acme_client: HostClient) -> None:
    token = make_link().token
    for path in ("approve", "answer"):
        assert acme_client.get(f"/s/{token}/{path}").status_code == 404


def test_days_are_a_setting(olive: HostClient, acme: Any) -> None:
    """share.estimate_days."""
    settle_on(**{"share.estimate_days": 7})
    estimate = draft()
    olive.post(f"/office/estimates/{estimate.pk}/copy")
    link = ShareLink.objects.get(estimate=estimate)
    assert link.expires_at is not None
    assert link.expires_at - link.created_at == timedelta(days=7)


def test_signed_in_people_see_the_same(acme: Any, acme_client: HostClient) -> None:
    """SHARE-12: one renderer."""
    estimate = sent()
    token = link_to(estimate).token

    def options(html: str) -> list[str]:
        return re.findall(r'<div class="offer.*?</div>\s*</div>', html, re.S)

    seen = options(acme_client.get(f"/s/{token}").content.decode())
    assert seen
    assert seen == options(customer_browser().get(f"/estimates/{estimate.pk}").content.decode())
