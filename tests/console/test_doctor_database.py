"""The doctor finds what is wrong with the server, the way to it and the rights: each thing is really broken here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings

from console import cli
from console.doctor import database
from console.doctor.base import all_checks, examine
from infra.env import APP_LOGIN
from tenants.backend.sessions import probe_sessions
from tests import databases
from tests.console.diagnosis import ask, change_env, finding
from tests.pooler import run_pooler
from tests.provisioning.schemas import alter

pytestmark = pytest.mark.usefixtures("own_database", "alone")


@contextmanager
def _behind(mode: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with run_pooler(mode, databases.connection_host()) as pooler:
        url = f"postgresql://{APP_LOGIN}@127.0.0.1:{pooler.port}/x?sslmode=disable&gssencmode=disable"
        change_env(monkeypatch, database_app_url=url)
        yield


def test_a_sound_stack_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = ask(capsys, "database", "rights", "schemas")
    assert code == cli.OK
    assert {row["state"] for row in rows.values()} <= {"ok", "warning"}
    assert [name for name, row in rows.items() if row["state"] == "warning"] == ["database.durability"]


def test_a_server_that_does_not_say_what_a_connection_holds_is_named_with_the_cure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alter("ALTER FUNCTION gate.memory() OWNER TO porchlight_control")
    state, says = finding(capsys, "database.memory")
    assert state == "warning"
    assert "GRANT pg_read_all_stats TO porchlight_owner;" in says


def test_every_check_says_what_it_proves(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--list"]) == cli.OK
    said = capsys.readouterr().out
    assert all(each.id in said for each in all_checks())
    assert len({each.id for each in all_checks()}) == len(all_checks()) > 20
    assert cli.main(["doctor", "no-such-check"]) == cli.NOT_FOUND


@pytest.mark.parametrize("mode", ["none", "session"])
def test_sessions_of_the_server_itself_and_of_a_session_pooler_are_kept(
    mode: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Acceptance check 6, the allowed half."""
    if mode == "none":
        assert finding(capsys, "database.sessions")[0] == "ok"
        return
    with _behind(mode, monkeypatch):
        assert finding(capsys, "database.sessions")[0] == "ok"


@pytest.mark.parametrize(
    ("mode", "what"),
    [("transaction", "loses what a session has set"), ("tracking", "tracks the path but not the role")],
)
def test_a_transaction_pooler_is_refused(
    mode: str, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Acceptance check 6, ISO-15, Decided 6: state is lost, or the role would stay with somebody else's connection."""
    with _behind(mode, monkeypatch):
        state, says = finding(capsys, "database.sessions")
    assert state == "failed"
    assert what in says
    assert "session mode" in says


def test_a_pooler_with_one_server_for_everybody_is_found_out() -> None:
    """ISO-15: there the process never changes; the settings do."""
    with run_pooler("transaction", databases.connection_host()) as pooler:

        def connect() -> psycopg.Connection[object]:
            return psycopg.connect(
                host="127.0.0.1",
                port=pooler.port,
                user=APP_LOGIN,
                dbname="postgres",
                sslmode="disable",
                gssencmode="disable",
                autocommit=True,
                prepare_threshold=None,
            )

        pooler.most = 1
        report = probe_sessions(connect)
    assert report.changed_backend == 0
    assert report.lost_path
    assert not report.kept


def test_a_database_that_does_not_answer_is_one_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change_env(monkeypatch, database_app_url=f"postgresql://{APP_LOGIN}@127.0.0.1:9/x")
    code, rows = ask(capsys, "database", "rights")
    assert code == cli.PARTIAL
    assert [row["state"] for row in rows.values()].count("failed") == 1
    assert "does not answer" in rows["database.reachable"]["says"]


def test_limits_that_do_not_reach_the_server_are_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPS-04: poolers drop start-up options when they are told to ignore them."""
    assert finding(capsys, "database.limits")[0] == "ok"
    monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], "options", "-c TimeZone=UTC")
    state, says = finding(capsys, "database.limits")
    assert state == "failed"
    assert "statement_timeout" in says


def test_a_careless_server_is_for_demonstrations_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server of the tests runs without fsync."""
    assert finding(capsys, "database.durability")[0] == "warning"
    change_env(monkeypatch, demo=False)
    state, says = finding(capsys, "database.durability")
    assert (state, "fsync" in says) == ("failed", True)


def test_an_old_server_and_a_wrong_clock_are_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPS-10."""
    assert finding(capsys, "database.version")[0] == finding(capsys, "database.clock")[0] == "ok"
    monkeypatch.setattr(database, "OLDEST_SERVER", 990_000)
    assert finding(capsys, "database.version")[0] == "failed"
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + 600)
    state, says = finding(capsys, "database.clock")
    assert (state, "600 s apart" in says) == ("failed", True)


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(_: object) -> None:
        raise ZeroDivisionError("on the way")

    one = all_checks()[0]
    broken = type(one)(one.id, one.title, one.proves, fall_over, False)  # type: ignore[arg-type]
    ((_, found),) = examine(None, [broken])  # type: ignore[arg-type]
    assert (found.state, "ZeroDivisionError: on the way" in found.says) == ("failed", True)
