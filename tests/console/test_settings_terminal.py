"""Settings and flags from the terminal: written with reason and version, tried dry, explained, told in exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from console import cli
from tenants.config.registry import MAGIC_LINK_DAYS, PORTAL
from tenants.context import prove_tenant
from tenants.models import PlatformAuditEvent, SettingValue
from tenants.scope import tenant_scope
from tests.cast import ACME, GLOBEX, STAFF_PASSWORD
from tests.conftest import HostClient

A, B = "t_ac3e00000000000000000001", "t_610be8000000000000000002"
DAYS = MAGIC_LINK_DAYS.name
WHY = ["--reason", "asked by the company"]


@pytest.fixture
def run(control: object, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command with --json and return (exit code, rows or None, what it said)."""

    def call(*words: str) -> tuple[int, Any, str]:
        code = cli.main([*words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


@pytest.fixture
def console(db: None) -> HostClient:
    """Oscar's signed-in browser."""
    client = HostClient("console.localhost")
    person = {"email": "oscar@porchlight.example", "password": STAFF_PASSWORD}
    assert client.post("/sign-in/", person).status_code == 302
    return client


def days_of(tenant_id: Any, schema: str) -> int:
    """Return what a company's next request would see."""
    with tenant_scope(tenant_id, schema):
        return prove_tenant(tenant_id, timezone.now()).settings.get(MAGIC_LINK_DAYS)


def test_a_value_is_set_for_one_company_explained_and_taken_back(run: Any) -> None:
    """Acceptance 31, 34: the same service as everywhere; audit row with reason and surface."""
    code, (row,), _ = run("settings", "set", DAYS, "3", "--tenant", "acme", *WHY)
    assert (code, row["before"], row["after"], row["changes"]) == (cli.OK, None, 3, "1 of 2 companies")
    assert (days_of(ACME, A), days_of(GLOBEX, B)) == (3, 7)
    code, layers, _ = run("settings", "explain", DAYS, "--tenant", "acme")
    assert [(each["outcome"], each["layer"], each["value"]) for each in layers] == [
        ("wins", "operator", 3),
        ("shadowed", "code", 7),
    ]
    assert layers[0]["by"].endswith("in the terminal")
    assert layers[0]["reason"] == "asked by the company"
    code, _, _ = run("settings", "unset", DAYS, "--tenant", "acme", *WHY)
    assert (code, days_of(ACME, A)) == (cli.OK, 7)
    _, changes, _ = run("settings", "history", DAYS, "--tenant", "acme")
    assert [(each["action"], each["before"], each["after"]) for each in changes] == [
        ("setting.unset", 3, None),
        ("setting.set", None, 3),
    ]
    assert set(PlatformAuditEvent.objects.filter(tenant_id=ACME).values_list("surface", flat=True)) == {"cli"}


def test_a_dry_run_says_whom_a_change_reaches_and_writes_nothing(run: Any) -> None:
    """platform.md 3.9: the blast radius first; 3.11: --dry-run passes every guard and changes nothing."""
    rows, events = SettingValue.objects.count(), PlatformAuditEvent.objects.count()
    code, (row,), says = run("settings", "set", DAYS, "9", "--platform", "--dry-run", *WHY)
    assert (code, row["changes"]) == (cli.OK, "2 of 2 companies")
    assert "Dry run" in says
    assert (SettingValue.objects.count(), PlatformAuditEvent.objects.count()) == (rows, events)
    assert days_of(ACME, A) == 7
    assert run("flags", "kill", PORTAL.name, "--dry-run", *WHY)[0] == cli.OK
    with tenant_scope(ACME, A):
        assert prove_tenant(ACME, timezone.now()).access.door == "open"


def test_the_second_of_two_operators_is_shown_what_the_first_one_did(run: Any) -> None:
    """Acceptance 32: exit code 6, nothing written, the other one's value, name and reason on the screen."""
    run("settings", "set", DAYS, "3", "--tenant", "acme", "--reason", "the beginning")
    _, shown, _ = run("settings", "show", DAYS, "--tenant", "acme")
    seen = str(shown[0]["version"])
    change = ["settings", "set", DAYS, "4", "--tenant", "acme", "--expect-version", seen, "--reason", "first"]
    assert run(*change)[0] == cli.OK
    code, (other,), says = run(
        "settings", "set", DAYS, "5", "--tenant", "acme", "--expect-version", seen, "--reason", "second"
    )
    assert code == cli.CONFLICT
    assert (other["before"], other["after"], other["reason"]) == (3, 4, "first")
    assert "faster" in says
    assert days_of(ACME, A) == 4
    again = run("settings", "unset", DAYS, "--tenant", "acme", "--expect-version", str(other["version"]), *WHY)
    assert again[0] == cli.OK
    assert run("settings", "set", DAYS, "5", "--tenant", "acme", "--expect-version", seen, *WHY)[0] == cli.CONFLICT
    assert run("settings", "set", DAYS, "5", "--tenant", "acme", "--expect-version", "0", *WHY)[0] == cli.OK


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["settings", "show", "no.such.key"], cli.NOT_FOUND),
        (["settings", "explain", DAYS, "--tenant", "nobody"], cli.NOT_FOUND),
        (["settings", "set", DAYS, "3", "--plan", "gold", *WHY], cli.NOT_FOUND),
        (["settings", "set", DAYS, "3", "--cohort", "nobody", *WHY], cli.NOT_FOUND),
        (["settings", "unset", DAYS, "--tenant", "acme", *WHY], cli.NOT_FOUND),
        (["flags", "kill", PORTAL.name, "--lift", *WHY], cli.NOT_FOUND),
        (["settings", "set", DAYS, "31", "--tenant", "acme", *WHY], cli.REFUSED),
        (["settings", "set", DAYS, "three", "--tenant", "acme", *WHY], cli.REFUSED),
        (["settings", "set", DAYS, "3", "--tenant", "acme", "--reason", " "], cli.REFUSED),
        (["settings", "set", DAYS, "3", "--tenant", "acme", "--expires", "2020-01-01T00:00Z", *WHY], cli.REFUSED),
        (["settings", "set", "platform.pool_target", "3", "--tenant", "acme", *WHY], cli.REFUSED),
        (["flags", "set", PORTAL.name, "25%", "--tenant", "acme", *WHY], cli.REFUSED),
        (["flags", "set", PORTAL.name, "101%", "--platform", *WHY], cli.REFUSED),
        (["flags", "kill", DAYS, *WHY], cli.REFUSED),
    ],
)
def test_what_cannot_be_done_says_so_in_its_exit_code(run: Any, words: list[str], code: int) -> None:
    """platform.md 3.11: 3 not found, 4 refused by a guard."""
    found = run(*words)
    assert found[0] == code
    assert found[2].strip()


@pytest.mark.parametrize(
    "words",
    [
        ["settings", "set", DAYS, "3", "--tenant", "acme"],
        ["settings", "set", DAYS, "3", *WHY],
        ["settings", "set", DAYS, "3", "--tenant", "acme", "--platform", *WHY],
        ["settings", "set", DAYS, "3", "--tenant", "acme", "--expires", "soon", *WHY],
        ["flags", "kill", PORTAL.name],
    ],
)
def test_a_write_names_its_place_and_its_reason(words: list[str]) -> None:
    """platform.md 3.11: exit code 2 for usage."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == cli.USAGE


def test_a_flag_is_killed_over_every_layer_and_comes_back_as_it_was(run: Any) -> None:
    """platform.md 3.9: the kill switch."""

    def door() -> str:
        with tenant_scope(ACME, A):
            return prove_tenant(ACME, timezone.now()).access.door

    assert door() == "open"
    code, (row,), _ = run("flags", "kill", PORTAL.name, "--reason", "it leaks")
    assert (code, row["changes"], door()) == (cli.OK, "2 of 2 companies", "portal_off")
    _, layers, _ = run("flags", "explain", PORTAL.name, "--tenant", "acme")
    assert [(each["outcome"], each["layer"]) for each in layers] == [
        ("wins", "kill"),
        ("shadowed", "operator"),
        ("shadowed", "code"),
    ]
    assert run("flags", "kill", PORTAL.name, "--lift", *WHY)[0] == cli.OK
    assert door() == "open"


def test_plans_and_cohorts_have_values_of_their_own(run: Any) -> None:
    """platform.md 3.9: code, platform, plan, cohort, operator."""
    for words in (
        ["settings", "set", DAYS, "10", "--platform", *WHY],
        ["settings", "set", DAYS, "11", "--plan", "porch@1", *WHY],
        ["cohorts", "add", "pilots", "acme", *WHY],
        ["settings", "set", DAYS, "12", "--cohort", "pilots", *WHY],
    ):
        assert run(*words)[0] == cli.OK
    assert (days_of(ACME, A), days_of(GLOBEX, B)) == (12, 11)
    _, layers, _ = run("settings", "explain", DAYS, "--tenant", "acme")
    assert [(each["layer"], each["value"]) for each in layers] == [
        ("cohort", 12),
        ("plan", 11),
        ("platform", 10),
        ("code", 7),
    ]
    code, cohorts, _ = run("cohorts", "remove", "pilots", "acme", *WHY)
    assert (code, cohorts) == (cli.OK, [{"cohort": "pilots", "rank": 1, "companies": ""}])
    assert days_of(ACME, A) == 11


def test_lists_show_every_declared_key_and_what_it_is_now(run: Any) -> None:
    """platform.md 3.9, 3.11."""
    _, settings, _ = run("settings", "list", "--tenant", "acme")
    assert {"key": DAYS, "value": 7, "layer": "code", "about": MAGIC_LINK_DAYS.about} in settings
    _, flags, _ = run("flags", "list", "--tenant", "acme")
    assert [(each["key"], each["value"], each["layer"]) for each in flags] == [("portal", True, "operator")]
    run("flags", "set", PORTAL.name, "25%", "--platform", *WHY)
    _, flags, _ = run("flags", "list")
    assert (flags[0]["value"], flags[0]["kind"]) == ("25%", "permission")
    _, shown, _ = run("flags", "show", PORTAL.name)
    assert [(each["layer"], each["value"], each["reason"]) for each in shown] == [("platform", "25%", WHY[1])]


def test_a_time_without_a_zone_is_utc(run: Any) -> None:
    run("settings", "set", DAYS, "3", "--tenant", "acme", "--expires", "2099-01-31T18:00", *WHY)
    assert SettingValue.objects.get(key=DAYS).expires_at == datetime(2099, 1, 31, 18, tzinfo=UTC)


def test_a_companys_page_shows_what_counts_and_what_it_went_over(run: Any, console: HostClient) -> None:
    """Acceptance 31, on the console's page: the winning layer, the values it went over, actor, reason."""
    run("settings", "set", DAYS, "10", "--platform", *WHY)
    run("settings", "set", DAYS, "3", "--tenant", "acme", "--lock", "--reason", "asked on the phone")
    page = " ".join(console.get(f"/tenants/{ACME}/").content.decode().split())
    for words in (DAYS, "by us for this company", "instead of 10 (for everybody), 7 (as built)", "asked on the phone"):
        assert words in page
    assert "platform.pool_target" not in page
    other = console.get(f"/tenants/{GLOBEX}/").content.decode()
    assert "asked on the phone" not in other
