"""The office's pages of autopay: list, filter, one permission with its history, pause and end (F-18, X-10)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from portal.accounts.models import StaffUser
from portal.autopay import errors
from portal.autopay.services import mandates, office
from portal.payments.models import AutopayMandate
from tenants.audit import Actor
from tenants.schema.models import AuditEvent
from tests.portal.autopay.allowing import ALICE, NOTICE, State, allow, mails, run
from tests.portal.autopay.test_charging import decline
from tests.portal.methods.keeping import methods
from tests.portal.methods.test_method_pages import office as office_browser
from tests.portal.payments.bench import Bench, later

LIST = "/office/payments/autopay"
OLIVE = Actor("staff", None, "Olive Owens")


def living(bench: Bench) -> AutopayMandate:
    with bench.acme():
        return AutopayMandate.objects.get()


def test_the_list_says_who_allows_what_and_what_comes(bench: Bench) -> None:
    """F-18: customer, method, limits, state, next charge; filters leave out the others."""
    mandate = allow(bench, cap=50_000, month_cap=90_000)
    run(bench)
    browser = office_browser(bench)
    html = browser.get(LIST).content.decode()
    for text in (
        "Alice Archer",
        "Visa ending 4242",
        "All invoices",
        "$500.00 an invoice",
        "$900.00 a month",
        "$412.50",
    ):
        assert text in html
    assert "Alice Archer" in browser.get(f"{LIST}?show=active").content.decode()
    for show in ("paused", "failed", "ended"):
        assert "No autopay is in this list" in browser.get(f"{LIST}?show={show}").content.decode()
    with bench.acme():
        mandates.revoke(customer_id=mandate.bill_to_id, mandate_id=mandate.pk, by=ALICE, now=later())
    assert "Nobody has turned on autopay yet" in browser.get(LIST).content.decode()
    assert "Ended" in browser.get(f"{LIST}?show=ended").content.decode()


def test_what_failed_stands_in_the_list_with_its_reason(bench: Bench) -> None:
    """X-10: a list of declines, and the history of each."""
    mandate = allow(bench)
    decline(bench)
    run(bench)
    run(bench, NOTICE + 1)
    run(bench, NOTICE + 5)
    browser = office_browser(bench)
    html = browser.get(f"{LIST}?show=failed").content.decode()
    assert "Failed twice" in html
    assert "Paused: failed twice" in html
    html = browser.get(f"{LIST}/{mandate.pk}").content.decode()
    assert "Two charges failed" in html
    assert html.count("A charge failed") == 2
    assert "Allowed" in html
    assert f'href="{LIST}/{mandate.pk}"' in browser.get("/office/payments/received").content.decode()


def test_the_office_pauses_and_only_the_office_goes_on(bench: Bench) -> None:
    """F-18: audited, the customer is told by whom; not charged; the customer's own button is refused."""
    mandate = allow(bench)
    run(bench)
    browser = office_browser(bench)
    address = f"{LIST}/{mandate.pk}"
    assert browser.post(f"{address}/change", {"do": "hold"})["Location"] == address
    assert "Paused by the office" in browser.get(address).content.decode()
    with bench.acme():
        event = AuditEvent.objects.get(action="autopay.paused")
    assert (event.actor_kind, event.actor_label, event.object_id) == ("staff", "Olive Owens", mandate.pk)
    assert any("Autopay is paused for Alice Archer" in subject for subject in mails(bench))
    (told,) = [m for m in mail.outbox if "Autopay is paused" in str(m.subject) and m.to == ["alice@example.com"]]
    assert "Acme Heating & Air" in str(told.body)
    assert "Olive" not in str(told.body)
    run(bench, NOTICE + 1)
    assert bench.charged() == 0
    hers = bench.browser()
    assert "Our office paused it" in hers.get("/pay/autopay/").content.decode()
    hers.post(f"/pay/autopay/{mandate.pk}/change", {"do": "resume"})
    assert living(bench).state == State.PAUSED
    browser.post(f"{address}/change", {"do": "release"})
    assert living(bench).state == State.ACTIVE


def test_what_the_office_paused_stays_paused_under_new_limits(bench: Bench) -> None:
    """F-18; and no mail says that it is on."""
    mandate = allow(bench)
    with bench.acme():
        office.hold(mandate_id=mandate.pk, by=OLIVE, now=later())
    mails(bench)
    mail.outbox.clear()
    changed = allow(bench, row=methods(bench)[0], cap=200_000)
    assert (changed.state, changed.paused_because) == (State.PAUSED, "office")
    assert [subject for subject in mails(bench) if "utopay" in subject] == [
        "The limits of autopay for Alice Archer at Acme Heating & Air are changed"
    ]


def test_the_office_never_goes_on_with_what_the_customer_paused(bench: Bench) -> None:
    """F-18, PAY-20."""
    mandate = allow(bench)
    with bench.acme():
        mandates.pause(customer_id=mandate.bill_to_id, mandate_id=mandate.pk, by=ALICE, now=later())
        with pytest.raises(errors.NotActive):
            office.hold(mandate_id=mandate.pk, by=OLIVE, now=later())
        with pytest.raises(errors.NotHeld):
            office.release(mandate_id=mandate.pk, by=OLIVE, now=later())
    office_browser(bench).post(f"{LIST}/{mandate.pk}/change", {"do": "release"})
    assert (living(bench).state, living(bench).paused_because) == (State.PAUSED, "customer")


def test_the_office_ends_it_after_a_question_and_only_the_customer_allows_it_anew(bench: Bench) -> None:
    """F-18."""
    mandate = allow(bench)
    browser, address = office_browser(bench), f"{LIST}/{mandate.pk}"
    assert "End the autopay of Alice Archer?" in browser.get(f"{address}?ask=end").content.decode()
    assert living(bench).state == State.ACTIVE
    browser.post(f"{address}/change", {"do": "end"})
    assert living(bench).state == State.REVOKED
    for do in ("release", "hold", "end"):
        browser.post(f"{address}/change", {"do": do})
    assert living(bench).state == State.REVOKED
    assert any("Autopay is off" in subject for subject in mails(bench))


@pytest.mark.parametrize("form", [{"do": "terms", "cap": "9999"}, {"cap_cents": "9999999"}, {}])
def test_the_office_has_no_way_to_a_higher_limit(bench: Bench, form: Any) -> None:
    """F-18: what a customer allows is theirs alone."""
    mandate = allow(bench)
    assert office_browser(bench).post(f"{LIST}/{mandate.pk}/change", form).status_code == 404
    assert (living(bench).cap_cents, living(bench).state) == (100_000, State.ACTIVE)


def test_who_may_only_read_changes_nothing(bench: Bench) -> None:
    """datamodel.md 6.5: customer service sees the list; pausing and ending is for those who look after money."""
    mandate = allow(bench)
    with bench.acme():
        StaffUser.objects.update(role=StaffUser.Role.CSR)
    browser, address = office_browser(bench), f"{LIST}/{mandate.pk}"
    html = browser.get(address).content.decode()
    assert "Alice Archer" in html
    assert 'value="hold"' not in html
    assert browser.post(f"{address}/change", {"do": "hold"}).status_code == 403
    assert living(bench).state == State.ACTIVE
