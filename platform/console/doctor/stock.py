"""The stock of waiting schemas and the runs that hand them out."""

from __future__ import annotations

from datetime import timedelta

from console.doctor.base import Examination, Finding, check, failed, ok, some, warning
from provisioning.models import Run, SchemaSlot
from provisioning.pool import pool_status
from tenants.scope import control_scope

LONGEST_SILENCE = timedelta(minutes=2)
LONGEST_BUILD = timedelta(minutes=10)


@check("stock.pool", "schemas wait for sign-ups", proves="the pool is filled towards its target")
def pool(examination: Examination) -> Finding:
    """Compare the stock with its target."""
    status = pool_status()
    if status.is_low:
        return failed(
            f"{status.ready} schemas wait, {status.target} should: sign-ups must soon wait for theirs to be built. See"
            " that the clock process runs, or run `porchlight pool build`."
        )
    if status.ready < status.target:
        return warning(f"{status.ready} schemas wait, {status.target} should; the clock builds one at a time.")
    return ok(f"{status.ready} schemas wait, {status.target} should.")


@check("stock.dirty", "nothing is left to clear away", proves="the janitor drops what was set aside")
def dirty(examination: Examination) -> Finding:
    """Count what was set aside, and what a builder left behind."""
    with control_scope():
        waiting = SchemaSlot.objects.filter(claimed_by_run=None)
        aside = list(
            waiting.filter(state__in=[SchemaSlot.State.DIRTY, SchemaSlot.State.DROPPING])
            .order_by("created_at")
            .values_list("schema_name", flat=True)
        )
        stale = waiting.filter(
            state=SchemaSlot.State.BUILDING, created_at__lt=examination.now - LONGEST_BUILD
        ).values_list("schema_name", flat=True)
        half = list(stale)
    if aside or half:
        what = [f"{len(aside)} set aside ({some(aside)})"] * bool(aside) + [f"half built: {some(half)}"] * bool(half)
        return failed(
            f"Schemas wait to be cleared away: {' and '.join(what)}. The clock process drops two every 15 s: see that"
            " it runs, then ask again."
        )
    return ok("No schema is dirty.")


@check("stock.runs", "runs get on", proves="no provisioning run is parked or forgotten")
def runs(examination: Examination) -> Finding:
    """Look for runs that gave up, and for due ones that nobody drives."""
    with control_scope():
        found = Run.objects.select_related("tenant").order_by("created_at")
        parked = [f"{run.pk} ({run.tenant.slug}, at {run.current_step})" for run in found.filter(state="parked")]
        late = [
            f"{run.pk} ({run.tenant.slug})"
            for run in found.filter(state__in=Run.OPEN, next_at__lt=examination.now - LONGEST_SILENCE)
            if run.heartbeat_at is None or run.heartbeat_at < examination.now - LONGEST_SILENCE
        ]
    if parked:
        return failed(
            f"Runs are parked: {some(parked)}. `porchlight runs show …` says why; put it right, then `runs retry …`."
        )
    if late:
        return failed(f"Nobody drives these runs: {some(late)}. Start the provisioner and the clock process.")
    return ok("No run is parked or late.")
