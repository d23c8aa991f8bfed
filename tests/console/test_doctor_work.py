"""The doctor finds what is wrong with schemas, stock and queues: each thing is really broken here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from console import cli
from provisioning.budget import measure
from provisioning.fence import direct_connection, lock_key
from provisioning.models import MigrationState, MigrationWave, Run, SchemaSlot
from provisioning.schemas import current_release
from tenants.checks import MAX_RELATIONS, MAX_TABLES
from tenants.config.registry import POOL_TARGET
from tenants.models import ControlOutbox, SettingValue, Tenant
from tenants.schema.models import OutboxEvent
from tenants.scope import control_scope, tenant_scope
from tests.cast import ACME as ACME_ID
from tests.console.diagnosis import finding
from tests.provisioning.schemas import alter
from webhooks.models import WebhookInbox

pytestmark = pytest.mark.usefixtures("alone")

ACME = "t_ac3e00000000000000000001"
Capture = pytest.CaptureFixture[str]


def _ago(**ago: int) -> datetime:
    return timezone.now() - timedelta(**ago)


def _slot(**values: Any) -> str:
    name = f"t_{uuid4().hex}"
    facts = {"release": current_release(), "created_at": _ago(minutes=1), "built_at": _ago(minutes=1)}
    with control_scope():
        SchemaSlot.objects.create(schema_name=name, fingerprint="f" * 64, **(facts | values))
    return name


def _want(slots: int) -> None:
    with control_scope():
        SettingValue.objects.filter(key=POOL_TARGET.name).update(value=slots)


def test_a_table_in_both_halves_is_found(capsys: Capture) -> None:
    """ISO-09, D03b: in what exists, not only in the code."""
    assert finding(capsys, "schemas.halves")[0] == "ok"
    alter(f"CREATE TABLE {ACME}.tenants_tenant (id uuid)")
    state, says = finding(capsys, "schemas.halves")
    assert state == "failed"
    assert "tenants_tenant" in says
    assert ACME in says


def test_ledger_and_catalogue_are_compared(capsys: Capture) -> None:
    """ISO-31."""
    assert finding(capsys, "schemas.ledger")[0] == "ok"
    alter("CREATE SCHEMA t_0123456789ab")
    state, says = finding(capsys, "schemas.ledger")
    assert (state, "t_0123456789ab" in says) == ("warning", True)
    missing = _slot(state="ready")
    state, says = finding(capsys, "schemas.ledger")
    assert (state, missing in says) == ("failed", True)


def test_a_really_migrated_schema_is_within_its_budget(capsys: Capture) -> None:
    """OPS-21, Decided 14: tables, relations with indexes and TOAST, no identity columns, keys that are UUIDs."""
    found = measure(ACME)
    assert found.problems() == []
    assert 0 < found.tables <= MAX_TABLES
    assert found.tables < found.relations <= MAX_RELATIONS
    state, says = finding(capsys, "schemas.budget")
    assert state == "ok"
    with control_scope():
        newest = SchemaSlot.objects.order_by("-built_at")[0].schema_name
    assert f"{measure(newest).tables} of 60 tables, {measure(newest).relations} of 400 relations" in says


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "DO $$ BEGIN FOR n IN 1..60 LOOP EXECUTE format('CREATE TABLE {0}.more_%s (id uuid PRIMARY KEY)', n);"
            " END LOOP; END $$",
            "tables, more than 60",
        ),
        (
            "DO $$ BEGIN FOR n IN 1..400 LOOP EXECUTE format('CREATE INDEX more_%s ON {0}.core_outboxevent (id)', n);"
            " END LOOP; END $$",
            "relations, more than 400",
        ),
        ("CREATE TABLE {0}.more (id bigint GENERATED ALWAYS AS IDENTITY)", "the identity column more.id"),
        ("CREATE SEQUENCE {0}.more", "the sequence more"),
        ("CREATE TABLE {0}.more (id bigint PRIMARY KEY)", "the table more, whose key is no UUID"),
        ("CREATE TABLE {0}.more (id uuid)", "the table more, whose key is no UUID"),
    ],
)
def test_a_schema_over_its_budget_is_found(statement: str, says: str, capsys: Capture) -> None:
    """OPS-21."""
    with control_scope():
        newest = SchemaSlot.objects.order_by("-built_at", "schema_name")[0].schema_name
        SchemaSlot.objects.exclude(schema_name=newest).update(built_at=_ago(days=900))
    alter(statement.format(newest))
    state, said = finding(capsys, "schemas.budget")
    assert (state, says in said) == ("failed", True), said


def test_a_schema_with_another_fingerprint_is_found_by_the_ledger_and_by_looking(capsys: Capture) -> None:
    """platform.md 4.3."""
    assert finding(capsys, "schemas.fingerprints", "--deep")[0] == "ok"
    alter(f"ALTER TABLE {ACME}.core_auditevent ADD COLUMN extra int")
    assert finding(capsys, "schemas.fingerprints")[0] == "ok"
    state, says = finding(capsys, "schemas.fingerprints", "--deep")
    assert (state, ACME in says) == ("failed", True)
    alter(f"ALTER TABLE {ACME}.core_auditevent DROP COLUMN extra")
    assert finding(capsys, "schemas.fingerprints", "--deep")[0] == "ok"
    with control_scope():
        Tenant.objects.filter(pk=ACME_ID).update(schema_fingerprint="0" * 64)
    state, says = finding(capsys, "schemas.fingerprints")
    assert (state, ACME in says) == ("failed", True)


def test_a_release_that_is_not_everywhere_is_found(capsys: Capture) -> None:
    """platform.md 3.7: left behind is said, failed is a failure."""
    assert finding(capsys, "schemas.releases")[0] == "ok"
    with control_scope():
        SchemaSlot.objects.filter(schema_name=ACME).update(release="yesterday")
    assert finding(capsys, "schemas.releases")[0] == "warning"
    with control_scope():
        wave = MigrationWave.objects.create(
            release=current_release(), position=1, name="one percent", budget=3, created_at=timezone.now()
        )
        MigrationState.objects.create(
            wave=wave,
            release=current_release(),
            from_release="yesterday",
            schema_name=ACME,
            state="failed",
            error="no",
            next_at=timezone.now(),
        )
    state, says = finding(capsys, "schemas.releases")
    assert (state, ACME in says) == ("failed", True)


def test_an_empty_pool_is_found(capsys: Capture) -> None:
    _want(3)
    assert finding(capsys, "stock.pool")[0] == "failed"
    _slot(state="ready")
    assert finding(capsys, "stock.pool")[0] == "warning"
    for _ in range(2):
        _slot(state="ready")
    assert finding(capsys, "stock.pool") == ("ok", "3 schemas wait, 3 should.")


@pytest.mark.parametrize("left", [{"state": "dirty"}, {"state": "building", "created_at": _ago(hours=1)}])
def test_schemas_that_nobody_clears_away_are_found(left: dict[str, Any], capsys: Capture) -> None:
    """Acceptance check 20: shown as dirty."""
    assert finding(capsys, "stock.dirty")[0] == "ok"
    name = _slot(**left)
    state, says = finding(capsys, "stock.dirty")
    assert (state, name in says) == ("failed", True)


@pytest.mark.parametrize(("state", "says"), [("parked", "are parked"), ("queued", "Nobody drives")])
def test_runs_that_stand_still_are_found(state: str, says: str, capsys: Capture) -> None:
    """Acceptance check 16."""
    assert finding(capsys, "stock.runs")[0] == "ok"
    with control_scope():
        run = Run.objects.create(
            kind="provision",
            tenant_id=ACME_ID,
            state=state,
            current_step="probe",
            next_at=_ago(minutes=10),
            created_at=_ago(minutes=20),
        )
    found, said = finding(capsys, "stock.runs")
    assert found == "failed"
    assert says in said
    assert f"{run.pk} (acme" in said


def test_old_and_dead_rows_of_the_platforms_outbox_are_found(capsys: Capture) -> None:
    """OPS-05: the oldest outbox row."""
    assert finding(capsys, "queues.control")[0] == "ok"
    facts = {"topic": "welcome", "next_at": _ago(minutes=10), "created_at": _ago(minutes=10)}
    with control_scope():
        row = ControlOutbox.objects.create(key="a", **facts)
    state, says = finding(capsys, "queues.control")
    assert (state, "due for 10 minutes" in says) == ("failed", True)
    with control_scope():
        ControlOutbox.objects.filter(pk=row.pk).update(state="dead")
    state, says = finding(capsys, "queues.control")
    assert (state, "welcome" in says) == ("failed", True)


def test_old_and_dead_rows_of_a_companys_outbox_are_found(capsys: Capture) -> None:
    """Those in use are looked at always, the others with --deep."""
    facts = {"type": "receipt", "next_at": _ago(minutes=10), "created_at": _ago(minutes=10)}
    with tenant_scope(ACME_ID, ACME):
        row = OutboxEvent.objects.create(key="doctor", **facts)
    with control_scope():
        Tenant.objects.update(last_active_at=_ago(days=2))
    assert finding(capsys, "queues.companies")[0] == "ok"
    assert finding(capsys, "queues.companies", "--deep")[0] == "failed"
    with control_scope():
        Tenant.objects.update(last_active_at=timezone.now())
    state, says = finding(capsys, "queues.companies")
    assert (state, "acme (10 minutes)" in says) == ("failed", True)
    with tenant_scope(ACME_ID, ACME):
        OutboxEvent.objects.filter(pk=row.pk).update(state="dead")
    state, says = finding(capsys, "queues.companies")
    assert (state, "acme (1)" in says) == ("failed", True)


def test_old_and_parked_webhooks_are_found(capsys: Capture) -> None:
    assert finding(capsys, "queues.inbox")[0] == "ok"
    facts = {"type": "charge.updated", "livemode": False, "payload": {}, "received_at": _ago(minutes=9)}
    with control_scope():
        event = WebhookInbox.objects.create(event_id="evt_1", next_at=_ago(minutes=9), **facts)
    state, says = finding(capsys, "queues.inbox")
    assert (state, "due for 9 minutes" in says) == ("failed", True)
    with control_scope():
        WebhookInbox.objects.filter(pk=event.pk).update(state="parked")
    state, says = finding(capsys, "queues.inbox")
    assert (state, "1 events" in says) == ("failed", True)


def test_a_clock_that_does_not_run_is_found(capsys: Capture) -> None:
    """The clock holds a lock as long as it lives."""
    assert finding(capsys, "processes.clock")[0] == "failed"
    with direct_connection("none") as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [lock_key("clock")])
        assert finding(capsys, "processes.clock")[0] == "ok"


def test_several_failures_are_counted_and_named(capsys: Capture) -> None:
    _want(3)
    _slot(state="dirty")
    capsys.readouterr()
    assert cli.main(["doctor", "stock"]) == cli.PARTIAL
    said = capsys.readouterr()
    assert "2 of 3 checks failed." in said.err
    assert "stock.dirty" in said.out
