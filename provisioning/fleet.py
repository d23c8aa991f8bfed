"""Rolls a release out over all schemas in waves, and lets operators pause, retry and hold (platform.md 3.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from infra.crash import crash_point, declare_crash_points
from provisioning.fence import try_session_lock
from provisioning.fleet_worker import MOST_ATTEMPTS, work_through
from provisioning.models import MigrationPlan, MigrationState, MigrationWave, SchemaSlot
from provisioning.plans import ensure_plan
from provisioning.schemas import current_release
from tenants.audit import Actor, record_control
from tenants.scope import control_scope, owner_scope

ENROLLED = "fleet.after_enrolling"
declare_crash_points(ENROLLED)

CONNECTIONS = 2
# Each wave takes this share of all companies; schemas that wait for one go first and none of them may fail.
CANARIES = "waiting schemas"
WAVES = ((CANARIES, 0.0), ("one percent", 0.01), ("ten percent", 0.1), ("everybody else", 1.0))
FEWEST_FAILURES = 3
SHARE_OF_FAILURES = 0.005
LOOK_EVERY = 0.5

State = MigrationState.State
Wave = MigrationWave.State


class FleetBusy(Exception):
    """Another process is rolling the release out."""


class NothingToChange(Exception):
    """No schema is in a state in which this can be done."""


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """How far the fleet is on its way to this code's release."""

    release: str
    behind: int
    done: int
    failed: int
    held: int
    stopped: str

    @property
    def is_complete(self) -> bool:
        """Whether every schema has the release, but for those that somebody holds back."""
        return self.behind == self.held


Watch = Callable[[FleetStatus], object]


def behind() -> dict[str, int]:
    """Return how many schemas stand at each other release; empty when there is nothing to do."""
    with control_scope():
        return dict(_behind().values_list("release").annotate(count=Count("schema_name")).order_by("release"))


def _behind() -> QuerySet[SchemaSlot]:
    alive = [SchemaSlot.State.READY, SchemaSlot.State.CLAIMED]
    return SchemaSlot.objects.filter(state__in=alive).exclude(release=current_release())


def make_plans(now: datetime) -> list[MigrationPlan]:
    """Return one plan for each release that schemas stand at; raises PlanRefused."""
    return [ensure_plan(release, now) for release in behind()]


def roll_out(*, by: Actor, now: datetime, connections: int = CONNECTIONS, watch: Watch | None = None) -> FleetStatus:
    """Migrate every schema that is behind, wave by wave, going on where an earlier roll-out ended.

    `watch` is told now and then where the fleet stands; returns where it stands in the end. Raises PlanRefused,
    FleetBusy.
    """
    if not behind():
        return fleet_status()
    with owner_scope(), try_session_lock("fleet") as mine:
        if not mine:
            raise FleetBusy
        plans = {plan.from_release: plan for plan in make_plans(now)}
        _enrol(by, now)
        for wave in _open_waves():
            if not _run_wave(wave, plans, connections, now, watch):
                break
    return fleet_status()


def _enrol(by: Actor, now: datetime) -> None:
    """Give every schema that is behind its place in a wave; what a killed roll-out was at is due again."""
    release = current_release()
    with control_scope(), transaction.atomic():
        ours = MigrationState.objects.filter(release=release)
        ours.filter(state=State.RUNNING).update(state=State.PENDING, next_at=now)
        known = set(ours.values_list("schema_name", flat=True))
        new = [slot for slot in _behind().order_by("schema_name") if slot.schema_name not in known]
        for position, (name, slots) in enumerate(_shared_out(new)):
            budget = 1 if name == CANARIES else max(FEWEST_FAILURES, ceil(SHARE_OF_FAILURES * len(new)))
            wave, _ = MigrationWave.objects.get_or_create(
                release=release, position=position, defaults={"name": name, "budget": budget, "created_at": now}
            )
            MigrationState.objects.bulk_create(
                [
                    MigrationState(
                        wave=wave,
                        release=release,
                        from_release=slot.release,
                        schema_name=slot.schema_name,
                        next_at=now,
                    )
                    for slot in slots
                ]
            )
        waves = MigrationWave.objects.filter(release=release)
        waves.filter(~Q(state=Wave.DONE) | Q(schemas__state=State.PENDING)).update(state=Wave.PENDING)
        record_control("fleet.rolled_out", by=by, now=now, target=release, after={"new": len(new)})
    crash_point(ENROLLED)


def _shared_out(slots: Iterable[SchemaSlot]) -> list[tuple[str, list[SchemaSlot]]]:
    """Return the waves with their schemas; names are random, so their order favours nobody."""
    listed = list(slots)
    companies = [slot for slot in listed if slot.state == SchemaSlot.State.CLAIMED]
    waves = [(CANARIES, [slot for slot in listed if slot.state == SchemaSlot.State.READY])]
    taken = 0
    for name, share in WAVES[1:]:
        upto = max(taken, ceil(share * len(companies)))
        waves.append((name, companies[taken:upto]))
        taken = upto
    return waves


def _open_waves() -> list[MigrationWave]:
    with control_scope():
        return list(MigrationWave.objects.filter(release=current_release(), state=Wave.PENDING).order_by("position"))


def _run_wave(
    wave: MigrationWave, plans: dict[str, MigrationPlan], connections: int, now: datetime, watch: Watch | None
) -> bool:
    """Run one wave to its end; False when it was paused or has used up its budget of failures."""
    mine = MigrationWave.objects.filter(pk=wave.pk)
    with control_scope():
        # Its failures of before still count: a wave that stopped stops again until they were looked at.
        failed = wave.schemas.filter(state=State.FAILED).count()
        began = mine.filter(state=Wave.PENDING).update(
            state=Wave.STOPPED if failed >= wave.budget else Wave.RUNNING, started_at=now
        )
    if not began:
        return False
    while True:
        with ThreadPoolExecutor(connections, thread_name_prefix="fleet") as threads:
            workers = [threads.submit(work_through, wave.pk, plans) for _ in range(connections)]
            while watch and wait(workers, timeout=LOOK_EVERY).not_done:
                watch(fleet_status())
            for worker in workers:
                worker.result()
        if not _forgotten(wave):
            break
    with control_scope():
        return bool(mine.filter(state=Wave.RUNNING).update(state=Wave.DONE, finished_at=now))


def _forgotten(wave: MigrationWave) -> int:
    """Make due again what nobody is at although the ledger says so: its taker's connection ended with the answer."""
    with control_scope():
        lost = wave.schemas.filter(state=State.RUNNING)
        lost.filter(attempts__gte=MOST_ATTEMPTS).update(
            state=State.FAILED, error="Every try ended with the server's connection."
        )
        return lost.filter(wave__state=Wave.RUNNING).update(state=State.PENDING)


def fleet_status() -> FleetStatus:
    """Return where the fleet stands, by the ledger alone."""
    with control_scope():
        counts = MigrationState.objects.filter(release=current_release()).aggregate(
            done=Count("pk", filter=Q(state=State.DONE)),
            failed=Count("pk", filter=Q(state=State.FAILED)),
            held=Count("pk", filter=Q(state=State.HELD)),
        )
        halted = MigrationWave.objects.filter(release=current_release(), state__in=[Wave.STOPPED, Wave.PAUSED])
        first = halted.order_by("position").first()
    return FleetStatus(
        release=current_release(),
        behind=sum(behind().values()),
        stopped=f"{first.name}: {first.state}" if first else "",
        **counts,
    )


def pause_fleet(*, by: Actor, now: datetime) -> None:
    """Let the roll-out end after the schemas it is at; running it again resumes. Raises NothingToChange."""
    with control_scope(), transaction.atomic():
        waves = MigrationWave.objects.filter(release=current_release(), state__in=[Wave.PENDING, Wave.RUNNING])
        if not waves.update(state=Wave.PAUSED):
            raise NothingToChange("No roll-out is going on.")
        record_control("fleet.paused", by=by, now=now, target=current_release())


def retry_schemas(*, by: Actor, now: datetime, schema: str | None = None) -> int:
    """Make failed and held schemas due again (one, or all that failed) and return how many. Raises NothingToChange."""
    with control_scope(), transaction.atomic():
        stuck = MigrationState.objects.filter(release=current_release())
        if schema is None:
            stuck = stuck.filter(state=State.FAILED)
        else:
            stuck = stuck.filter(state__in=[State.FAILED, State.HELD], schema_name=schema)
        count = stuck.update(state=State.PENDING, attempts=0, next_at=now)
        if not count:
            raise NothingToChange("No such schema has failed or is held.")
        record_control("fleet.retried", by=by, now=now, target=schema or current_release(), after={"schemas": count})
        return count


def hold_schema(*, schema: str, reason: str, by: Actor, now: datetime) -> None:
    """Leave one schema at its release until it is retried. Raises NothingToChange."""
    with control_scope(), transaction.atomic():
        waiting = MigrationState.objects.filter(
            release=current_release(), schema_name=schema, state__in=[State.PENDING, State.FAILED]
        )
        if not waiting.update(state=State.HELD):
            raise NothingToChange("The schema is not waiting for its migration.")
        record_control("fleet.held", by=by, now=now, target=schema, reason=reason)
