"""Settings by layer and version: what is written is seen by the next request, and conflicts are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.audit import Actor
from tenants.config.registry import MAGIC_LINK_DAYS, PORTAL_ENABLED, WELCOME_MESSAGE, BadValue, check_value
from tenants.config.services import SettingsConflict, write_owner_settings
from tenants.config.snapshot import LayerValue, resolve
from tenants.context import prove_tenant
from tenants.models import PlatformAuditEvent, SettingValue
from tenants.scope import control_scope, tenant_scope
from tests.cast import ACME, GLOBEX, NOW

A, B = "t_ac3e00000000000000000001", "t_610be8000000000000000002"
OLIVE = Actor("staff", None, "olive@acme.example")


def row(key: str, layer: str, value: object, *, locked: bool = False, expires_in: int | None = None) -> LayerValue:
    """Return one stored value; minutes of validity may be negative."""
    ends = NOW + timedelta(minutes=expires_in) if expires_in is not None else None
    return LayerValue(key, layer, value, locked, ends)


def test_the_highest_layer_wins_a_lock_ends_the_stack_and_expired_values_count_for_nothing() -> None:
    """platform.md 3.9, acceptance 31."""
    key = MAGIC_LINK_DAYS.name
    assert resolve([], ACME, (1, 1), NOW).get(MAGIC_LINK_DAYS) == 7
    rows = [row(key, "owner", 3), row(key, "platform", 10)]
    assert resolve(rows, ACME, (1, 1), NOW).get(MAGIC_LINK_DAYS) == 3
    assert resolve([*rows, row(key, "operator", 1, locked=True)], ACME, (1, 1), NOW).get(MAGIC_LINK_DAYS) == 1
    assert (
        resolve([*rows, row(key, "operator", 1, locked=True, expires_in=-1)], ACME, (1, 1), NOW).get(MAGIC_LINK_DAYS)
        == 3
    )
    until = resolve([row(key, "operator", 1, expires_in=5)], ACME, (1, 1), NOW).valid_until
    assert until == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("portal.enabled", "yes"),
        ("portal.welcome_message", "x" * 501),
        ("auth.magic_link_days", 0),
        ("auth.magic_link_days", True),
        ("auth.expired_link", "never"),
        ("no.such.key", 1),
    ],
)
def test_a_value_that_does_not_fit_its_key_is_refused(key: str, value: object) -> None:
    """platform.md 3.9: unregistered keys and wrong shapes raise."""
    with pytest.raises(BadValue):
        check_value(key, value, "owner")


def test_a_write_is_seen_by_the_next_proof_of_that_tenant_alone(db: None) -> None:
    """Acceptance 28 in one process: the version moves with the value."""
    with tenant_scope(ACME, A):
        before = prove_tenant(ACME, timezone.now())
    assert before.settings.get(PORTAL_ENABLED) is True
    write_owner_settings(
        tenant_id=ACME,
        values={"portal.enabled": False, "portal.welcome_message": " Hello "},
        expected_version=before.tenant.config_version,
        by=OLIVE,
        now=NOW,
    )
    with tenant_scope(ACME, A):
        after = prove_tenant(ACME, timezone.now())
    assert after.settings.get(PORTAL_ENABLED) is False
    assert after.settings.get(WELCOME_MESSAGE) == "Hello"
    assert after.access.door == "portal_off"
    with tenant_scope(GLOBEX, B):
        assert prove_tenant(GLOBEX, timezone.now()).settings.get(PORTAL_ENABLED) is True
    with control_scope():
        event = PlatformAuditEvent.objects.get(action="settings.changed")
    assert event.tenant_id == ACME
    assert event.after == {"portal.enabled": False, "portal.welcome_message": "Hello"}


def test_two_people_who_edit_at_once_do_not_overwrite_each_other(db: None) -> None:
    """Acceptance 32: the second gets a conflict and nothing is written."""
    with tenant_scope(ACME, A):
        version = prove_tenant(ACME, timezone.now()).tenant.config_version
    write_owner_settings(
        tenant_id=ACME, values={"auth.magic_link_days": 3}, expected_version=version, by=OLIVE, now=NOW
    )
    with pytest.raises(SettingsConflict):
        write_owner_settings(
            tenant_id=ACME, values={"auth.magic_link_days": 9}, expected_version=version, by=OLIVE, now=NOW
        )
    with control_scope():
        assert SettingValue.objects.get(key="auth.magic_link_days").value == 3
