"""The terminal's way to schemas: `porchlight pool …` and `porchlight migrations …` (platform.md 3.11)."""

from __future__ import annotations

from typing import Any

from console.cli_base import AddCommand, Partial, Rows, actor, progress, taken_back_if


def add_groups(groups: Any, add: AddCommand) -> None:
    """Add both groups; a command that makes or changes schemas asks for the owner's login."""
    pool = groups.add_parser("pool", help="schemas that wait for a company").add_subparsers(required=True)
    add(pool, "status", show_pool, "how many schemas wait and how many should")
    build = add(pool, "build", build_slots, "build schemas until so many wait", writes=True)
    build.add_argument("count", type=int, nargs="?", help="without it: the pool's own target")
    build.set_defaults(login="owner")
    fleet = groups.add_parser("migrations", help="releases of the schemas").add_subparsers(required=True)
    plan = add(fleet, "plan", show_plan, "the statements that the fleet would get, rehearsed; changes no company")
    plan.set_defaults(login="owner")
    run = add(fleet, "run", run_migrations, "roll this code's release out, or go on with it", writes=True)
    run.add_argument("--connections", type=int, default=2)
    run.set_defaults(login="owner")
    add(fleet, "status", show_fleet, "the waves, and every schema that is stuck with its statement")
    verify = add(fleet, "verify", verify_fleet, "compare every schema's catalogue with the ledger")
    verify.add_argument("--connections", type=int, default=2)
    verify.add_argument("--fingerprints", action="store_true", help="also of those that nobody has touched")
    verify.set_defaults(login="owner")
    add(fleet, "pause", pause_migrations, "end after the schemas at work; run goes on", writes=True)
    retry = add(fleet, "retry", retry_migration, "make what failed due again; then run", writes=True)
    retry.add_argument("schema", nargs="?", help="one schema, also a held one; without it all that failed")
    hold = add(fleet, "hold", hold_migration, "leave one schema at its release", writes=True)
    hold.add_argument("schema")
    hold.add_argument("--reason", required=True)


def show_pool(arguments: Any) -> Rows:
    """Return the stock."""
    from provisioning.pool import pool_status

    status = pool_status()
    return [
        {
            "target": status.target,
            "ready": status.ready,
            "building": status.building,
            "outdated": status.outdated,
            "dirty": status.dirty,
            "low": status.is_low,
            "release": status.release,
        }
    ]


def build_slots(arguments: Any) -> Rows:
    """Fill the pool now."""
    from django.utils import timezone

    from provisioning.pool import fill_pool, pool_target

    target = pool_target() if arguments.count is None else arguments.count
    if arguments.dry_run:
        stock = show_pool(arguments)[0]
        return [{"to build": max(0, target - stock["ready"] - stock["building"]), **stock}]
    built = 0
    with progress("Building schemas", target) as show_done:
        while fill_pool(now=timezone.now(), target=target):
            built += 1
            show_done(built)
    return [{"built": built, **show_pool(arguments)[0]}]


def show_plan(arguments: Any) -> Rows:
    """Return every statement, for each release that schemas stand at."""
    from django.utils import timezone

    from provisioning.fleet import behind, make_plans
    from provisioning.plan_costs import costs_of

    counts, rows = behind(), []
    for plan in make_plans(timezone.now()):
        release = {"from": plan.from_release, "to": plan.to_release, "schemas": counts[plan.from_release]}
        for cost in costs_of(plan):
            weight = {"table": cost.table, "rows": cost.rows, "largest": cost.largest, "lock": cost.lock}
            rows.append({**release, "statement": cost.statement, **weight})
        for task in plan.tasks:
            weight = {"table": "", "rows": "", "largest": "", "lock": "none"}
            rows.append({**release, "statement": f"for each company: {task}", **weight})
    return rows


def run_migrations(arguments: Any) -> Rows:
    """Roll out; raises Partial when schemas are left behind."""
    from django.utils import timezone

    from provisioning.fleet import behind, fleet_status, roll_out

    if arguments.dry_run:
        return [{"from": release, "schemas": count} for release, count in behind().items()]
    left = sum(behind().values())
    with progress("Migrating schemas", left) as show_done:
        status = roll_out(
            by=actor(),
            now=timezone.now(),
            connections=max(1, arguments.connections),
            watch=lambda status: show_done(left - status.behind),
        )
    if not status.is_complete:
        raise Partial("Not every schema was reached.", show_fleet(arguments))
    status = fleet_status()
    return [{"release": status.release, "done": status.done, "held": status.held, "behind": status.behind}]


def verify_fleet(arguments: Any) -> Rows:
    """Look at every schema; raises Partial with those that are not what the ledger says."""
    from provisioning.fleet_check import check_fleet
    from provisioning.models import SchemaSlot

    alive = SchemaSlot.objects.filter(state__in=["ready", "claimed"]).count()
    with progress("Looking at schemas", alive) as show_done:
        count, differences = check_fleet(
            connections=max(1, arguments.connections), every_fingerprint=arguments.fingerprints, watch=show_done
        )
    if differences:
        raise Partial(
            f"{len(differences)} of {count} schemas are not what the ledger says.",
            [{"schema": each.schema, "what": each.what} for each in differences],
        )
    return [{"schemas": count, "differences": 0}]


def show_fleet(arguments: Any) -> Rows:
    """Return one row per wave, then one per schema that failed or is held."""
    from django.db.models import Count, Q

    from provisioning.fleet import fleet_status
    from provisioning.models import MigrationState, MigrationWave

    status = fleet_status()
    waves = MigrationWave.objects.filter(release=status.release).order_by("position")
    counted = waves.annotate(done=Count("schemas", filter=Q(schemas__state="done")), total=Count("schemas"))
    rows: Rows = [
        {"what": f"wave {wave.name}", "state": wave.state, "progress": f"{wave.done}/{wave.total}", "note": ""}
        for wave in counted
    ]
    stuck = MigrationState.objects.filter(release=status.release, state__in=["failed", "held"]).order_by("schema_name")
    rows += [
        {
            "what": each.schema_name,
            "state": each.state,
            "progress": f"{each.attempts} tries",
            "note": "\n".join(filter(None, (each.statement, each.error))),
        }
        for each in stuck
    ]
    total = {"what": f"release {status.release}", "state": "complete" if status.is_complete else "behind"}
    return [*rows, {**total, "progress": f"{status.behind} behind", "note": status.stopped}]


def pause_migrations(arguments: Any) -> Rows:
    """Pause the roll-out."""
    from django.utils import timezone

    from provisioning.fleet import pause_fleet

    with taken_back_if(arguments.dry_run):
        pause_fleet(by=actor(), now=timezone.now())
        return show_fleet(arguments)


def retry_migration(arguments: Any) -> Rows:
    """Make schemas due again."""
    from django.utils import timezone

    from provisioning.fleet import retry_schemas

    with taken_back_if(arguments.dry_run):
        count = retry_schemas(by=actor(), now=timezone.now(), schema=arguments.schema)
    return [{"due again": count}]


def hold_migration(arguments: Any) -> Rows:
    """Hold one schema back."""
    from django.utils import timezone

    from provisioning.fleet import hold_schema

    with taken_back_if(arguments.dry_run):
        hold_schema(schema=arguments.schema, reason=arguments.reason, by=actor(), now=timezone.now())
    return [{"held": arguments.schema}]
