"""The plan as owners and operators see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.services.trial import extend_trial
from console import cli
from tests.billing.conftest import OLIVE, Biller, day
from tests.cast import ACME


def test_the_office_shows_the_trial_and_its_end(biller: Biller) -> None:
    """The days come from the plan; the owner reads them where the day begins."""
    browser = biller.office()
    assert "30 days of your trial are left" in browser.get("/office/").content.decode()
    page = browser.get("/office/plan/").content.decode()
    assert "30 days are left" in page
    assert "$49.00 a month" in page
    assert "Choose Porch" in page


def test_the_owner_is_sent_to_stripes_pages_and_back(biller: Biller) -> None:
    browser = biller.office()
    sent = browser.post("/office/plan/subscribe", {"plan": str(biller.plan().pk)})
    assert sent.status_code == 303
    assert "/pages/checkout/" in sent.headers["Location"]
    biller.press(sent.headers["Location"], card="4242424242424242")
    assert browser.get("/office/plan/return").headers["Location"] == "/office/plan/"
    page = browser.get("/office/plan/").content.decode()
    assert "From then on $49.00 a month is charged to your card." in page
    assert "trial are left" not in browser.get("/office/").content.decode()
    assert "/pages/portal/" in browser.post("/office/plan/manage").headers["Location"]


def test_only_owner_and_administrators_may_change_the_plan(biller: Biller) -> None:
    for role in ("manager", "csr", "accountant"):
        browser = biller.office(role)
        assert browser.get("/office/plan/").status_code == 200
        assert "Choose Porch" not in browser.get("/office/plan/").content.decode()
        assert browser.post("/office/plan/subscribe", {"plan": str(biller.plan().pk)}).status_code == 403
        assert browser.post("/office/plan/manage").status_code == 403
    assert biller.office("admin").post("/office/plan/subscribe", {"plan": str(biller.plan().pk)}).status_code == 303


def test_stripe_away_is_said_and_nothing_is_lost(biller: Biller) -> None:
    """F23."""
    browser = biller.office()
    biller.bench.break_api("503", path="^/v1/customers", times=3)
    answer = browser.post("/office/plan/subscribe", {"plan": str(biller.plan().pk)}, follow=True)
    assert "Stripe didn’t answer. Nothing was lost" in answer.content.decode()
    biller.bench.heal()
    assert "/pages/checkout/" in browser.post("/office/plan/subscribe", {"plan": str(biller.plan().pk)})["Location"]


def test_nonsense_instead_of_a_plan_is_refused(biller: Biller) -> None:
    browser = biller.office()
    for plan in ("", "porch", "01930000-0000-7000-8000-000000000001"):
        answer = browser.post("/office/plan/subscribe", {"plan": plan}, follow=True)
        assert "This plan can’t be chosen any more" in answer.content.decode()


def test_an_operator_sees_the_standing_and_extends_the_trial(biller: Biller) -> None:
    """O-03, O-07."""
    console = biller.console()
    page = console.get(f"/tenants/{ACME}/").content.decode()
    assert "In its trial" in page
    assert "Extend trial…" in page
    ends = biller.now + timedelta(days=30)
    url = f"/tenants/{ACME}/trial/"
    assert console.post(url, {"days": "0", "reason": "goodwill"}).status_code == 422
    assert console.post(url, {"days": "14", "reason": ""}).status_code == 422
    assert console.post(url, {"days": "14", "reason": "goodwill"}).status_code == 302
    assert day(biller.row().trial_ends_at) == day(ends + timedelta(days=14))
    (audit,) = biller.audit("billing.trial_extended")
    assert (audit.actor_kind, audit.actor_label, audit.reason) == ("operator", "oscar@porchlight.example", "goodwill")
    assert "44 days are left" in biller.office().get("/office/plan/").content.decode()


def test_an_operator_finds_who_owes(biller: Biller) -> None:
    """O-02, O-07."""
    console = biller.console()
    assert "Acme Heating" not in console.get("/tenants/?view=owing").content.decode()
    biller.pass_days(31, stripe=False)
    assert "Acme Heating" in console.get("/tenants/?view=owing").content.decode()
    page = console.get(f"/tenants/{ACME}/").content.decode()
    assert "notices: 1" in page


def test_an_operator_without_the_right_finds_no_such_page(biller: Biller) -> None:
    from console.models import Operator
    from tenants.scope import control_scope

    console = biller.console()
    with control_scope():
        Operator.objects.update(role="support")
    assert console.get(f"/tenants/{ACME}/trial/").status_code == 404
    assert "Extend trial…" not in console.get(f"/tenants/{ACME}/").content.decode()


def test_extending_a_trial_opens_an_office_that_was_held_for_it(biller: Biller) -> None:
    for days in (31, 8, 8):
        biller.pass_days(days, stripe=False)
    assert biller.holds() == ["office"]
    extend_trial(tenant_id=ACME, days=7, reason="asked", by=OLIVE, now=biller.now)
    assert biller.holds() == []
    assert day(biller.row().trial_ends_at) == day(biller.now + timedelta(days=7))


def test_extending_a_trial_with_a_card_tells_stripe(biller: Biller) -> None:
    biller.subscribe()
    ends = biller.row().trial_ends_at
    extend_trial(tenant_id=ACME, days=7, reason="asked", by=OLIVE, now=biller.now)
    double = biller.bench.running.double
    with double.lock:
        subscription = next(iter(double.store.books["acct_1Platform00000"].kind("subscription").values()))
        assert subscription["trial_end"] == int((ends + timedelta(days=7)).timestamp())
    biller.hear()
    assert biller.row().trial_ends_at == ends + timedelta(days=7)


def test_who_pays_has_no_trial_to_extend(biller: Biller) -> None:
    biller.subscribe()
    biller.pass_days(31)
    answer = biller.console().post(f"/tenants/{ACME}/trial/", {"days": "7", "reason": "asked"})
    assert answer.status_code == 422
    assert "has a plan and no trial any more" in answer.content.decode()
    assert biller.audit("billing.trial_extended") == []


def test_the_terminal_shows_syncs_and_extends(biller: Biller, capsys: pytest.CaptureFixture[str]) -> None:
    """platform.md 3.11."""
    ends = biller.now + timedelta(days=30)
    words = ["billing", "extend-trial", "acme", "--days", "7", "--reason", "asked"]
    assert cli.main([*words, "--dry-run"]) == cli.OK
    assert biller.audit("billing.trial_extended") == []
    assert cli.main(words) == cli.OK
    assert day(biller.row().trial_ends_at) == day(ends + timedelta(days=7))
    assert biller.audit("billing.trial_extended")[0].surface == "cli"
    assert cli.main([*words[:4], "0", *words[5:]]) == cli.REFUSED
    biller.press(biller.checkout(), card="4242424242424242")
    assert cli.main(["billing", "sync", "acme", "--dry-run"]) == cli.OK
    assert "trialing" in capsys.readouterr().out
    assert biller.row().status == ""
    assert cli.main(["billing", "sync", "acme"]) == cli.OK
    assert biller.row().status == "trialing"
    assert cli.main(["billing", "show", "acme"]) == cli.OK
    assert "Paying" in capsys.readouterr().out
    assert cli.main(["billing", "show", "nobody"]) == cli.NOT_FOUND
    biller.bench.break_api("503", path="^/v1/subscriptions", method="GET", times=3)
    assert cli.main(["billing", "sync", "acme"]) == cli.REFUSED
