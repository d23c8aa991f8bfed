"""What pages show of one estimate, as frozen values: the options, what differs, what was decided (P-15)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from portal.estimates.models import Estimate, EstimateDecision, EstimateVersion
from portal.estimates.offer import Line, Offer, Option, Sums, read_offer
from portal.estimates.rows import ANSWERABLE, EstimateRow, make_rows
from portal.estimates.services.drafting import current_version


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing that an option has; `is_new` when the option before it has it not."""

    text: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional line, and whether it is chosen."""

    key: str
    text: str
    cents: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class OptionCard:
    """One option as a card."""

    key: str
    name: str
    summary: str
    recommended: bool
    chosen: bool
    not_chosen: bool
    ticks: tuple[Tick, ...]
    extras: tuple[Extra, ...]
    sums: Sums
    base_cents: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision in the history of an estimate."""

    kind: str
    name: str
    reason: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class EstimatePage:
    """One estimate with what can be done about it now."""

    row: EstimateRow
    version: int
    summary: str
    options: tuple[OptionCard, ...]
    tax_bps: int
    deposit_kind: str
    deposit_value: int
    is_older: bool
    is_open: bool
    is_newer: bool
    change_summary: str
    expires_on: date | None
    by_name: str
    approved: Answer | None
    last: Answer | None
    deposit_cents: int
    deposit_paid_cents: int
    deposit_pending_cents: int
    deposit_due_cents: int
    lines: tuple[Line, ...]
    sums: Sums | None
    signed_sha256: str

    @property
    def deposit_percent(self) -> str:
        """Return the deposit's percentage as people write it."""
        return f"{self.deposit_value / 100:g}"


def estimate_page(
    estimate: Estimate, *, today: date, chosen: str = "", lines: Sequence[str] | None = None, version: int = 0
) -> EstimatePage:
    """Return the page of an estimate read with customer and location.

    `chosen` and `lines` are what the reader has picked so far; an approved estimate shows what was approved.
    `version` names an older one; without it the one that customers see is shown.
    """
    shown = (
        EstimateVersion.objects.get(estimate=estimate, n=version, sent_at__isnull=False)
        if version
        else current_version(estimate)
    )
    offer = read_offer(shown.body)
    is_older = shown.n != estimate.current
    answers = _answers(estimate)
    # Only the version that customers see can have been approved; whoever reads an older one reads nothing of it.
    approved = None if is_older else next((each for each in answers if each[0].kind == "approve"), None)
    if approved:
        chosen, lines = estimate.option_key, estimate.line_keys
    picked = offer.option(chosen) or recommended_of(offer)
    row = make_rows([estimate], today=today)[0]
    final = offer.option(estimate.option_key) if approved else None
    return EstimatePage(
        row=row,
        version=shown.n,
        summary=offer.summary,
        options=tuple(_cards(offer, picked, lines, is_final=approved is not None)),
        tax_bps=offer.tax_bps,
        deposit_kind=offer.deposit_kind,
        deposit_value=offer.deposit_value,
        is_older=is_older,
        is_open=row.state in ANSWERABLE and not is_older,
        is_newer=shown.n > 1,
        change_summary=shown.change_summary,
        expires_on=estimate.expires_on,
        by_name=shown.created_by_name,
        approved=approved[0] if approved else None,
        last=answers[-1][0] if answers else None,
        deposit_cents=estimate.deposit_cents,
        deposit_paid_cents=estimate.deposit_paid_cents,
        deposit_pending_cents=row.deposit_pending_cents,
        deposit_due_cents=row.deposit_due_cents,
        lines=taken_lines(final, estimate.line_keys) if final else (),
        sums=offer.sums(final, estimate.line_keys) if final else None,
        signed_sha256=approved[1] if approved else "",
    )


def recommended_of(offer: Offer) -> Option:
    """Return the option that is picked before anybody picks."""
    return next((option for option in offer.options if option.recommended), offer.options[0])


def taken_lines(option: Option, keys: Iterable[str]) -> tuple[Line, ...]:
    """Return the lines that count: all that are not optional, and those that were chosen. Pure."""
    wanted = set(keys)
    return tuple(line for line in option.lines if not line.optional or line.key in wanted)


def _answers(estimate: Estimate) -> list[tuple[Answer, str]]:
    rows = EstimateDecision.objects.filter(estimate=estimate).select_related("signature").order_by("id")
    return [
        (
            Answer(row.kind, row.by_name, row.reason, row.version, row.at),
            row.signature.document_sha256 if row.signature else "",
        )
        for row in rows
    ]


def _cards(offer: Offer, picked: Option, lines: Sequence[str] | None, *, is_final: bool) -> Iterable[OptionCard]:
    before: Option | None = None
    for option in offer.options:
        is_picked = option.key == picked.key
        keys = option.preselected()
        if is_picked and lines is not None:
            keys = offer.chosen_lines(option, lines)
        yield OptionCard(
            key=option.key,
            name=option.name,
            summary=option.summary,
            recommended=option.recommended and len(offer.options) > 1,
            chosen=is_picked,
            not_chosen=is_final and not is_picked,
            ticks=tuple(_ticks(option, before)),
            extras=tuple(Extra(line.key, line.text, line.amount_cents, line.key in keys) for line in option.extras),
            sums=offer.sums(option, keys),
            base_cents=sum(line.amount_cents for line in option.lines if not line.optional),
        )
        before = option


def _ticks(option: Option, before: Option | None) -> Iterable[Tick]:
    """Name what an option has; what the one before it has too is said in one line. Pure."""
    texts = [line.text for line in option.lines if not line.optional]
    known = [line.text for line in before.lines if not line.optional] if before else []
    if before and known and set(known) <= set(texts):
        yield Tick(_("Everything in %(name)s") % {"name": before.name}, is_new=False)
        texts = [text for text in texts if text not in known]
    for text in texts:
        yield Tick(text, is_new=before is not None and text not in known)
