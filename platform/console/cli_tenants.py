"""The terminal's way to new companies: `porchlight tenants create|wait`, `runs cancel`, `crash-points list`."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from console.cli_base import AddCommand, Conflict, NotFound, Parked, Refused, Rows, actor, taken_back_if

LOOK_EVERY = 0.1


def add_to_tenants(group: Any, add: AddCommand) -> None:
    """Add `create` and `wait` to the companies' group."""
    create = add(group, "create", create_tenant, "set up a company as a verified sign-up does", writes=True)
    create.add_argument("slug", help="the address for ever: <slug>.<base domain>")
    create.add_argument("--email", required=True, help="the owner's, to which the welcome goes")
    create.add_argument("--name", required=True, help="the company's name")
    create.add_argument("--owner-name", default="")
    create.add_argument("--trade", default="")
    create.add_argument("--country", choices=["US", "CA"], default="US")
    create.add_argument("--time-zone", default="America/New_York")
    create.add_argument("--locale", choices=["en", "es"], default="en")
    create.add_argument("--wait", action="store_true", help="until the company is open, or its run is parked")
    wait = add(group, "wait", wait_for_tenant, "wait until a company is open, or its run is parked")
    wait.add_argument("slug")
    for each in (create, wait):
        each.add_argument("--seconds", type=float, default=120.0, help="the longest to wait")


def add_groups(groups: Any, add: AddCommand) -> None:
    """Add the group of what only tests and drills need."""
    points = groups.add_parser("crash-points", help="for drills in a demo").add_subparsers(required=True)
    add(points, "list", list_crash_points, "every point at which CRASH_AT=<name> ends a demo's process")


def add_to_runs(group: Any, add: AddCommand) -> None:
    """Add `cancel` to the runs' group."""
    cancel = add(group, "cancel", cancel_unopened, "give up a company that has not opened yet", writes=True)
    cancel.add_argument("run", type=UUID)
    cancel.add_argument("--reason", required=True)


def create_tenant(arguments: Any) -> Rows:
    """Create a company and its run; with --wait also see it open. Raises Refused, Conflict, Parked."""
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import transaction
    from django.utils import timezone

    from infra.ids import uuid7
    from provisioning.addresses import AddressTaken, hold_address
    from provisioning.services import NewCompany, start_run
    from tenants.models import Plan
    from tenants.slugs import slug_problem

    problem = slug_problem(arguments.slug)
    if problem:
        raise Refused(f"{arguments.slug} cannot be an address: {problem.replace('_', ' ')}.")
    try:
        validate_email(arguments.email)
    except ValidationError as error:
        raise Refused(f"{arguments.email} is not an e-mail address.") from error
    plan = Plan.objects.filter(is_offered=True).order_by("-version").first()
    if plan is None:
        raise Refused("No plan is offered.")
    company = NewCompany(
        slug=arguments.slug,
        name=arguments.name,
        plan_id=plan.pk,
        owner_email=arguments.email,
        owner_name=arguments.owner_name,
        trade=arguments.trade,
        country=arguments.country,
        time_zone=arguments.time_zone,
        locale=arguments.locale,
    )
    now, holder = timezone.now(), uuid7()
    try:
        with taken_back_if(arguments.dry_run), transaction.atomic():
            hold_address(slug=company.slug, holder=holder, now=now)
            run = start_run(company=company, holder=holder, by=actor(), now=now)
    except AddressTaken as error:
        raise Conflict(str(error)) from error
    if arguments.wait and not arguments.dry_run:
        return _wait(run.pk, arguments.seconds)
    return [_outcome(run)]


def wait_for_tenant(arguments: Any) -> Rows:
    """Wait for the latest run of a company. Raises NotFound, Parked."""
    from provisioning.models import Run

    run = Run.objects.filter(tenant__slug=arguments.slug).order_by("-created_at").first()
    if run is None:
        raise NotFound(f"There is no company at {arguments.slug} that is being set up or was.")
    return _wait(run.pk, arguments.seconds)


def _wait(run_id: UUID, seconds: float) -> Rows:
    from provisioning.models import Run

    until = time.monotonic() + seconds
    while True:
        run = Run.objects.select_related("tenant").get(pk=run_id)
        if run.state == Run.State.DONE:
            return [_outcome(run)]
        if run.state not in Run.OPEN:
            raise Parked(f"The run is {run.state}.", [_outcome(run)])
        if time.monotonic() > until:
            raise Parked(f"The run is still {run.state} after {seconds:g} seconds.", [_outcome(run)])
        time.sleep(LOOK_EVERY)


def _outcome(run: Any) -> dict[str, Any]:
    from django.conf import settings

    took = (run.finished_at - run.created_at).total_seconds() if run.finished_at else ""
    return {
        "company": run.tenant.slug,
        "address": settings.ENV.url_for_host(f"{run.tenant.slug}.{settings.ENV.base_domain}"),
        "run": str(run.pk),
        "state": run.state,
        "step": run.current_step,
        "seconds": took,
        "error": run.error,
    }


def cancel_unopened(arguments: Any) -> Rows:
    """Give up a company before it opens. Raises NotFound, Refused."""
    from django.db import transaction
    from django.utils import timezone

    from provisioning.models import Run
    from provisioning.services import TooLate, cancel_run

    if not Run.objects.filter(pk=arguments.run).exists():
        raise NotFound(f"There is no run {arguments.run}.")
    try:
        with taken_back_if(arguments.dry_run), transaction.atomic():
            cancel_run(run_id=arguments.run, by=actor(), now=timezone.now(), reason=arguments.reason)
    except TooLate as error:
        raise Refused("The company has opened, or was given up before.") from error
    return [{"run": str(arguments.run), "state": "compensating"}]


def list_crash_points(arguments: Any) -> Rows:
    """Return every declared point, whichever process passes it."""
    from django.utils.module_loading import autodiscover_modules

    import provisioning.fleet
    import provisioning.tasks  # noqa: F401  declares its own and those of all steps
    from infra.crash import crash_points

    autodiscover_modules("tasks")
    return [{"crash point": name} for name in crash_points()]
