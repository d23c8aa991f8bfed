"""What nobody sends by accident: refused with a clear answer, audited, and nothing of it is written or charged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from portal.invoices.models import Invoice
from portal.payments.models import PaymentAttempt
from portal.payments.services.refusals import OFTEN
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.portal.sharing.making import make_link
from tests.portal.sharing.test_pay_by_link import WHO, visit
from tests.webhooks.test_receiving import deliver, event, webhook_refusals
from webhooks.services.process import due_events, process_event

from .bench import Bench, later
from .test_pages import form_of, submit, url_of
from .test_parts_and_several import settle_on


def written(bench: Bench) -> Any:
    """Return everything that money leaves behind: ours, and what Stripe was asked for."""
    with bench.acme():
        attempts = list(PaymentAttempt.objects.order_by("pk").values_list("pk", "state"))
        effects = OutboxEvent.objects.count()
    return bench.ledger(), attempts, effects, [intent.id for intent in bench.intents()]


@contextmanager
def nothing_is_written(bench: Bench) -> Iterator[None]:
    """Fail unless the block leaves the money as it was."""
    before = written(bench)
    yield
    assert written(bench) == before


def refusals(bench: Bench) -> list[tuple[str, Any]]:
    """Return what the company's audit says was refused, and on whose account."""
    with bench.acme():
        rows = AuditEvent.objects.filter(action="payment.refused").order_by("pk")
        return [(row.actor_label, (row.after or {})["because"]) for row in rows]


FORMS: list[tuple[dict[str, str], str, int, str]] = [
    ({"seen_cents": "100"}, "AmountChanged", 303, "changed=1"),
    ({"seen_cents": "-41250"}, "FormReused", 409, "Nothing was charged"),
    ({"seen_cents": "41250.50"}, "FormReused", 409, "Nothing was charged"),
    ({"part": "part", "amount": "-5.00"}, "PartUnreadable", 409, "amount"),
    ({"part": "part", "amount": "412.51"}, "PartTooLarge", 409, "$412.50"),
    ({"form_key": "not-a-key"}, "FormReused", 409, "Nothing was charged"),
    ({"token": "pi_1234"}, "FormReused", 409, "Nothing was charged"),
    ({"method": str(uuid4()), "token": ""}, "MethodGone", 409, "Nothing was charged"),
]


@pytest.mark.parametrize(("changes", "because", "status", "said"), FORMS)
def test_a_form_that_was_tampered_with_is_refused(
    bench: Bench, changes: dict[str, str], because: str, status: int, said: str
) -> None:
    """Amount changed in the form, negative, over the balance, nonsense (PAY-03, PAY-06, PAY-20)."""
    browser, url, token = bench.browser(), url_of(bench), bench.token()
    with nothing_is_written(bench):
        answer = submit(browser, url, token, changes=changes)
    assert answer.status_code == status
    assert said in answer.content.decode() + answer.get("Location", "")
    assert refusals(bench) == [("Alice Archer", because)]


@pytest.mark.parametrize("other", ["bob's", "nobody's"])
def test_a_foreign_invoice_is_not_found(bench: Bench, other: str) -> None:
    """AUZ-02: whether it exists is not told; that it was tried is written down."""
    browser, token = bench.browser(), bench.token()
    invoice_id = bench.invoice("1044").pk if other == "bob's" else uuid4()
    form = {"form_key": uuid4(), "seen_cents": 66000, "token": token}
    with nothing_is_written(bench):
        assert browser.post(f"/pay/{invoice_id}", form).status_code == 404
        settle_on(**{"pay.multi": True})
        several = f"/pay/?invoice={bench.invoice().pk}&invoice={invoice_id}"
        assert browser.post(several, form).status_code == 404
    assert refusals(bench) == [("Alice Archer", "not found")] * 2


def test_a_void_invoice_is_not_paid(bench: Bench) -> None:
    """From a page that was open before, signed in and by link."""
    alice, url, token = bench.browser(), url_of(bench), bench.token()
    form = {**form_of(alice.get(url).content.decode()), "token": token}
    pat, link_url = visit(make_link())
    link_form = {**form_of(pat.get(link_url).content.decode()), **WHO, "token": token}
    with bench.acme():
        Invoice.objects.filter(number="1042").update(status="void", voided_at=timezone.now())
    with nothing_is_written(bench):
        assert alice.post(url, form).status_code == 404
        assert pat.post(link_url, link_form).status_code == 410
    assert [because for _who, because in refusals(bench)] == ["not found", "withdrawn"]


def test_a_replayed_form_pays_nothing_more(bench: Bench) -> None:
    """F5: for whoever has sent it the same answer; for anybody else, or for another invoice, a refusal."""
    alice, url = bench.browser(), url_of(bench)
    form = {**form_of(alice.get(url).content.decode()), "token": bench.token()}
    first = alice.post(url, form)
    pat, link_url = visit(make_link("1043"))
    with nothing_is_written(bench):
        assert alice.post(url, form)["Location"] == first["Location"]
        stolen = {**form, **WHO, "seen_cents": "12900"}
        answer = pat.post(link_url, stolen)
        assert answer.status_code == 409
        assert "Nothing was charged" in answer.content.decode()
        assert alice.post(url_of(bench, "1043"), {**form, "seen_cents": "12900"}).status_code == 409
    assert [because for _who, because in refusals(bench)] == ["FormReused", "FormReused"]
    assert bench.charged() == 41250


BAD_DELIVERIES: list[tuple[dict[str, Any], str]] = [
    ({"signature": ""}, "BadSignature"),
    ({"secret": "whsec_wrong"}, "BadSignature"),
    ({"age": 301}, "BadSignature"),
]


@pytest.mark.parametrize(("how", "reason"), BAD_DELIVERIES)
def test_an_unsigned_or_old_webhook_is_refused(bench: Bench, how: dict[str, Any], reason: str) -> None:
    """F12: once a minute it is written down that somebody knocks, however often they do."""
    bench.pay("1043", method="pm_card_threeDSecure2Required")
    body = json.dumps(event(bench, type="payment_intent.succeeded")).encode()
    with nothing_is_written(bench):
        assert {deliver(body, **how) for _ in range(5)} == {400}
        assert bench.inbox() == {}
    assert webhook_refusals() == [("connect", reason)]


def test_signed_nonsense_is_refused_and_audited(bench: Bench) -> None:
    with nothing_is_written(bench):
        assert deliver(b'{"object": "event"}') == 400
    assert webhook_refusals() == [("connect", "BadEvent")]


@pytest.mark.parametrize("whose", ["globex", "nobody"])
def test_an_event_of_another_account_moves_nothing(bench: Bench, whose: str) -> None:
    """F13, PAY-08: it names Acme's payment, but comes from an account that is not Acme's."""
    attempt = bench.pay("1042", method="pm_card_threeDSecure2Required").attempt
    bench.as_bank(attempt, passed=True)
    account = bench.other_account if whose == "globex" else "acct_nobody"
    told = event(bench, account=account)
    told["data"]["object"] = {"id": attempt.stripe_pi_id, "object": "payment_intent"}
    with nothing_is_written(bench):
        assert deliver(json.dumps(told).encode()) == 200
        for inbox_id in due_events(later(minutes=2)):
            process_event(inbox_id=inbox_id, now=later())
    (row,) = bench.inbox().values()
    assert row.state in ("parked", "failed")
    assert row.error
    assert webhook_refusals() == ([] if whose == "globex" else [("connect", "no company has the account acct_nobody")])
    bench.deliver_mail()


def test_whoever_keeps_trying_does_not_fill_the_books(bench: Bench) -> None:
    browser, url = bench.browser(), url_of(bench)
    form = {**form_of(browser.get(url).content.decode()), "token": "nonsense"}
    for _ in range(OFTEN + 5):
        assert browser.post(url, form).status_code == 409
    assert len(refusals(bench)) == OFTEN
