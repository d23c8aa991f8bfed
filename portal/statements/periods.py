"""The periods of a statement: the usual ones to choose, or two dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.forms import DateField, DateInput, Form, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LONGEST_DAYS = 3 * 366


@dataclass(frozen=True, slots=True)
class Period:
    """A choice above the statement."""

    text: str
    first: date
    last: date


def usual_periods(today: date) -> tuple[Period, ...]:
    """Return the periods that are one tap away, the preset one first."""
    month = today.replace(day=1)
    last_month_end = month - timedelta(days=1)
    last_month = last_month_end.replace(day=1)
    two_before = (last_month - timedelta(days=1)).replace(day=1)
    return (
        Period(_("Last 3 months"), two_before, today),
        Period(_("This month"), month, today),
        Period(_("Last month"), last_month, last_month_end),
        Period(_("This year"), today.replace(month=1, day=1), today),
    )


class PeriodForm(Form):
    """From when to when; dates come as browsers send them."""

    first = DateField(label=gettext_lazy("From"), widget=DateInput(attrs={"type": "date"}))
    last = DateField(label=gettext_lazy("To"), widget=DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any] | None:
        """Refuse a period that ends before it begins or that no page can show."""
        values = super().clean() or {}
        first, last = values.get("first"), values.get("last")
        if first and last and last < first:
            raise ValidationError({"last": _("This day is before the first one.")})
        if first and last and (last - first).days > LONGEST_DAYS:
            raise ValidationError({"first": _("A statement covers three years at most.")})
        return values
