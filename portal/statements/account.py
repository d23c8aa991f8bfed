"""The arithmetic of a statement: entries in order, balances that add up, and how old the debt is (P-13, INV-10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Kind = Literal["invoice", "direct", "money_in", "money_back", "credit", "closed"]
# Days past due up to which a bucket reaches; what is later stands in the last one.
BUCKETS = (0, 30, 60, 90)
# On one day an invoice stands before what was paid towards it.
_ORDER: dict[Kind, int] = {"invoice": 0, "direct": 1, "credit": 2, "money_in": 3, "money_back": 4, "closed": 5}


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that changed what is owed on one invoice."""

    on: date
    kind: Kind
    cents: int
    invoice_id: UUID
    number: str
    due_on: date
    text: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement with the balance after it."""

    on: date
    kind: Kind
    number: str
    text: str
    cents: int
    balance_cents: int


@dataclass(frozen=True, slots=True)
class Account:
    """A period of an account; `opening_cents` plus every entry is `closing_cents`."""

    first: date
    last: date
    opening_cents: int
    entries: tuple[Entry, ...]
    closing_cents: int
    ageing_cents: tuple[int, ...]

    @property
    def charged_cents(self) -> int:
        """What was added in the period."""
        return sum(entry.cents for entry in self.entries if entry.cents > 0)

    @property
    def settled_cents(self) -> int:
        """What was taken off in the period, as a positive number."""
        return -sum(entry.cents for entry in self.entries if entry.cents < 0)


def make_account(effects: Iterable[Effect], *, first: date, last: date) -> Account:
    """Return the account from `first` to `last`, both included. Pure."""
    counted = sorted((e for e in effects if e.on <= last), key=lambda e: (e.on, _ORDER[e.kind], e.number))
    balance = opening = sum(effect.cents for effect in counted if effect.on < first)
    entries = []
    for effect in counted:
        if effect.on >= first:
            balance += effect.cents
            entries.append(Entry(effect.on, effect.kind, effect.number, effect.text, effect.cents, balance))
    return Account(first, last, opening, tuple(entries), balance, age_debt(counted, last))


def age_debt(effects: Sequence[Effect], day: date) -> tuple[int, ...]:
    """Return what is open on a day by how long it has been due: not yet, to 30, 60, 90 days, longer. Pure."""
    open_cents: dict[UUID, int] = defaultdict(int)
    due_on: dict[UUID, date] = {}
    for effect in effects:
        open_cents[effect.invoice_id] += effect.cents
        due_on[effect.invoice_id] = effect.due_on
    sums = [0] * (len(BUCKETS) + 1)
    for invoice_id, cents in open_cents.items():
        late = (day - due_on[invoice_id]).days
        place = next((i for i, reach in enumerate(BUCKETS) if late <= reach), len(BUCKETS))
        sums[place] += cents
    return tuple(sums)
