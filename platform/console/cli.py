"""The terminal's way to the console's actions: `porchlight <group> <command>` (platform.md 3.11)."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from console.cli_fleet import Partial, add_groups

OK, USAGE, NOT_FOUND, REFUSED, CONFLICT, PARTIAL = 0, 2, 3, 4, 6, 7


class LedgerBroken(Exception):
    """At least one company's books break a rule; `rows` say which."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(rows)} broken rules")
        self.rows = rows


class NotFound(Exception):
    """What was named does not exist."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 ok, 2 usage, 3 not found, 4 refused by a guard, 6 somebody else is at it, 7 done in part.
    """
    arguments = _parser().parse_args(argv)
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
    from console.services.holds import HoldRefused
    from provisioning.fleet import FleetBusy, NothingToChange
    from provisioning.plans import PlanRefused
    from tenants.scope import control_scope

    try:
        with control_scope():
            rows = arguments.command(arguments)
    except NotFound as error:
        sys.stderr.write(f"{error}\n")
        return NOT_FOUND
    except LedgerBroken as error:
        _show(error.rows, as_json=arguments.json)
        return PARTIAL
    except HoldRefused as error:
        sys.stderr.write(f"{error.reason}\n")
        return REFUSED
    except (PlanRefused, NothingToChange) as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except FleetBusy:
        sys.stderr.write("Another process is rolling this release out.\n")
        return CONFLICT
    except Partial as error:
        _show(error.rows, as_json=arguments.json)
        return PARTIAL
    _show(rows, as_json=arguments.json)
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="porchlight", description="Runs the fleet from a terminal.")
    groups = parser.add_subparsers(dest="group", required=True)
    tenants = groups.add_parser("tenants", help="companies").add_subparsers(required=True)
    _command(tenants, "list", list_tenants, "all companies, newest first").add_argument("query", nargs="?", default="")
    _command(tenants, "show", show_tenant, "one company and why it is open or closed").add_argument("slug")
    hold = _command(tenants, "hold", hold_tenant, "suspend a company")
    hold.add_argument("slug")
    hold.add_argument("--kind", choices=["operator", "billing", "abuse", "security"], default="operator")
    hold.add_argument("--reason", required=True)
    release = _command(tenants, "release", release_tenant, "release one kind of hold")
    release.add_argument("slug")
    release.add_argument("--kind", choices=["operator", "billing", "abuse", "security"], required=True)
    release.add_argument("--reason", required=True)
    ledger = groups.add_parser("ledger", help="the companies' books").add_subparsers(required=True)
    verify = _command(ledger, "verify", verify_ledgers, "check every rule of the books, of one company or of all")
    verify.add_argument("slug", nargs="?", default="")
    runs = groups.add_parser("runs", help="provisioning runs").add_subparsers(required=True)
    _command(runs, "list", list_runs, "the latest runs")
    _command(runs, "show", show_run, "one run, step by step").add_argument("run", type=UUID)
    _command(runs, "retry", retry_parked, "let a stopped run go on").add_argument("run", type=UUID)
    add_groups(groups, _command)
    return parser


def _command(group: Any, name: str, run: Callable[[Any], Any], explained: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = group.add_parser(name, help=explained)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(command=run)
    return parser


def list_tenants(arguments: Any) -> list[dict[str, Any]]:
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


def show_tenant(arguments: Any) -> list[dict[str, Any]]:
    """Return every reason why one company is open or closed."""
    from console.selectors import explain_access

    access, items = explain_access(_tenant(arguments.slug))
    return [{"": "door", "state": access.door, "note": "; ".join(access.reasons)}] + [
        {"": item["text"], "state": "ok" if item["state"] == "done" else "closed", "note": item["note"]}
        for item in items
    ]


def hold_tenant(arguments: Any) -> list[dict[str, Any]]:
    """Suspend a company."""
    from django.utils import timezone

    from console.services.holds import add_hold

    hold = add_hold(
        tenant=_tenant(arguments.slug), kind=arguments.kind, reason=arguments.reason, by=_actor(), now=timezone.now()
    )
    return [{"hold": str(hold.pk), "kind": hold.kind, "company": arguments.slug}]


def release_tenant(arguments: Any) -> list[dict[str, Any]]:
    """Release the open hold of one kind."""
    from django.utils import timezone

    from console.services.holds import release_hold
    from tenants.models import Hold

    tenant = _tenant(arguments.slug)
    hold = Hold.objects.filter(tenant=tenant, kind=arguments.kind, released_at__isnull=True).first()
    if hold is None:
        raise NotFound(f"{arguments.slug} has no open hold of kind {arguments.kind}.")
    release_hold(hold=hold, reason=arguments.reason, by=_actor(), now=timezone.now())
    left = Hold.objects.filter(tenant=tenant, released_at__isnull=True).count()
    return [{"released": str(hold.pk), "holds left": left}]


def verify_ledgers(arguments: Any) -> list[dict[str, Any]]:
    """Check the books of one company or of all active ones; raises LedgerBroken."""
    from django.utils import timezone

    from portal.payments.invariants import find_broken_invariants
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
        broken += [{"company": tenant.slug, "rule": each.rule, "rows": ", ".join(each.rows)} for each in found]
    if broken:
        raise LedgerBroken(broken)
    return [{"company": tenant.slug, "books": "sound"} for tenant in chosen]


def list_runs(arguments: Any) -> list[dict[str, Any]]:
    """Return the latest runs."""
    from provisioning.models import Run

    runs = Run.objects.select_related("tenant").order_by("-created_at")[:50]
    return [
        {"run": str(run.pk), "company": run.tenant.slug, "state": run.state, "step": run.current_step} for run in runs
    ]


def show_run(arguments: Any) -> list[dict[str, Any]]:
    """Return the steps of one run."""
    from provisioning.models import Step

    steps = Step.objects.filter(run_id=arguments.run).order_by("position")
    if not steps:
        raise NotFound(f"There is no run {arguments.run}.")
    return [
        {"step": step.name, "state": step.state, "starts": step.starts, "error": step.error.splitlines()[-1:] or ""}
        for step in steps
    ]


def retry_parked(arguments: Any) -> list[dict[str, Any]]:
    """Let a stopped run go on."""
    from django.utils import timezone

    from provisioning.models import Run
    from provisioning.services import NotParked, retry_run

    if not Run.objects.filter(pk=arguments.run).exists():
        raise NotFound(f"There is no run {arguments.run}.")
    try:
        retry_run(run_id=arguments.run, by=_actor(), now=timezone.now())
    except NotParked as error:
        raise NotFound(f"There is no stopped run {arguments.run}.") from error
    return [{"run": str(arguments.run), "state": "queued"}]


def _tenant(slug: str) -> Any:
    from tenants.models import Tenant

    tenant = Tenant.objects.select_related("plan").filter(slug=slug).first()
    if tenant is None:
        raise NotFound(f"There is no company at {slug}.")
    return tenant


def _actor() -> Any:
    from tenants.audit import Actor

    return Actor("operator", None, f"{getpass.getuser()} in the terminal", surface="cli")


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2, default=str) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    if not rows:
        sys.stdout.write("Nothing.\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main())
