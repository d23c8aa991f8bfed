"""The terminal's commands do what the console's pages do, with exit codes (platform.md 3.11)."""

import json

import pytest

from console import cli
from portal.invoices.models import Invoice
from tenants.models import Hold, PlatformAuditEvent
from tenants.scope import tenant_scope
from tests.cast import ACME


def test_a_company_is_suspended_and_released_from_the_terminal(
    control: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Acceptance 34, the two actions that exist: same guard, same audit row, surface cli."""
    assert cli.main(["tenants", "hold", "acme", "--reason", "asked by its owner"]) == cli.OK
    capsys.readouterr()
    assert cli.main(["tenants", "show", "acme", "--json"]) == cli.OK
    shown = json.loads(capsys.readouterr().out)
    assert shown[0]["state"] == "held"
    assert cli.main(["tenants", "hold", "acme", "--reason", "again"]) == cli.REFUSED
    assert cli.main(["tenants", "release", "acme", "--kind", "operator", "--reason", "settled"]) == cli.OK
    assert not Hold.objects.filter(tenant_id=ACME, released_at__isnull=True).exists()
    surfaces = PlatformAuditEvent.objects.filter(tenant_id=ACME).values_list("surface", flat=True)
    assert set(surfaces) == {"cli"}


def test_unknown_companies_and_runs_are_not_found(control: object) -> None:
    """platform.md 3.11: exit code 3."""
    for words in (
        ["tenants", "show", "nobody"],
        ["runs", "show", "01930000-0000-7000-8000-000000000000"],
        ["runs", "retry", "01930000-0000-7000-8000-000000000000"],
    ):
        assert cli.main(words) == cli.NOT_FOUND


def test_a_hold_needs_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """platform.md 3.11: exit code 2 for usage."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(["tenants", "hold", "acme"])
    assert stopped.value.code == cli.USAGE
    assert "--reason" in capsys.readouterr().err


def test_the_books_of_every_company_are_checked_and_a_broken_rule_is_named(
    control: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-PAY-1: a counter that the journal does not back is found, in the right company."""
    assert cli.main(["ledger", "verify", "--json"]) == cli.OK
    assert [row["company"] for row in json.loads(capsys.readouterr().out)] == ["acme", "globex"]
    with tenant_scope(ACME, "t_ac3e00000000000000000001"):
        Invoice.objects.filter(number="1043").update(paid_cents=100)
    assert cli.main(["ledger", "verify", "--json"]) == cli.PARTIAL
    broken = json.loads(capsys.readouterr().out)
    assert {row["company"] for row in broken} == {"acme"}


def test_a_dry_run_hears_the_guards_and_changes_nothing(control: object, capsys: pytest.CaptureFixture[str]) -> None:
    """platform.md 3.11: --dry-run, with the exit code of the real thing."""
    before = PlatformAuditEvent.objects.count()
    hold = ["tenants", "hold", "acme", "--reason", "asked by its owner"]
    assert cli.main([*hold, "--dry-run", "--json"]) == cli.OK
    said = capsys.readouterr()
    assert json.loads(said.out)[0]["kind"] == "operator"
    assert "nothing was changed" in said.err
    assert not Hold.objects.filter(tenant_id=ACME).exists()
    assert PlatformAuditEvent.objects.count() == before
    assert cli.main(hold) == cli.OK
    assert cli.main([*hold, "--dry-run"]) == cli.REFUSED
    release = ["tenants", "release", "acme", "--kind", "operator", "--reason", "settled", "--dry-run"]
    assert cli.main(release) == cli.OK
    assert Hold.objects.filter(tenant_id=ACME, released_at__isnull=True).count() == 1
