"""Proof of the mailbox: link anywhere by its button, code in the browser that signed up (S-03, AUN-10…19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from provisioning.models import Run, Step
from provisioning.steps.order import STEPS
from signup.models import SignUp
from tenants.models import Hostname, Tenant
from tenants.scope import control_scope
from tests.conftest import HostClient
from tests.signup.visitor import APEX, Visitor, deliver, newest_code, newest_link

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def visitor() -> Visitor:
    """Somebody who waits for the mail."""
    visitor = Visitor()
    visitor.begin()
    return visitor


def _companies() -> list[Tenant]:
    with control_scope():
        return list(Tenant.objects.exclude(slug__in=["acme", "globex"]))


def test_the_mail_holds_link_and_code_and_the_same_facts_in_both_forms(visitor: Visitor) -> None:
    (message,) = mail.outbox
    assert message.to == ["renee@brightelectric.example"]
    page = message.alternatives[0][0]
    for fact in (newest_link(), newest_code(), "bright-electric.portal.localhost", "Bright Electric"):
        assert fact in message.body
        assert fact in page
    with control_scope():
        stored = SignUp.objects.get()
    assert newest_code().encode() not in bytes(stored.code_hash or b"")
    assert len(bytes(stored.token_hash or b"")) == 32


def test_the_code_creates_tenant_address_and_run_together(visitor: Visitor) -> None:
    answer = visitor.verify(newest_code())
    (tenant,) = _companies()
    with control_scope():
        run = Run.objects.get(tenant=tenant)
        host = Hostname.objects.get(name="bright-electric")
        assert Step.objects.filter(run=run, state="pending").count() == len(STEPS)
    assert (answer.status_code, answer["Location"]) == (303, f"/progress/{run.pk}/")
    assert (tenant.slug, tenant.lifecycle, tenant.time_zone) == ("bright-electric", "provisioning", "America/Chicago")
    assert (host.tenant_id, host.state, host.is_primary) == (tenant.pk, "live", True)
    assert visitor.signup.tenant == tenant


def test_the_new_host_answers_like_an_unknown_one_until_it_is_open(visitor: Visitor) -> None:
    """R-PROV-2, check 3."""
    visitor.verify(newest_code())
    closed = HostClient("bright-electric.portal.localhost").get("/")
    unknown = HostClient("never-existed.portal.localhost").get("/")
    assert (closed.status_code, closed.content) == (404, unknown.content)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_the_link_consumes_nothing(visitor: Visitor, method: str) -> None:
    """Acceptance check 13, AUN-10: scanners look at links."""
    for _ in range(3):
        answer = getattr(HostClient(APEX), method)(newest_link(), headers={"sec-purpose": "prefetch"})
        assert answer.status_code == 200
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["Cache-Control"] == "no-store"
    assert _companies() == []
    assert visitor.signup.verified_at is None


def test_the_links_button_works_on_another_device_which_may_then_watch(visitor: Visitor) -> None:
    phone = HostClient(APEX)
    answer = phone.post(newest_link())
    assert answer.status_code == 303
    assert phone.get(answer["Location"]).status_code == 200
    assert visitor.browser.get(answer["Location"]).status_code == 200
    assert HostClient(APEX).get(answer["Location"]).status_code == 404


def test_a_link_that_was_used_says_so(visitor: Visitor) -> None:
    """Nothing is announced a second time; the button still leads to the progress."""
    link = newest_link()
    assert "Ready to turn the light on?" in HostClient(APEX).get(link).content.decode()
    HostClient(APEX).post(link)
    page = HostClient(APEX).get(link).content.decode()
    assert "Ready to turn the light on?" not in page
    assert "bright-electric.portal.localhost was set up for Bright Electric with it." in page


def test_every_further_press_leads_to_the_same_run(visitor: Visitor) -> None:
    """Double click, refresh, second device, code after link: check 11, platform.md 3.4."""
    link, code = newest_link(), newest_code()
    answers = [visitor.verify(code), visitor.verify(code), HostClient(APEX).post(link), HostClient(APEX).post(link)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer["Location"] for answer in answers}) == 1
    assert len(_companies()) == 1
    for page in ("/signup/address/", "/signup/verify/"):
        assert visitor.browser.get(page)["Location"] == answers[0]["Location"]


def test_the_code_works_only_in_the_browser_that_signed_up(visitor: Visitor) -> None:
    """AUN-19: a code that was talked out of somebody is worth nothing elsewhere."""
    assert HostClient(APEX).post("/signup/verify/", {"code": newest_code()})["Location"] == "/signup/"
    assert _companies() == []


def test_five_wrong_codes_end_the_code_but_not_the_link(visitor: Visitor) -> None:
    right = newest_code()
    wrong = "000000" if right != "000000" else "000001"
    pages = [visitor.verify(wrong).content.decode() for _ in range(5)]
    assert "4 tries are left" in pages[0]
    assert "1 try is left" in pages[3]
    assert "last try" in pages[4]
    assert visitor.verify(right).status_code == 422
    assert _companies() == []
    assert HostClient(APEX).post(newest_link()).status_code == 303


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６ x"])
def test_what_is_no_code_costs_no_try(visitor: Visitor, typed: str) -> None:
    assert visitor.verify(typed).status_code == 422
    assert visitor.signup.code_tries == 0


def test_a_code_may_be_typed_in_two_groups(visitor: Visitor) -> None:
    code = newest_code()
    assert visitor.verify(f" {code[:3]} {code[3:]} ").status_code == 303


def test_a_new_mail_ends_the_old_link_and_code(visitor: Visitor) -> None:
    old_link, old_code = newest_link(), newest_code()
    assert visitor.browser.post("/signup/verify/", {"resend": "1"}).status_code == 422  # too soon
    with control_scope():
        SignUp.objects.update(sent_at=F("sent_at") - timedelta(minutes=2))
    assert visitor.browser.post("/signup/verify/", {"resend": "1"}).status_code == 303
    deliver()
    assert len(mail.outbox) == 2
    assert HostClient(APEX).get(old_link).status_code == 410
    assert HostClient(APEX).post(old_link).status_code == 410
    if old_code != newest_code():
        assert visitor.verify(old_code).status_code == 422
    assert visitor.verify(newest_code()).status_code == 303


def test_a_link_ends_with_its_day(visitor: Visitor) -> None:
    with control_scope():
        SignUp.objects.update(expires_at=timezone.now())
    assert HostClient(APEX).post(newest_link()).status_code == 410
    assert visitor.verify(newest_code()).status_code == 422
    assert _companies() == []


def test_a_lapsed_hold_is_renewed_while_the_address_is_free(visitor: Visitor) -> None:
    with control_scope():
        Hostname.objects.filter(state="held").update(expires_at=timezone.now())
    assert visitor.verify(newest_code()).status_code == 303
    assert len(_companies()) == 1


def test_when_the_address_is_gone_alternatives_come_before_anything_is_created(visitor: Visitor) -> None:
    with control_scope():
        Hostname.objects.filter(state="held").update(expires_at=timezone.now())
    faster = Visitor(email="sam@spark.example")
    faster.start()
    faster.choose("bright-electric")
    answer = visitor.verify(newest_code())
    assert (answer.status_code, answer["Location"]) == (303, "/signup/address/")
    assert _companies() == []
    page = visitor.browser.get("/signup/address/").content.decode()
    assert "Your e-mail is confirmed" in page
    assert "not available" in page
    answer = visitor.choose("bright-electric-home")
    assert answer["Location"].startswith("/progress/")
    assert [tenant.slug for tenant in _companies()] == ["bright-electric-home"]


def test_a_known_address_sees_the_same_pages_and_gets_another_mail() -> None:
    """AUN-17: nobody can find out who our customers are."""
    known, new = Visitor(email="olive@acme.example"), Visitor(email="nina@nova.example")
    pages = []
    for visitor, slug in ((known, "olives-second"), (new, "ninas-second")):
        answers = [visitor.start(), visitor.choose(slug)]
        page = visitor.browser.get("/signup/verify/").content.decode()
        pages.append([(a.status_code, a["Location"]) for a in answers])
        assert visitor.form["email"] in page
    assert pages[0] == pages[1]
    deliver()
    by_reader = {message.to[0]: message for message in mail.outbox}
    assert by_reader["olive@acme.example"].subject == "You already have a portal with us"
    assert "http://acme.portal.localhost/office/" in by_reader["olive@acme.example"].body
    assert "already" not in by_reader["nina@nova.example"].body
    assert "acme" not in by_reader["nina@nova.example"].body


def test_a_retried_delivery_sends_nothing_for_a_mail_that_was_replaced(visitor: Visitor) -> None:
    """R-TASK-2: effects are named by their key."""
    from signup.handlers import send_proof
    from tenants.models import ControlOutbox

    visitor.verify(newest_code())
    with control_scope():
        send_proof(ControlOutbox.objects.get(topic="signup.mail"))
    assert len(mail.outbox) == 1
