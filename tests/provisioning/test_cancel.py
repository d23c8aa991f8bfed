"""What a canceled run made is removed, and never handed to anybody else (check 18; reliability.md 3)."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from provisioning.driver import drive
from provisioning.fence import direct_connection, lock_key
from provisioning.models import Run, SchemaSlot
from provisioning.pool import clean_pool, fill_pool
from provisioning.services import TooLate, cancel_run
from provisioning.steps import probe
from tenants.audit import SYSTEM
from tenants.models import Hostname, SettingValue, Tenant
from tenants.scope import control_scope
from tests.faults.companies import begin_company
from tests.provisioning.schemas import schemas

pytestmark = pytest.mark.usefixtures("own_database")


@pytest.fixture
def run_id(monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A run that has done every step up to the probe, which nobody answers."""
    monkeypatch.setattr(probe, "TRIES", 1)
    fill_pool(now=timezone.now(), count=2, target=2)
    found = begin_company("changed-mind")
    assert drive(found)
    return found


def _cancel(run_id: UUID) -> None:
    with control_scope(), transaction.atomic():
        cancel_run(run_id=run_id, by=SYSTEM, now=timezone.now())


def _tenant(run_id: UUID) -> Tenant:
    with control_scope():
        return Run.objects.select_related("tenant").get(pk=run_id).tenant


def test_a_canceled_run_leaves_nothing_behind_and_its_schema_is_not_used_again(run_id: UUID) -> None:
    schema = _tenant(run_id).schema_name
    assert schema in schemas()
    _cancel(run_id)
    assert drive(run_id) is None
    tenant = _tenant(run_id)
    assert (tenant.lifecycle, tenant.schema_name, tenant.schema_fingerprint) == ("deleted", None, "")
    with control_scope():
        assert Run.objects.get(pk=run_id).state == "compensated"
        assert SchemaSlot.objects.get(schema_name=schema).state == "dirty"
        assert not SettingValue.objects.filter(scope_id=str(tenant.pk)).exists()
        assert not Hostname.objects.filter(tenant=tenant).exists()
    assert clean_pool(now=timezone.now()) == 1
    assert schema not in schemas()
    with control_scope():
        assert SchemaSlot.objects.get(schema_name=schema).state == "dropped"
    assert drive(run_id) is None
    again = begin_company("changed-mind")
    drive(again)
    assert _tenant(again).schema_name not in {schema, None}


def test_a_schema_at_which_somebody_still_works_is_dropped_later(run_id: UUID) -> None:
    """M8: a killed maker's statement may outlive it."""
    schema = _tenant(run_id).schema_name
    _cancel(run_id)
    drive(run_id)
    with direct_connection() as maker:
        maker.execute("SELECT pg_advisory_lock(%s)", [lock_key(f"schema:{schema}")])
        assert clean_pool(now=timezone.now()) == 0
        assert schema in schemas()
    assert clean_pool(now=timezone.now()) == 1


def test_only_what_never_opened_can_be_given_up(run_id: UUID) -> None:
    """HOST-03, HOST-06: by the service and by SQL."""
    tenant = _tenant(run_id)
    with control_scope():
        Tenant.objects.filter(pk=tenant.pk).update(lifecycle="active", first_activated_at=timezone.now())
    with pytest.raises(TooLate):
        _cancel(run_id)
    gone = f"gone-{tenant.pk.hex}"
    for statement in (
        "DELETE FROM tenants_hostname WHERE name = 'changed-mind'",
        f"UPDATE tenants_tenant SET lifecycle = 'purging', slug = '{gone}' WHERE slug = 'changed-mind'",
        "UPDATE tenants_tenant SET lifecycle = 'failed', first_activated_at = NULL WHERE slug = 'changed-mind'",
    ):
        with control_scope(), pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute(statement)


def test_even_a_company_that_never_opened_takes_no_other_name(run_id: UUID) -> None:
    for slug in ("other-name", f"gone-{'0' * 32}"):
        with control_scope(), pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.filter(slug="changed-mind").update(slug=slug, lifecycle="purging")
