"""Which of several stored values counts for one company, and why the others do not: pure, no database.

Lowest to highest: code, platform, grant (what a ratchet flag keeps), plan, cohort, operator, owner, kill. A locked
value ends the stack; only a kill goes over it. A value that expired, or no longer fits its key, counts as absent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID

from tenants.config.registry import Key, check_share

log = logging.getLogger("porchlight.settings")

ORDER = {"code": 0, "platform": 1, "grant": 2, "plan": 3, "cohort": 4, "operator": 5, "owner": 6, "kill": 7}
BUCKETS = 10_000

Outcome = Literal["wins", "shadowed", "locked out", "expired", "does not fit", "not a ratchet"]
# OpenFeature's words (platform.md 3.9).
Reason = Literal["DEFAULT", "STATIC", "SPLIT", "TARGETING_MATCH", "DISABLED"]
REASONS: dict[str, Reason] = {
    "code": "DEFAULT",
    "platform": "STATIC",
    "grant": "SPLIT",
    "plan": "STATIC",
    "cohort": "TARGETING_MATCH",
    "operator": "TARGETING_MATCH",
    "owner": "TARGETING_MATCH",
    "kill": "DISABLED",
}


@dataclass(frozen=True, slots=True)
class LayerValue:
    """One stored value with its place; who, when and why are known to the control plane alone."""

    key: str
    layer: str
    value: Any
    locked: bool = False
    expires_at: datetime | None = None
    rank: int = 0
    scope_id: str = ""
    version: int = 0
    set_by: str = ""
    set_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One value and what became of it; `value` is what it means for this company (a share is on or off)."""

    row: LayerValue
    value: Any
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The value that counts, the layer that won, and OpenFeature's word for the reason."""

    value: Any
    layer: str
    reason: Reason
    locked: bool


class _Unfit(ValueError):
    """A stored value that today's code would not take."""


def weigh(key: Key[Any], rows: Iterable[LayerValue], tenant_id: UUID | None, now: datetime) -> list[Weighed]:
    """Return every value of one key, highest first, with its outcome; exactly one wins. Rows are this company's."""
    code = LayerValue(key.name, "code", key.default)
    found, locked = [Weighed(code, key.default, "wins")], False
    for row in sorted(rows, key=lambda each: (ORDER[each.layer], each.rank)):
        outcome, value = _weigh_one(key, row, tenant_id, now, locked=locked)
        if outcome == "wins":
            locked = locked or row.locked
            found = [Weighed(e.row, e.value, "shadowed") if e.outcome == "wins" else e for e in found]
        found.append(Weighed(row, value, outcome))
    return found[::-1]


def _weigh_one(
    key: Key[Any], row: LayerValue, tenant_id: UUID | None, now: datetime, *, locked: bool
) -> tuple[Outcome, Any]:
    if row.expires_at and row.expires_at <= now:
        return "expired", row.value
    if row.layer == "grant" and not (key.flag and key.flag.ratchet):
        return "not a ratchet", row.value
    try:
        value = _meaning(key, row, tenant_id)
    except ValueError:
        log.warning("stored value does not fit its key", extra={"setting": key.name, "layer": row.layer})
        return "does not fit", row.value
    if locked and row.layer != "kill":
        return "locked out", value
    return "wins", value


def _meaning(key: Key[Any], row: LayerValue, tenant_id: UUID | None) -> Any:
    """Return what a stored value is for this company, for nobody a share itself; raises ValueError (does not fit)."""
    if not is_share(row.value) or not key.flag:
        return key.check(row.value)
    share = check_share(row.value)
    if row.layer != "platform":
        raise _Unfit("a share is the platform's")
    return share if tenant_id is None else reaches(key.name, tenant_id, share["percent"])


def is_share(value: Any) -> bool:
    """Whether a stored value is a share of the fleet."""
    return isinstance(value, dict)


def percent_of(value: Any) -> float:
    """Return the share that a platform value of a flag stands for: all, none, or what it says."""
    return float(value["percent"]) if is_share(value) else 100.0 if value else 0.0


def reaches(flag: str, tenant_id: UUID, percent: float) -> bool:
    """Whether a share of the fleet reaches this company; whom 10 % reach, 50 % reach too (acceptance 30)."""
    return bucket(flag, tenant_id) < round(percent * 100)


def bucket(flag: str, tenant_id: UUID) -> int:
    """Return the company's place among ten thousand, for this flag; the same in every process and for ever."""
    return int.from_bytes(blake2b(f"{flag}:{tenant_id}".encode()).digest()[:8]) % BUCKETS


def evaluate(weighed: list[Weighed]) -> Evaluation:
    """Return the winner of weigh()."""
    top = next(each for each in weighed if each.outcome == "wins")
    reason: Reason = "SPLIT" if is_share(top.row.value) else REASONS[top.row.layer]
    locked = any(each.outcome in ("wins", "shadowed") and each.row.locked for each in weighed)
    return Evaluation(top.value, top.row.layer, reason, locked or top.row.layer == "kill")
