"""An address and a schema belong to one company for ever, by SQL too."""

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from tenants.models import Hostname, PlatformAuditEvent, Tenant
from tests.cast import ACME, NOW


@pytest.mark.parametrize("change", [{"slug": "acme-two"}, {"schema_name": "t_00000000000000000000beef"}])
def test_address_and_schema_of_an_active_company_cannot_be_changed(control: object, change: dict[str, str]) -> None:
    """HOST-03, ISO-33."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.filter(pk=ACME).update(**change)


def test_an_address_that_was_live_is_never_given_out_again(control: object) -> None:
    """HOST-06, ISO-33: not deleted, not renamed, not moved, not held again."""
    host = Hostname.objects.filter(name="acme")
    for change in ({"tenant": None, "state": "tombstone"}, {"state": "held", "held_for": ACME, "expires_at": NOW}):
        with pytest.raises(IntegrityError), transaction.atomic():
            host.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        host.delete()


def test_a_company_is_never_deleted_and_its_audit_never_changed(control: object) -> None:
    """CON-08; platform.md 3.1: the serving role has no such right, the table refuses besides."""
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Tenant.objects.filter(pk=ACME)._raw_delete("default")  # type: ignore[attr-defined]
    PlatformAuditEvent.objects.create(at=NOW, actor_kind="system", action="x")
    for deed in (lambda q: q.update(action="y"), lambda q: q._raw_delete("default")):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            deed(PlatformAuditEvent.objects.all())
