"""Creates companies in a running product and looks at what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone
from dramatiq.brokers.redis import RedisBroker

from infra.queue import seal
from provisioning.addresses import hold_address
from provisioning.services import NewCompany, start_run
from provisioning.tasks import drive_run
from tenants.audit import SYSTEM
from tenants.models import Plan
from tenants.scope import control_scope
from tests import databases
from tests.live import LiveProduct


@contextmanager
def inside(product: LiveProduct) -> Iterator[None]:
    """Let this process' own statements reach the product's database."""
    before = connection.settings_dict["NAME"]
    databases.use(product.name, owner=True)
    try:
        yield
    finally:
        databases.use(before)


def begin_company(slug: str) -> UUID:
    """Create a company as the sign-up does and return its run; nobody is told to drive it."""
    now, holder = timezone.now(), uuid4()
    with control_scope(), transaction.atomic():
        hold_address(slug=slug, holder=holder, now=now)
        company = NewCompany(
            slug=slug,
            name=slug.replace("-", " ").title(),
            plan_id=Plan.objects.get(code="porch").pk,
            owner_email=f"owner@{slug}.example",
        )
        # The message that start_run sends goes to the tests' own queue, where nobody listens.
        return start_run(company=company, holder=holder, by=SYSTEM, now=now).pk


def tell(broker: RedisBroker, run_id: UUID) -> None:
    """Send the message "drive this run"."""
    envelope = seal(drive_run.kind, "control", {"run_id": str(run_id)}, now=timezone.now())
    broker.enqueue(drive_run.actor.message(envelope=envelope))
