"""The terminal's way to the console's actions: `porchlight <group> <command>` (platform.md 3.11)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from console import cli_billing, cli_cohorts, cli_doctor, cli_fleet, cli_settings, cli_tenants
from console.cli_base import (
    CONFLICT,
    EXIT_CODES,
    NOT_FOUND,
    OK,
    PARKED,
    PARTIAL,
    REFUSED,
    USAGE,
    CommandFailed,
    NotFound,
    Partial,
    Rows,
    actor,
    add_command,
    show,
    taken_back_if,
)

__all__ = ["CONFLICT", "NOT_FOUND", "OK", "PARKED", "PARTIAL", "REFUSED", "USAGE", "build_parser", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, one of those of console.cli_base."""
    arguments = build_parser().parse_args(argv)
    if login := getattr(arguments, "login", ""):
        os.environ["DATABASE_LOGIN"] = login
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    from infra.env import EnvError

    try:
        django.setup()
    except EnvError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    from tenants.scope import control_scope

    rows: Rows | None
    try:
        with control_scope():
            rows, says, code = arguments.command(arguments), "", OK
    except CommandFailed as failed:
        rows, says, code = failed.rows, failed.says, failed.code
    except _refusals() as error:
        rows, says, code = None, getattr(error, "reason", str(error)), REFUSED
    except _conflicts():
        rows, says, code = None, "Another process is rolling this release out.", CONFLICT
    if rows is not None:
        show(rows, as_json=arguments.json)
    if arguments.dry_run and code == OK:
        says = "Dry run: nothing was changed."
    if says:
        sys.stderr.write(f"{says}\n")
    return code


def _refusals() -> tuple[type[Exception], ...]:
    """Return what services raise when a guard says no."""
    from console.services.holds import HoldRefused
    from provisioning.fleet import NothingToChange
    from provisioning.plans import PlanRefused
    from tenants.config.operators import ReasonMissing

    return HoldRefused, PlanRefused, NothingToChange, ReasonMissing


def _conflicts() -> tuple[type[Exception], ...]:
    """Return what services raise when somebody else is at work."""
    from provisioning.fleet import FleetBusy

    return (FleetBusy,)


def build_parser() -> argparse.ArgumentParser:
    """Return the whole command line; a module with `add_groups(groups, add_command)` adds its own part here."""
    parser = argparse.ArgumentParser(
        prog="porchlight",
        description="Runs the fleet from a terminal.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    groups = parser.add_subparsers(dest="group", required=True)
    tenants = groups.add_parser("tenants", help="companies").add_subparsers(required=True)
    add_command(tenants, "list", list_tenants, "all companies, newest first").add_argument(
        "query", nargs="?", default="", help="part of a name, host or address"
    )
    add_command(tenants, "show", show_tenant, "one company and why it is open or closed").add_argument("slug")
    hold = add_command(tenants, "hold", hold_tenant, "suspend a company", writes=True)
    hold.add_argument("slug")
    hold.add_argument("--kind", choices=["operator", "office", "billing", "abuse", "security"], default="operator")
    hold.add_argument("--reason", required=True)
    release = add_command(tenants, "release", release_tenant, "release one kind of hold", writes=True)
    release.add_argument("slug")
    release.add_argument("--kind", choices=["operator", "office", "billing", "abuse", "security"], required=True)
    release.add_argument("--reason", required=True)
    cli_tenants.add_to_tenants(tenants, add_command)
    ledger = groups.add_parser("ledger", help="the companies' books").add_subparsers(required=True)
    verify = add_command(ledger, "verify", verify_ledgers, "check every rule of the books, of one company or of all")
    verify.add_argument("slug", nargs="?", default="")
    runs = groups.add_parser("runs", help="provisioning runs").add_subparsers(required=True)
    add_command(runs, "list", list_runs, "the latest runs")
    add_command(runs, "show", show_run, "one run, step by step").add_argument("run", type=UUID)
    add_command(runs, "retry", retry_parked, "let a stopped run go on", writes=True).add_argument("run", type=UUID)
    cli_tenants.add_to_runs(runs, add_command)
    for module in (
        cli_billing,
        cli_cohorts,
        cli_doctor,
        cli_fleet,
        cli_settings,
        cli_tenants,
    ):
        module.add_groups(groups, add_command)
    return parser


def list_tenants(arguments: Any) -> Rows:
    """Return the companies that match a query."""
    from django.utils import timezone

    from console.selectors import find_tenants, tenant_row

    now = timezone.now()
    rows = [tenant_row(tenant, now) for tenant in find_tenants(arguments.query, "all", now)]
    return [
        {
            "host": row.host,
            "name": row.name,
            "state": row.badge.text,
            "plan": row.plan,
            "last activity": row.last_activity,
            "health": row.health,
            "id": str(row.id),
        }
        for row in rows
    ]


def show_tenant(arguments: Any) -> Rows:
    """Return every reason why one company is open or closed."""
    from django.utils import timezone

    from console.selectors import explain_access

    access, items = explain_access(_tenant(arguments.slug), timezone.now())
    return [{"": "door", "state": access.door, "note": "; ".join(access.reasons)}] + [
        {"": item["text"], "state": "ok" if item["state"] == "done" else "closed", "note": item["note"]}
        for item in items
    ]


def hold_tenant(arguments: Any) -> Rows:
    """Suspend a company."""
    from django.utils import timezone

    from console.services.holds import add_hold

    tenant = _tenant(arguments.slug)
    with taken_back_if(arguments.dry_run):
        hold = add_hold(tenant=tenant, kind=arguments.kind, reason=arguments.reason, by=actor(), now=timezone.now())
    return [{"hold": str(hold.pk), "kind": hold.kind, "company": arguments.slug}]


def release_tenant(arguments: Any) -> Rows:
    """Release the open hold of one kind."""
    from django.utils import timezone

    from console.services.holds import release_hold
    from tenants.models import Hold

    tenant = _tenant(arguments.slug)
    hold = Hold.objects.filter(tenant=tenant, kind=arguments.kind, released_at__isnull=True).first()
    if hold is None:
        raise NotFound(f"{arguments.slug} has no open hold of kind {arguments.kind}.")
    with taken_back_if(arguments.dry_run):
        release_hold(hold=hold, reason=arguments.reason, by=actor(), now=timezone.now())
        left = Hold.objects.filter(tenant=tenant, released_at__isnull=True).count()
    return [{"released": str(hold.pk), "holds left": left}]


def verify_ledgers(arguments: Any) -> Rows:
    """Check the books of one company or of all active ones; raises Partial with the broken rules."""
    from django.utils import timezone

    from portal.payments.invariants import find_broken_invariants
    from tenants.backend.recycling import end_if_used_up
    from tenants.context import serving
    from tenants.models import Tenant

    now = timezone.now()
    chosen = (
        [_tenant(arguments.slug)]
        if arguments.slug
        else list(Tenant.objects.filter(lifecycle="active").order_by("slug"))
    )
    broken = []
    for tenant in chosen:
        with serving(tenant.pk, now):
            found = find_broken_invariants(now)
        end_if_used_up()
        broken += [{"company": tenant.slug, "rule": each.rule, "rows": ", ".join(each.rows)} for each in found]
    if broken:
        raise Partial(f"{len(broken)} rules of the books are broken.", broken)
    return [{"company": tenant.slug, "books": "sound"} for tenant in chosen]


def list_runs(arguments: Any) -> Rows:
    """Return the latest runs."""
    from provisioning.models import Run

    runs = Run.objects.select_related("tenant").order_by("-created_at")[:50]
    return [
        {"run": str(run.pk), "company": run.tenant.slug, "state": run.state, "step": run.current_step} for run in runs
    ]


def show_run(arguments: Any) -> Rows:
    """Return the steps of one run."""
    from provisioning.models import Step

    steps = Step.objects.filter(run_id=arguments.run).order_by("position")
    if not steps:
        raise NotFound(f"There is no run {arguments.run}.")
    return [
        {"step": step.name, "state": step.state, "starts": step.starts, "error": step.error.splitlines()[-1:] or ""}
        for step in steps
    ]


def retry_parked(arguments: Any) -> Rows:
    """Let a stopped run go on."""
    from django.utils import timezone

    from provisioning.models import Run
    from provisioning.services import NotParked, retry_run

    if not Run.objects.filter(pk=arguments.run).exists():
        raise NotFound(f"There is no run {arguments.run}.")
    try:
        with taken_back_if(arguments.dry_run):
            retry_run(run_id=arguments.run, by=actor(), now=timezone.now())
    except NotParked as error:
        raise NotFound(f"There is no stopped run {arguments.run}.") from error
    return [{"run": str(arguments.run), "state": "queued"}]


def _tenant(slug: str) -> Any:
    from tenants.models import Tenant

    tenant = Tenant.objects.select_related("plan").filter(slug=slug).first()
    if tenant is None:
        raise NotFound(f"There is no company at {slug}.")
    return tenant


if __name__ == "__main__":
    raise SystemExit(main())
