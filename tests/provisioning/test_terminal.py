"""Pool and migrations from the terminal: figures as JSON, real exit codes (platform.md 3.11)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console import cli
from provisioning.models import MigrationState, Run, SchemaSlot
from provisioning.plan_costs import lock_of
from provisioning.steps.order import CRASH_POINTS
from tenants.models import Hostname, PlatformAuditEvent, Tenant
from tenants.scope import control_scope
from tests.provisioning.schemas import alter
from tests.provisioning.yesterday import make_fleet

pytestmark = pytest.mark.usefixtures("own_database")


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back what a command sets for its own process."""
    monkeypatch.setenv("DATABASE_LOGIN", "app")


def _say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = cli.main([*words, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def _states() -> list[str]:
    with control_scope():
        return list(MigrationState.objects.order_by("schema_name").values_list("state", flat=True))


def test_the_pool_is_built_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert _say(capsys, "pool", "status")[1][0]["ready"] == 0
    assert _say(capsys, "pool", "build", "2", "--dry-run")[1][0]["to build"] == 2
    assert _say(capsys, "pool", "status")[1][0]["ready"] == 0
    code, (row,) = _say(capsys, "pool", "build", "2")
    assert (code, row["built"], row["ready"], row["dirty"]) == (cli.OK, 2, 2, 0)
    assert _say(capsys, "pool", "build", "2")[1][0]["built"] == 0


def test_a_release_is_planned_run_held_and_retried(capsys: pytest.CaptureFixture[str]) -> None:
    """Acceptance check 39, from the terminal: 7 while somebody is left behind, with the statement; then 0."""
    companies, _ = make_fleet(companies=4)
    stuck = companies[-1]
    alter(f"ALTER TABLE {stuck}.payments_paymentattempt OWNER TO postgres")
    code, plan = _say(capsys, "migrations", "plan")
    assert (code, plan[0]["schemas"]) == (cli.OK, 4)
    assert (plan[0]["table"], plan[0]["lock"].split(":")[0]) == ("payments_paymentattempt", "access exclusive")
    assert _say(capsys, "migrations", "run", "--dry-run") == (cli.OK, [{"from": "yesterday", "schemas": 4}])
    assert not _states()
    code, rows = _say(capsys, "migrations", "run")
    assert code == cli.PARTIAL
    assert any(row["what"] == stuck and plan[0]["statement"] in row["note"] for row in rows)
    before = _states()
    assert _say(capsys, "migrations", "hold", stuck, "--reason", "later", "--dry-run")[0] == cli.OK
    assert _say(capsys, "migrations", "retry", "--dry-run")[1] == [{"due again": 1}]
    assert _states() == before
    assert _say(capsys, "migrations", "hold", stuck, "--reason", "later")[0] == cli.OK
    assert _say(capsys, "migrations", "hold", stuck, "--reason", "again")[0] == cli.REFUSED
    assert _say(capsys, "migrations", "status")[1][-1]["state"] == "complete"
    alter(f"ALTER TABLE {stuck}.payments_paymentattempt OWNER TO porchlight_owner")
    assert _say(capsys, "migrations", "retry", stuck)[0] == cli.OK
    code, (row,) = _say(capsys, "migrations", "run")
    assert (code, row["behind"]) == (cli.OK, 0)
    assert _say(capsys, "migrations", "pause")[0] == cli.REFUSED
    with control_scope():
        assert not MigrationState.objects.exclude(state="done").exists()
        assert set(
            PlatformAuditEvent.objects.filter(action__startswith="fleet.").values_list("surface", flat=True)
        ) == {"cli"}


def test_every_schema_is_compared_with_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    """By stamp; what was touched by its fingerprint, and all of them by it if asked for."""
    _say(capsys, "pool", "build", "3")
    assert _say(capsys, "migrations", "verify")[1] == [{"schemas": 3 + len(CAST), "differences": 0}]
    with control_scope():
        changed, reindexed, gone = SchemaSlot.objects.filter(state="ready").values_list("schema_name", flat=True)
    alter(f"REINDEX TABLE {reindexed}.customers_customer")
    assert _say(capsys, "migrations", "verify", "--fingerprints")[0] == cli.OK
    alter(f"ALTER TABLE {changed}.customers_customer ADD COLUMN extra integer")
    alter(f"DROP SCHEMA {gone} CASCADE")
    for words in ((), ("--fingerprints",)):
        code, rows = _say(capsys, "migrations", "verify", *words)
        assert code == cli.PARTIAL
        assert {row["schema"]: row["what"] for row in rows} == {
            changed: "is not as its release",
            gone: "is not there",
        }


@pytest.mark.parametrize(
    ("statement", "lock"),
    [
        ('ALTER TABLE "a" ADD COLUMN "b" integer', "access exclusive"),
        ('ALTER TABLE "a" ADD CONSTRAINT "c" FOREIGN KEY ("b") REFERENCES "d" ("id")', "share row exclusive"),
        ('CREATE INDEX "i" ON "a" ("b")', "share:"),
        ('CREATE TABLE "a" ("id" uuid)', "none"),
        ('CREATE TABLE "a" ("b" uuid, CONSTRAINT "c" FOREIGN KEY ("b") REFERENCES "d" ("id"))', "share row exclusive"),
        ('UPDATE "a" SET "b" = 1', "row exclusive"),
        ("GRANT SELECT ON a TO b", "none"),
    ],
)
def test_a_plan_says_which_lock_a_statement_takes(statement: str, lock: str) -> None:
    """platform.md 3.7."""
    assert lock_of(statement).startswith(lock)


CAST = ("acme", "globex")
CREATE = ("tenants", "create", "bright-electric", "--email", "renee@bright.example", "--name", "Bright Electric")


def test_a_company_is_created_tried_and_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit codes of platform.md 3.11: 4 for what cannot be, 6 for a taken address, 8 for a run that stopped."""
    code, (row,) = _say(capsys, *CREATE, "--dry-run")
    assert (code, row["company"]) == (cli.OK, "bright-electric")
    with control_scope():
        assert not Tenant.objects.filter(slug="bright-electric").exists()
        assert not Hostname.objects.filter(name="bright-electric").exists()
    assert _say(capsys, "tenants", "wait", "bright-electric")[0] == cli.NOT_FOUND
    code, (row,) = _say(capsys, *CREATE)
    assert (code, row["state"]) == (cli.OK, "queued")
    assert _say(capsys, *CREATE)[0] == cli.CONFLICT
    assert _say(capsys, "tenants", "create", "admin", *CREATE[3:])[0] == cli.REFUSED
    assert _say(capsys, *CREATE[:4], "nobody", *CREATE[5:])[0] == cli.REFUSED
    assert _say(capsys, "tenants", "wait", "bright-electric", "--seconds", "0")[0] == cli.PARKED
    with control_scope():
        Run.objects.filter(pk=row["run"]).update(state="parked", error="no luck")
    code, (row,) = _say(capsys, "tenants", "wait", "bright-electric")
    assert (code, row["error"]) == (cli.PARKED, "no luck")
    assert _say(capsys, "runs", "cancel", row["run"], "--reason", "a test", "--dry-run")[0] == cli.OK
    assert _say(capsys, "runs", "cancel", row["run"], "--reason", "a test")[1][0]["state"] == "compensating"
    assert _say(capsys, "runs", "cancel", row["run"], "--reason", "a test")[0] == cli.REFUSED
    assert _say(capsys, *CREATE)[0] == cli.OK


def test_every_crash_point_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """R-PROV-4."""
    named = {row["crash point"] for row in _say(capsys, "crash-points", "list")[1]}
    assert named >= {*CRASH_POINTS, "bind.within", "pool.within", "template.within", "fleet.after_act"}
    assert named >= {"take_back.before_act", "take_back.within", "take_back.after_record"}
