"""Starting and restarting the provisioning of a company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from provisioning import ledger
from provisioning.addresses import AddressTaken
from provisioning.events import add_event
from provisioning.models import Run, Step
from provisioning.steps.order import STEPS
from provisioning.tasks import drive_run
from tenants.audit import Actor, record_control
from tenants.models import Hostname, Tenant

CURRENCIES = {"US": "USD", "CA": "CAD"}


class TooLate(Exception):
    """The company has opened, or was given up before: there is nothing to cancel."""


class NotParked(Exception):
    """The run has not stopped, so there is nothing to start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCompany:
    """What is known of a company when it begins."""

    slug: str
    name: str
    plan_id: UUID
    owner_email: str
    owner_name: str = ""
    trade: str = ""
    country: str = "US"
    time_zone: str = "America/New_York"
    locale: str = "en"


def start_run(*, company: NewCompany, holder: UUID, by: Actor, now: datetime) -> Run:
    """Create tenant, address and run in the caller's control transaction (transition 1); raises AddressTaken.

    `holder` is who holds the address (provisioning.addresses.hold_address). The run is asked for after the commit.
    """
    mine = Hostname.objects.filter(name=company.slug, state=Hostname.State.HELD, held_for=holder)
    if not mine.select_for_update().exists():
        raise AddressTaken(company.slug)
    tenant = Tenant.objects.create(
        slug=company.slug,
        display_name=company.name,
        plan_id=company.plan_id,
        trade=company.trade,
        time_zone=company.time_zone,
        locale=company.locale,
        country=company.country,
        currency=CURRENCIES.get(company.country, "USD"),
        owner_email=company.owner_email.lower(),
        owner_name=company.owner_name,
        created_at=now,
    )
    mine.update(tenant=tenant, state=Hostname.State.LIVE, is_primary=True, held_for=None, expires_at=None)
    run = Run.objects.create(kind=Run.Kind.PROVISION, tenant=tenant, next_at=now, created_at=now)
    Step.objects.bulk_create(
        [
            Step(run=run, name=step.name, position=position, idem_key=f"{run.pk}:{step.name}")
            for position, step in enumerate(STEPS)
        ]
    )
    add_event(run.pk, "run.created", now=now)
    record_control(
        "tenant.created",
        by=by,
        now=now,
        tenant_id=tenant.pk,
        target=company.slug,
        after={"slug": company.slug, "name": company.name, "lifecycle": tenant.lifecycle},
    )
    drive_run.hint_after_commit(run_id=str(run.pk))
    return run


def retry_run(*, run_id: UUID, by: Actor, now: datetime) -> None:
    """Let a parked run go on where it stopped, with its starts counted anew; raises NotParked."""
    if not ledger.reopen(run_id, by=by, now=now):
        raise NotParked(run_id)
    transaction.on_commit(lambda: drive_run.hint(run_id=str(run_id)), robust=True)


def cancel_run(*, run_id: UUID, by: Actor, now: datetime, reason: str = "") -> None:
    """Give up a company before it opens, in the caller's control transaction; raises TooLate (transition 5).

    Its address is free when this commits; its schema goes to the janitor, never back into stock (check 18).
    """
    if not ledger.cancel(run_id, by=by, now=now, reason=reason):
        raise TooLate(run_id)
    drive_run.hint_after_commit(run_id=str(run_id))
