"""Our own processes: the web answers as the company it is asked for, the clock runs."""

from __future__ import annotations

import http.client
from collections import Counter
from typing import Any

from console.doctor.base import Examination, Finding, check, failed, not_applicable, ok, some
from provisioning.fence import lock_key
from provisioning.steps.base import StepFailed
from provisioning.steps.probe import ask_as_company
from tenants.models import Epoch, Tenant
from tenants.scope import control_scope

ASKED = 12

_HELD = """
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND granted AND objsubid = 1
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND ((classid::bigint << 32) | objid::bigint) = %s
"""


@check(
    "processes.web", "web answers as it should", proves="each web process serves this release, and the right company"
)
def web(examination: Examination) -> Finding:
    """Ask the front door again and again, on new connections, for a company."""
    with control_scope():
        active = Tenant.objects.filter(lifecycle="active").order_by("-last_active_at", "pk").first()
        epoch = Epoch.objects.get()
    if active is None:
        return not_applicable("There is no open company to ask for.")
    answers: list[dict[str, Any]] = []
    for _ in range(ASKED):
        try:
            answers.append(ask_as_company(f"{active.slug}.{examination.env.base_domain}", str(active.pk)))
        except (OSError, http.client.HTTPException, StepFailed) as error:
            return failed(f"The web does not answer for {active.slug} ({error}). Start it, or see its log.")
    if any(each.get("tenant") != str(active.pk) or each.get("schema") != active.schema_name for each in answers):
        return failed(f"The web answers as somebody else when asked for {active.slug}. Stop it and page somebody.")
    releases = Counter(str(each.get("release", "")) for each in answers)
    if len(releases) > 1:
        return failed(f"Web processes serve different releases: {some(releases)}. Restart those that were left behind.")
    least = {"config_version": active.config_version, "flag_epoch": epoch.flag_epoch}
    if late := _behind(least, answers):
        return failed(f"Web processes have not seen the newest settings: {some(late)}. Restart them.")
    return ok(f"{ASKED} answers of {len({each.get('process') for each in answers})} processes, all of now.")


def _behind(wanted: dict[str, int], answers: list[dict[str, Any]]) -> list[str]:
    """Return the processes that answered with older versions than there were before they were asked."""
    return sorted(
        {
            f"process {each.get('process')} at {name} {each.get(name)} instead of {least}"
            for each in answers
            for name, least in wanted.items()
            if int(each.get(name) or 0) < least
        }
    )


@check("processes.clock", "clock runs", proves="one process does what is due, whatever was lost")
def clock(examination: Examination) -> Finding:
    """Look for the lock that the clock holds as long as it lives."""
    with examination.as_owner() as conn:
        ((count,),) = conn.execute(_HELD, [lock_key("clock")]).fetchall()
    if not count:
        return failed("No clock runs: what a lost message or a dead worker left is not found. Start `clock`.")
    return ok("One clock runs.")
