"""Is this tenant open, and if not, why: four axes and two switches, decided in one place (platform.md 3.3)."""

from dataclasses import dataclass
from typing import Literal

OFFICE_HOLD = "office"
Door = Literal["open", "portal_off", "held", "maintenance", "closing", "unknown", "broken"]


@dataclass(frozen=True, slots=True)
class Axes:
    """What the decision looks at."""

    lifecycle: str
    was_active: bool
    has_schema: bool
    fingerprint: str
    holds: tuple[str, ...]
    service_mode: str
    review: str
    portal_entitled: bool
    portal_enabled: bool


@dataclass(frozen=True, slots=True)
class Access:
    """What a visitor gets, and every reason for it (explain-access)."""

    door: Door
    reasons: tuple[str, ...] = ()
    office_held: bool = False

    @property
    def office_open(self) -> bool:
        """Whether staff may work: also while the portal is switched off, not while our bill is unpaid for too long."""
        return self.door in ("open", "portal_off") and not self.office_held


def decide_access(axes: Axes) -> Access:
    """Return the door and all reasons, most final first. Pure."""
    if axes.lifecycle == "closing":
        return Access("closing", ("the company is closing its account",))
    if axes.lifecycle != "active" or not axes.was_active:
        return Access("unknown", (f"lifecycle is {axes.lifecycle}",))
    if not axes.has_schema or not axes.fingerprint:
        return Access("broken", ("the schema is not the release's",))
    # The hold of the office shuts nobody else out: customers go on seeing and paying.
    office_held = OFFICE_HOLD in axes.holds
    held = tuple(f"{kind} hold" for kind in axes.holds if kind != OFFICE_HOLD)
    if axes.review == "blocked":
        held += ("blocked after review",)
    if held:
        return Access("held", held)
    if axes.service_mode == "maintenance":
        return Access("maintenance", ("maintenance window",))
    off: tuple[str, ...] = ()
    if not axes.portal_entitled:
        off += ("flag portal is off",)
    if not axes.portal_enabled:
        off += ("the owner switched the portal off",)
    return Access("portal_off" if off else "open", off, office_held)
