"""Parked events are seen by operators and can be worked off once more."""

from uuid import UUID

import pytest

from console.selectors import seconds
from infra.ids import uuid7
from tenants.models import PlatformAuditEvent
from tests.cast import ACME, NOW, STAFF_PASSWORD
from tests.conftest import HostClient
from webhooks.models import WebhookInbox


@pytest.fixture
def parked(control: object) -> UUID:
    """One event that nobody could act on."""
    row = WebhookInbox.objects.create(
        event_id="evt_parked",
        scope="connect",
        account_id="acct_acme",
        tenant_id=ACME,
        type="payment_intent.succeeded",
        object_id="pi_somebody_elses",
        livemode=False,
        payload={"secret": "CANARY-PAYLOAD"},
        state="parked",
        error="amount and attempt disagree",
        next_at=NOW,
        received_at=NOW,
    )
    return row.pk


def test_an_operator_sees_why_an_event_is_parked_and_replays_it(parked: UUID) -> None:
    """O-08, R-TASK-5: dead letters are never silent; the payload stays out of the page."""
    client = HostClient("console.localhost")
    client.post("/sign-in/", {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD})
    page = client.get("/webhooks/").content.decode()
    assert "amount and attempt disagree" in page
    assert "Acme Heating &amp; Air" in page
    assert "CANARY-PAYLOAD" not in page
    assert client.post(f"/webhooks/{parked}/replay/").status_code == 302
    row = WebhookInbox.objects.get(pk=parked)
    assert (row.state, row.attempts) == ("received", 0)
    assert PlatformAuditEvent.objects.get(action="webhook.replayed").target == "evt_parked"


def test_the_overview_says_that_an_event_is_parked(parked: UUID) -> None:
    """O-01, O-08: the first page does not call the fleet well and leave it at that."""
    client = HostClient("console.localhost")
    client.post("/sign-in/", {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD})
    page = client.get("/").content.decode()
    assert "One webhook needs you." in page
    assert 'href="/webhooks/"' in page.split('class="card card--lit"')[1].split("</section>")[0]
    WebhookInbox.objects.update(state="done", done_at=NOW)
    assert "One webhook" not in client.get("/").content.decode()


def test_an_event_that_is_done_or_unknown_cannot_be_replayed(parked: UUID) -> None:
    """PAY-09: what was acted on is not acted on again by hand."""
    client = HostClient("console.localhost")
    client.post("/sign-in/", {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD})
    WebhookInbox.objects.update(state="done", done_at=NOW)
    for event in (parked, uuid7()):
        assert client.post(f"/webhooks/{event}/replay/").status_code == 404


def test_waiting_is_told_in_units_that_people_can_weigh() -> None:
    """O-01: a number of minutes with four digits says nothing."""
    said = [seconds(value).replace("\xa0", " ") for value in (2.25, 61, 3_599, 3_600, 2_680 * 60)]
    assert said == ["2.2 s", "1 min", "59 min", "1 hour", "1 day"]
