"""What the webhook's address accepts, stores and refuses."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.utils import timezone
from stripe import WebhookSignature

from portal.payments.intents import IntentFacts
from tenants.models import PaymentAccount, PlatformAuditEvent
from tenants.scope import control_scope
from tests.conftest import HostClient
from tests.portal.payments.bench import Bench
from tests.portal.payments.fixtures import CONNECT_SECRET, PLATFORM_SECRET
from webhooks.services.process import process_event


def event(bench: Bench, **changes: Any) -> dict[str, Any]:
    """Return a signed-worthy event of Acme's account."""
    return {
        "id": "evt_1test",
        "object": "event",
        "account": bench.account,
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_3test", "object": "payment_intent"}},
        **changes,
    }


def deliver(
    body: bytes,
    *,
    secret: str = CONNECT_SECRET,
    scope: str = "connect",
    age: int = 0,
    signature: str | None = None,
    host: str = "portal.localhost",
) -> int:
    """Post a delivery as Stripe does and return the answer's status."""
    at = int(time.time()) - age
    header = signature
    if header is None:
        computed = WebhookSignature._compute_signature(f"{at}.{body.decode()}", secret)
        header = f"t={at},v1={computed}"
    answer = HostClient(host).post(
        f"/webhooks/stripe/{scope}/",
        body,
        content_type="application/json",
        headers={"host": host, "stripe-signature": header},
    )
    return int(answer.status_code)


def test_a_signed_event_is_stored_and_answered(bench: Bench) -> None:
    """PAY-07."""
    assert deliver(json.dumps(event(bench)).encode()) == 200
    (row,) = bench.inbox().values()
    assert (row.state, row.account_id, row.object_id, row.deliveries) == ("received", bench.account, "pi_3test", 1)


def test_the_same_event_again_is_counted_and_not_stored(bench: Bench) -> None:
    """F9."""
    body = json.dumps(event(bench)).encode()
    assert {deliver(body) for _ in range(50)} == {200}
    (row,) = bench.inbox().values()
    assert row.deliveries == 50


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "whsec_wrong"},
        {"secret": PLATFORM_SECRET},
        {"age": 301},
        {"signature": ""},
        {"signature": "t=1,v1=00"},
        {"signature": "nonsense"},
    ],
)
def test_a_delivery_with_a_bad_signature_is_not_stored(bench: Bench, how: dict[str, Any]) -> None:
    """F12, F-59: wrong secret, the other endpoint's secret, stale, missing, garbage."""
    assert deliver(json.dumps(event(bench)).encode(), **how) == 400
    assert bench.inbox() == {}


def test_a_changed_byte_breaks_the_signature(bench: Bench) -> None:
    """F12."""
    body = json.dumps(event(bench)).encode()
    at = int(time.time())
    signature = f"t={at},v1={WebhookSignature._compute_signature(f'{at}.{body.decode()}', CONNECT_SECRET)}"
    assert deliver(body.replace(b"pi_3test", b"pi_3tesT"), signature=signature) == 400
    assert deliver(body, signature=signature) == 200


def test_either_secret_works_while_one_is_being_replaced(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAY-07."""
    from dataclasses import replace

    from django.conf import settings

    both = replace(settings.ENV, stripe_webhook_secrets_connect=("whsec_new", CONNECT_SECRET))
    monkeypatch.setattr(settings, "ENV", both)
    assert deliver(json.dumps(event(bench, id="evt_a")).encode(), secret="whsec_new") == 200
    assert deliver(json.dumps(event(bench, id="evt_b")).encode()) == 200


def webhook_refusals() -> list[tuple[str, str]]:
    """Return what our own audit says of deliveries that were refused."""
    with control_scope():
        rows = PlatformAuditEvent.objects.filter(action="webhook.refused", result="denied").order_by("pk")
        return [(row.target, row.reason) for row in rows]


def test_an_unknown_account_is_parked_with_200(bench: Bench) -> None:
    """F13, PAY-08: never a tenant by guess, even when the metadata names one; audited once a minute."""
    told = event(bench, account="acct_nobody")
    told["data"]["object"]["metadata"] = {"tenant": "01930000-0000-7000-8000-00000000ac3e"}
    assert {deliver(json.dumps({**told, "id": f"evt_{n % 2}"}).encode()) for n in range(4)} == {200}
    assert [(row.state, row.tenant_id) for row in bench.inbox().values()] == [("parked", None)] * 2
    assert webhook_refusals() == [("connect", "no company has the account acct_nobody")]


def test_a_delivery_that_died_before_its_audit_is_audited_when_it_is_told_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13: the row was there, and Stripe had no answer."""
    body = json.dumps(event(bench, account="acct_nobody")).encode()

    def die(**_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("webhooks.services.receive.note_refused", die)
        with pytest.raises(SystemExit):
            deliver(body)
    assert (len(bench.inbox()), webhook_refusals()) == (1, [])
    assert deliver(body) == 200
    assert len(webhook_refusals()) == 1


def test_an_event_of_the_other_mode_is_parked(bench: Bench) -> None:
    """F-59: a live endpoint may receive test events, and the other way round."""
    assert deliver(json.dumps(event(bench, livemode=True)).encode()) == 200
    assert [row.state for row in bench.inbox().values()] == ["parked"]
    assert webhook_refusals() == [("connect", "livemode is not ours")]


def test_what_is_parked_when_it_is_tried_was_not_refused(bench: Bench) -> None:
    """payments.md 3c.6: it is a matter between us and the company, and may be replayed."""
    body = json.dumps(event(bench, type="account.updated")).encode()
    assert deliver(body) == 200
    (row,) = bench.inbox().values()
    with control_scope():
        PaymentAccount.objects.filter(account_id=bench.account).update(account_id="acct_elsewhere")
    process_event(inbox_id=row.pk, now=timezone.now())
    assert deliver(body) == 200
    assert [row.state for row in bench.inbox().values()] == ["parked"]
    assert webhook_refusals() == []


def test_what_nothing_depends_on_is_ignored(bench: Bench) -> None:
    assert deliver(json.dumps(event(bench, type="charge.succeeded")).encode()) == 200
    assert [row.state for row in bench.inbox().values()] == ["ignored"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b'{"id": 1}', b"not json", b'{"object": "event"}'])
def test_signed_nonsense_is_refused(bench: Bench, body: bytes) -> None:
    assert deliver(body) == 400
    assert bench.inbox() == {}


def test_an_oversized_body_is_refused_unread(bench: Bench) -> None:
    assert deliver(b" " * (512 * 1024 + 1)) == 413


def test_the_address_exists_on_the_apex_only(bench: Bench) -> None:
    """PAY-08: the host says nothing about the company."""
    body = json.dumps(event(bench)).encode()
    assert deliver(body, host="acme.portal.localhost") == 404
    assert deliver(body, scope="elsewhere") == 404
    assert bench.inbox() == {}


def test_a_thin_event_is_stored_by_its_related_object(bench: Bench) -> None:
    from webhooks.services.receive import read_event

    thin = {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "v2.core.account[requirements].updated",
        "livemode": False,
        "created": "2026-11-21T10:00:00.000Z",
        "related_object": {"id": bench.account, "type": "v2.core.account", "url": "/v2/core/accounts/x"},
    }
    found = read_event(json.dumps(thin).encode())
    assert (found.account_id, found.object_id) == (bench.account, bench.account)


def test_secrets_stay_out_of_representations() -> None:
    """payments.md 5: client secrets never reach a log."""
    facts = IntentFacts("pi_3", "requires_action", 1, 0, "USD", {}, client_secret="pi_3_secret_x")
    assert "secret_x" not in repr(facts)
