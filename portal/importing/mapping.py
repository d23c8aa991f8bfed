"""Which column of a file feeds which field: guessed from headers and contents, corrected by the office."""

import re
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .fields import FIELDS, Field, Kind, fields_by_key
from .parsing.contacts import parse_emails
from .parsing.dates import parse_day
from .parsing.money import ValueRefused, is_empty, parse_amount
from .parsing.words import fold

DateChoice = Literal["auto", "mdy", "dmy"]
MarkChoice = Literal["auto", ".", ","]

_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Guess:
    """A field proposed for a column, with a confidence between 0 and 1."""

    field: str
    column: int
    confidence: float


@dataclass(frozen=True)
class Mapping:
    """Field key → column position; a column feeds at most one field, a field has at most one column."""

    kind: Kind
    columns: AbstractMapping[str, int]
    date_order: DateChoice = "auto"
    decimal_mark: MarkChoice = "auto"
    confidence: AbstractMapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` accepts."""
        return {
            "kind": self.kind,
            "columns": dict(self.columns),
            "date_order": self.date_order,
            "decimal_mark": self.decimal_mark,
            "confidence": dict(self.confidence),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Mapping":
        """Rebuild the value stored by `as_json`."""
        return cls(**data)

    def field_of(self, column: int) -> str:
        """Return the field this column feeds, or an empty text."""
        return next((key for key, position in self.columns.items() if position == column), "")


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """Why a mapping cannot be used; `field` is empty when no single field is at fault."""

    field: str
    code: str
    message: str | Promise


def guess_mapping(kind: Kind, headers: tuple[str, ...], sample: tuple[tuple[str, ...], ...] = ()) -> Mapping:
    """Propose a column for each field from the headers; sample rows confirm or refute the guess."""
    guesses = [
        Guess(spec.key, column, score)
        for column, header in enumerate(headers)
        for spec in FIELDS[kind]
        if (score := _score(spec, header, [row[column] for row in sample if column < len(row)])) >= _ENOUGH
    ]
    order = {spec.key: position for position, spec in enumerate(FIELDS[kind])}
    guesses.sort(key=lambda guess: (-guess.confidence, order[guess.field], guess.column))
    columns: dict[str, int] = {}
    confidence: dict[str, float] = {}
    for guess in guesses:
        if guess.field not in columns and guess.column not in columns.values():
            columns[guess.field] = guess.column
            confidence[guess.field] = guess.confidence
    return Mapping(kind, columns, confidence=confidence)


def find_problems(mapping: Mapping, *, width: int) -> list[MappingProblem]:
    """Return what keeps this mapping from being used for a file of `width` columns."""
    problems = []
    known = fields_by_key(mapping.kind)
    for key, column in mapping.columns.items():
        if key not in known or not 0 <= column < width:
            problems.append(MappingProblem(key, "unknown_column", _("This file has no such column. Pick another.")))
    doubled = [column for column in set(mapping.columns.values()) if list(mapping.columns.values()).count(column) > 1]
    problems += [
        MappingProblem(key, "column_used_twice", _("This column is used for two fields. Pick one of them."))
        for key, column in mapping.columns.items()
        if column in doubled
    ]
    return problems + _missing(mapping)


def _missing(mapping: Mapping) -> list[MappingProblem]:
    present = set(mapping.columns)
    rules: list[tuple[str, set[str], str | Promise]]
    if mapping.kind == "customers":
        rules = [
            (
                "name",
                {"name", "company", "first_name", "last_name"},
                _("Pick the column that holds the customer’s name, company or last name."),
            )
        ]
    else:
        rules = [
            ("number", {"number", "external_id"}, _("Pick the column that holds the invoice number.")),
            (
                "customer_external_id",
                {"customer_external_id", "customer_name", "customer_email"},
                _("Pick the column that says whose invoice it is: customer ID, name or e-mail."),
            ),
            ("issued_on", {"issued_on"}, _("Pick the column that holds the invoice date.")),
            (
                "total",
                {"total", "line_total", "unit_price", "subtotal"},
                _("Pick the column that holds the amount: the invoice total or the line totals."),
            ),
        ]
    return [MappingProblem(key, "missing", text) for key, options, text in rules if not options & present]


def _score(spec: Field, header: str, values: list[str]) -> float:
    words = _words(header)
    base = max(_likeness(words, _words(spelling)) - rank * 0.002 for rank, spelling in enumerate(spec.spellings))
    if base < _ENOUGH - 0.1:
        return 0.0
    return round(max(0.0, min(1.0, base + _evidence(spec, values))), 3)


@cache
def _words(header: str) -> str:
    """Return the header folded, with `ItemRate` as two words and `#` as the word it stands for."""
    return fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header).replace("#", " number "))


def _likeness(words: str, spelling: str) -> float:
    if words == spelling:
        return 1.0
    if words.replace(" ", "") == spelling.replace(" ", ""):
        return 0.97
    mine, theirs = words.split(), spelling.split()
    if sorted(mine) == sorted(theirs):
        return 0.9
    if len(theirs) > 1 and set(theirs) <= set(mine) and len(mine) <= len(theirs) + 2:
        return 0.75
    ratio = SequenceMatcher(None, words, spelling).ratio() if len(spelling) > 4 else 0.0
    return 0.7 if ratio >= 0.88 else 0.0


def _evidence(spec: Field, values: list[str]) -> float:
    """Return a small bonus when the sample fits the field, a large malus when it cannot be meant."""
    filled = [value for value in values if not is_empty(value)]
    if spec.content in ("text", "phone", "postal_code") or not filled:
        return 0.0
    fitting = sum(1 for value in filled if _fits(spec, value))
    return 0.03 if fitting * 2 >= len(filled) else -0.3


def _fits(spec: Field, value: str) -> bool:
    if spec.content == "email":
        return bool(parse_emails(value)[0])
    try:
        if spec.content == "date":
            return parse_day(value, order="mdy") is not None
        return parse_amount(value, mark=".") is not None
    except ValueRefused as refused:
        return refused.code == "other_currency"
