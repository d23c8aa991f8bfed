"""Changing one's mind: before the company opens the address is free again, afterwards never (check 18)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from provisioning.ledger import Superseded, begin_step, finish_step, open_run
from provisioning.models import Run
from provisioning.services import TooLate
from signup.models import SignUp
from signup.services.cancel import cancel_signup
from tenants.models import Hostname, PlatformAuditEvent, Tenant
from tenants.scope import control_scope
from tests.conftest import HostClient
from tests.signup.visitor import APEX, Visitor, newest_code, newest_link

pytestmark = pytest.mark.usefixtures("db")
CANCEL = "/signup/cancel/"


def _verified(**form: str) -> Visitor:
    visitor = Visitor(**form)
    visitor.begin()
    assert visitor.verify(newest_code()).status_code == 303
    return visitor


def _run(visitor: Visitor) -> Run:
    with control_scope():
        return Run.objects.get(tenant__signup=visitor.signup)


def test_a_held_address_is_given_back_and_the_mail_is_worth_nothing_any_more() -> None:
    visitor = Visitor()
    visitor.begin()
    link, code = newest_link(), newest_code()
    assert CANCEL in visitor.browser.get("/signup/verify/").content.decode()
    assert "bright-electric.portal.localhost" in visitor.browser.get(CANCEL).content.decode()
    assert visitor.browser.post(CANCEL)["Location"] == "/"
    with control_scope():
        assert not Hostname.objects.filter(name="bright-electric").exists()
    assert HostClient(APEX).post(link).status_code == 410
    assert visitor.verify(code)["Location"] == "/signup/"
    assert visitor.browser.post(CANCEL)["Location"] == "/signup/"
    other = Visitor(email="other@example.com")
    other.begin()
    assert other.verify(newest_code()).status_code == 303


def test_a_company_that_has_not_opened_is_given_up_and_its_address_is_somebody_elses() -> None:
    """Transition 5: the row stays with its history, the name is free at once, one audit row says who."""
    visitor = _verified()
    page = visitor.browser.get(f"/progress/{_run(visitor).pk}/")
    assert CANCEL in page.content.decode()
    answer = visitor.browser.post(CANCEL)
    tenant = visitor.signup.tenant
    assert tenant
    assert (tenant.lifecycle, tenant.slug) == ("purging", f"gone-{tenant.pk.hex}")
    assert _run(visitor).state == "compensating"
    with control_scope():
        audit = PlatformAuditEvent.objects.get(action="tenant.canceled", tenant_id=tenant.pk)
    assert (audit.target, audit.actor_kind) == ("bright-electric", "visitor")
    page = visitor.browser.get(answer["Location"])
    assert page.context["state"] == "canceled"
    assert "bright-electric.portal.localhost is free again" in page.content.decode()
    assert "data-poll-url" not in page.content.decode()
    other = _verified(email="other@example.com")
    assert other.signup.tenant
    assert other.signup.tenant.slug == "bright-electric"
    assert visitor.browser.post(CANCEL).status_code == 303
    with control_scope():
        assert Hostname.objects.get(name="bright-electric").tenant_id == other.signup.tenant.pk


def test_who_drives_a_canceled_run_can_record_nothing_more() -> None:
    visitor = _verified()
    now, run_id = timezone.now(), _run(visitor).pk
    open_run(run_id, now)
    begin_step(run_id, "reserve", now)
    visitor.browser.post(CANCEL)
    with pytest.raises(Superseded):
        finish_step(run_id, "reserve", start=1, result={}, last=False, now=now)
    with pytest.raises(Superseded):
        begin_step(run_id, "build_slot", now)
    assert open_run(run_id, now + timedelta(minutes=5)) is None


def test_a_company_that_has_opened_cannot_be_canceled() -> None:
    """HOST-06: whatever the page of another tab still says; nothing changes, and the button is offered no more."""
    visitor = _verified()
    run = _run(visitor)
    with control_scope():
        Tenant.objects.filter(pk=run.tenant_id).update(
            lifecycle="active",
            first_activated_at=timezone.now(),
            schema_name="t_00000000000000000000beef",
            schema_fingerprint="x",
        )
    for ask in (visitor.browser.get, visitor.browser.post):
        assert ask(CANCEL)["Location"] == f"/progress/{run.pk}/"
    assert CANCEL not in visitor.browser.get(f"/progress/{run.pk}/").content.decode()
    with control_scope(), pytest.raises(TooLate), transaction.atomic():
        cancel_signup(signup_id=visitor.signup.pk, ip=None, now=timezone.now())
    assert (visitor.signup.state, _run(visitor).state) == (SignUp.State.VERIFIED, "queued")
    with control_scope():
        assert Hostname.objects.get(name="bright-electric").tenant_id == run.tenant_id


def test_a_stranger_cancels_nothing() -> None:
    visitor = _verified()
    assert HostClient(APEX).post(CANCEL)["Location"] == "/signup/"
    assert _run(visitor).state == "queued"


def test_the_form_of_a_canceled_sign_up_begins_a_new_one(client: Any) -> None:
    visitor = Visitor()
    visitor.begin()
    visitor.browser.post(CANCEL)
    assert visitor.start()["Location"] == "/signup/"
    fresh = visitor.browser.get("/signup/").context["form"]
    assert str(fresh["form_key"].value()) != visitor.form["form_key"]
