"""What a version offers, as frozen values, and the sums over it; the server alone computes them (EST-02, PAY-03)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

DepositKind = Literal["none", "fixed", "percent"]
WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an option; an optional one counts only when it is chosen."""

    key: str
    text: str
    quantity: str
    unit_cents: int
    amount_cents: int
    optional: bool = False
    preselected: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """What an option costs with the lines that were chosen."""

    subtotal_cents: int
    tax_cents: int
    total_cents: int
    deposit_cents: int


@dataclass(frozen=True, slots=True)
class Option:
    """One way to do the work."""

    key: str
    name: str
    summary: str
    recommended: bool
    lines: tuple[Line, ...]

    @property
    def extras(self) -> tuple[Line, ...]:
        """Return the lines that may be left out or added."""
        return tuple(line for line in self.lines if line.optional)

    def preselected(self) -> tuple[str, ...]:
        """Return the optional lines that are chosen unless somebody says otherwise."""
        return tuple(line.key for line in self.extras if line.preselected)


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything that one version says; percentages are hundredths of a percent."""

    title: str
    summary: str
    tax_bps: int
    deposit_kind: DepositKind
    deposit_value: int
    options: tuple[Option, ...]

    def option(self, key: str) -> Option | None:
        """Return an option of this offer."""
        return next((option for option in self.options if option.key == key), None)

    def sums(self, option: Option, chosen: Iterable[str]) -> Sums:
        """Return what an option costs with the chosen lines; lines of other options count nothing. Pure."""
        wanted = set(chosen)
        subtotal = sum(line.amount_cents for line in option.lines if not line.optional or line.key in wanted)
        tax = part_of(subtotal, self.tax_bps)
        total = subtotal + tax
        return Sums(subtotal, tax, total, self.deposit_of(total))

    def deposit_of(self, total_cents: int) -> int:
        """Return the deposit on a total, never more than it. Pure."""
        if self.deposit_kind == "percent":
            return min(total_cents, part_of(total_cents, self.deposit_value))
        return min(total_cents, self.deposit_value) if self.deposit_kind == "fixed" else 0

    def chosen_lines(self, option: Option, keys: Iterable[str]) -> tuple[str, ...]:
        """Return those keys that are optional lines of the option, in its order. Pure."""
        wanted = set(keys)
        return tuple(line.key for line in option.extras if line.key in wanted)


def part_of(cents: int, bps: int) -> int:
    """Return so many hundredths of a percent of an amount, rounded half up. Pure."""
    return (cents * bps + WHOLE // 2) // WHOLE


def read_offer(body: dict[str, Any]) -> Offer:
    """Return the offer that a version keeps."""
    deposit = body["deposit"]
    return Offer(
        title=body["title"],
        summary=body["summary"],
        tax_bps=body["tax_bps"],
        deposit_kind=deposit["kind"],
        deposit_value=deposit["value"],
        options=tuple(
            Option(
                option["key"],
                option["name"],
                option["summary"],
                option["recommended"],
                tuple(Line(**line) for line in option["lines"]),
            )
            for option in body["options"]
        ),
    )


def write_offer(offer: Offer) -> dict[str, Any]:
    """Return an offer as a version keeps it."""
    return {
        "title": offer.title,
        "summary": offer.summary,
        "tax_bps": offer.tax_bps,
        "deposit": {"kind": offer.deposit_kind, "value": offer.deposit_value},
        "options": [
            {
                "key": option.key,
                "name": option.name,
                "summary": option.summary,
                "recommended": option.recommended,
                "lines": [{name: getattr(line, name) for name in Line.__slots__} for line in option.lines],
            }
            for option in offer.options
        ],
    }


def hash_version(estimate_id: UUID, n: int, currency: str, body: dict[str, Any]) -> str:
    """Return the digest of what a version says. Pure."""
    return _digest({"estimate": str(estimate_id), "version": n, "currency": currency, "body": body})


def hash_signed(content_hash: str, option: str, lines: Iterable[str], sums: Sums, consent: str) -> str:
    """Return the digest of what is signed: the version, what was chosen of it, its price, and the consent. Pure."""
    return _digest(
        {
            "document": content_hash,
            "option": option,
            "lines": list(lines),
            "total_cents": sums.total_cents,
            "deposit_cents": sums.deposit_cents,
            "consent": consent,
        }
    )


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
