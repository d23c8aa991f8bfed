"""The steps in their order, and the name of every point at which a test may end the process."""

from __future__ import annotations

from infra.crash import declare_crash_points
from provisioning.steps import activate, bind, build_slot, enable, owner, probe, reserve, seed
from provisioning.steps.base import Definition

STEPS = (
    Definition("reserve", reserve.act),
    Definition("build_slot", build_slot.act),
    Definition("bind", bind.act),
    Definition("seed", seed.act),
    Definition("owner", owner.act),
    Definition("enable", enable.act),
    Definition("probe", probe.act),
    Definition("activate", activate.act),
)
BOUNDARIES = ("before_act", "after_act", "after_record")
CRASH_POINTS = tuple(f"{step.name}.{boundary}" for step in STEPS for boundary in BOUNDARIES)
declare_crash_points(*CRASH_POINTS)
