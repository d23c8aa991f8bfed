"""What operators write reaches the next request, keeps what a ratchet gave, and binds the owner where it is locked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.audit import Actor
from tenants.config.layers import bucket
from tenants.config.operators import Change, add_to_cohort, make_change, make_removal, write_operator_setting
from tenants.config.places import KILLED, PLATFORM, cohort_place, company_place
from tenants.config.registry import (
    MAGIC_LINK_DAYS,
    PORTAL_ENABLED,
    REGISTRY,
    WELCOME_MESSAGE,
    BadValue,
    ClosedLayer,
    Key,
    declare_flag,
)
from tenants.config.services import write_owner_settings
from tenants.config.snapshot import Snapshot
from tenants.context import TenantContext, prove_tenant
from tenants.models import PlatformAuditEvent, SettingValue, Tenant
from tenants.scope import control_scope, tenant_scope
from tests.cast import ACME, GLOBEX

A, B = "t_ac3e00000000000000000001", "t_610be8000000000000000002"
OSCAR = Actor("operator", None, "oscar@porchlight.example")
OLIVE = Actor("staff", None, "olive@acme.example")


@pytest.fixture
def ratchet() -> Iterator[Key[bool]]:
    """Return a flag whose gifts are kept."""
    yield declare_flag("test.kept", "Something given.", kind="permission", team="tests", ratchet=True)
    del REGISTRY["test.kept"]


def acme() -> Tenant:
    """Return Acme's row."""
    with control_scope():
        return Tenant.objects.get(pk=ACME)


def write(change: Change, **more: Any) -> None:
    """Carry a change out as Oscar."""
    write_operator_setting(change=change, reason="because", by=OSCAR, now=timezone.now(), **more)


def put(key: Key[Any], value: Any, place: Any, **more: Any) -> None:
    """Set a value as Oscar."""
    write(make_change(key=key.name, place=place, value=value, now=timezone.now(), **more))


def proof(minutes: int = 0) -> TenantContext:
    """Return what Acme's next request sees, so many minutes from now."""
    with tenant_scope(ACME, A):
        return prove_tenant(ACME, timezone.now() + timedelta(minutes=minutes))


def settings_of_globex() -> Snapshot:
    """Return what Globex' next request sees."""
    with tenant_scope(GLOBEX, B):
        return prove_tenant(GLOBEX, timezone.now()).settings


def test_a_companys_value_moves_its_version_and_a_shared_one_the_epoch(db: None) -> None:
    """Acceptance 28: the next request of either reads anew, and the other company is left alone."""
    before, other = proof(), settings_of_globex()
    put(MAGIC_LINK_DAYS, 3, company_place(acme()))
    after = proof()
    assert after.settings.get(MAGIC_LINK_DAYS) == 3
    assert after.tenant.config_version == before.tenant.config_version + 1
    assert settings_of_globex() is other
    put(MAGIC_LINK_DAYS, 5, PLATFORM)
    assert proof().tenant.flag_epoch == before.tenant.flag_epoch + 1
    assert (proof().settings.get(MAGIC_LINK_DAYS), settings_of_globex().get(MAGIC_LINK_DAYS)) == (3, 5)


def test_joining_a_cohort_is_seen_by_the_next_request(db: None) -> None:
    """platform.md 3.9."""
    cohort = add_to_cohort(name="pilots", tenants=[acme()], reason="they asked", by=OSCAR, now=timezone.now())
    put(MAGIC_LINK_DAYS, 21, cohort_place(cohort))
    late = add_to_cohort(name="late", tenants=[], reason="later", by=OSCAR, now=timezone.now())
    put(MAGIC_LINK_DAYS, 22, cohort_place(late))
    assert proof().settings.get(MAGIC_LINK_DAYS) == 21
    add_to_cohort(name="late", tenants=[acme()], reason="they asked again", by=OSCAR, now=timezone.now())
    assert proof().settings.get(MAGIC_LINK_DAYS) == 22
    assert settings_of_globex().get(MAGIC_LINK_DAYS) == 7


def test_an_expired_value_is_absent_from_the_next_request_without_anybody_writing(db: None) -> None:
    """Acceptance 31."""
    put(MAGIC_LINK_DAYS, 3, company_place(acme()), expires_at=timezone.now() + timedelta(minutes=10))
    seen = proof()
    assert seen.settings.get(MAGIC_LINK_DAYS) == 3
    assert proof(minutes=9).settings is seen.settings
    assert proof(minutes=11).settings.get(MAGIC_LINK_DAYS) == 7


def test_an_owner_cannot_change_what_is_locked_and_can_change_the_rest(db: None) -> None:
    """platform.md 3.9: a layer may lock a key; the form sends every field, also those that stay."""
    put(PORTAL_ENABLED, False, company_place(acme()), locked=True)
    version = proof().tenant.config_version
    values = {PORTAL_ENABLED.name: True, WELCOME_MESSAGE.name: "Hello"}
    with pytest.raises(ClosedLayer):
        write_owner_settings(tenant_id=ACME, values=values, expected_version=version, by=OLIVE, now=timezone.now())
    assert proof().tenant.config_version == version
    values[PORTAL_ENABLED.name] = False
    write_owner_settings(tenant_id=ACME, values=values, expected_version=version, by=OLIVE, now=timezone.now())
    assert proof().settings.get(WELCOME_MESSAGE) == "Hello"
    with control_scope():
        write(make_removal(key=PORTAL_ENABLED.name, place=company_place(acme())))
    assert proof().settings.get(PORTAL_ENABLED) is True


def test_lowering_the_share_of_a_ratchet_flag_takes_it_from_nobody(db: None, ratchet: Key[bool]) -> None:
    """Acceptance 30: those whom it reached are granted it in the transaction that lowers the share."""
    put(ratchet, {"percent": 100}, PLATFORM)
    assert proof().settings.get(ratchet)
    put(ratchet, {"percent": 0}, PLATFORM)
    found = proof().settings.evaluation(ratchet)
    assert (found.value, found.layer, found.reason) == (True, "grant", "SPLIT")
    assert settings_of_globex().get(ratchet)
    put(ratchet, {"percent": 100}, PLATFORM)
    with control_scope():
        write(make_removal(key=ratchet.name, place=PLATFORM))
        granted = SettingValue.objects.filter(scope="grant", key=ratchet.name)
        assert set(granted.values_list("scope_id", flat=True)) == {str(ACME), str(GLOBEX)}
    assert proof().settings.get(ratchet)
    with pytest.raises(BadValue):
        put(ratchet, {"percent": 10}, PLATFORM, expires_at=timezone.now() + timedelta(days=1))


def test_a_share_reaches_companies_and_a_company_out_of_it_can_still_be_given_the_flag(
    db: None, ratchet: Key[bool]
) -> None:
    """platform.md 3.9: operator override before percentage."""
    percent = (bucket(ratchet.name, ACME) + 1) / 100
    put(ratchet, {"percent": percent}, PLATFORM)
    assert proof().settings.get(ratchet)
    assert settings_of_globex().get(ratchet) is (bucket(ratchet.name, GLOBEX) <= bucket(ratchet.name, ACME))
    put(ratchet, False, company_place(acme()))
    assert proof().settings.evaluation(ratchet).layer == "operator"


def test_value_version_and_audit_row_are_written_together_or_not_at_all(db: None) -> None:
    """CON-07, Decided 10."""
    before = proof().tenant.config_version
    with pytest.raises(ValueError, match="reason"), control_scope():
        write_operator_setting(
            change=make_removal(key=MAGIC_LINK_DAYS.name, place=company_place(acme())),
            reason="  ",
            by=OSCAR,
            now=timezone.now(),
        )
    with pytest.raises(LookupError):
        write(make_removal(key=MAGIC_LINK_DAYS.name, place=company_place(acme())))
    assert proof().tenant.config_version == before
    put(MAGIC_LINK_DAYS, 3, company_place(acme()))
    with control_scope():
        event = PlatformAuditEvent.objects.get(action="setting.set")
        row = SettingValue.objects.get(key=MAGIC_LINK_DAYS.name)
    assert event.after == {"value": 3, "locked": False, "expires_at": None, "version": row.version}
    assert (event.tenant_id, event.reason, event.visible_to_tenant) == (ACME, "because", True)
    assert row.version == before + 1 == proof().tenant.config_version


def test_a_value_for_everybody_names_nobody_and_any_other_names_somebody(control: object) -> None:
    """platform.md 3.2: the table refuses what no reader would find."""
    common = {"key": MAGIC_LINK_DAYS.name, "value": 1, "set_by": "x", "set_at": timezone.now()}
    for scope, scope_id in (("platform", "x"), (KILLED.layer, "x"), ("plan", ""), ("owner", "")):
        with pytest.raises(IntegrityError), transaction.atomic():
            SettingValue.objects.create(scope=scope, scope_id=scope_id, **common)
