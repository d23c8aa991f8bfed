"""What the office types about an estimate: head, up to three options, and their lines; works without a script."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.customers.models import Location
from portal.estimates.models import EstimateVersion
from portal.estimates.offer import Line, Offer, Option, read_offer
from portal.estimates.services.drafting import Draft
from portal.invoices.rows import address_of
from portal.ui.money_field import MoneyField

KEYS = ("a", "b", "c")
ROWS, MORE, MOST = 4, 4, 40
HIGHEST = 99_999_999
# Below this no card is charged: a deposit is nothing, or can be paid.
SMALLEST_DEPOSIT = 50
HUNDRED = Decimal(100)


class HeadForm(forms.Form):
    """What holds for all options."""

    title = forms.CharField(label=gettext_lazy("What it is for"), max_length=120)
    location = forms.ChoiceField(label=gettext_lazy("Where"), required=False)
    summary = forms.CharField(
        label=gettext_lazy("A few words to the customer"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Open until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    tax = forms.DecimalField(
        label=gettext_lazy("Tax in percent"), required=False, min_value=0, max_value=40, decimal_places=2, max_digits=4
    )
    recommended = forms.ChoiceField(label=gettext_lazy("Which option you recommend"), required=False)
    deposit = forms.ChoiceField(
        label=gettext_lazy("Deposit"),
        choices=(
            ("none", gettext_lazy("None")),
            ("percent", gettext_lazy("A part of the total, in percent")),
            ("fixed", gettext_lazy("A fixed amount")),
        ),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Deposit in percent"),
        required=False,
        min_value=1,
        max_value=100,
        decimal_places=2,
        max_digits=5,
    )
    changes = forms.CharField(
        label=gettext_lazy("What is different in this version"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("The customer reads this above the estimate."),
    )

    def __init__(self, locations: Iterable[Location], currency: str, today: date, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.today = today
        self.fields["fixed"] = MoneyField(
            label=_("Deposit amount"), currency=currency, low=SMALLEST_DEPOSIT, high=HIGHEST, required=False
        )
        self.fields["location"].choices = [("", "–"), *((str(each.pk), address_of(each)) for each in locations)]  # type: ignore[attr-defined]
        names = [("", _("None"))] + [(key, _("Option %(n)s") % {"n": n}) for n, key in enumerate(KEYS, 1)]
        self.fields["recommended"].choices = names  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for the deposit that was chosen, and for a day that is still to come."""
        given = super().clean() or {}
        kind = given.get("deposit")
        if kind in ("percent", "fixed") and not given.get(kind) and kind not in self.errors:
            self.add_error(kind, _("Say how much."))
        last = given.get("expires_on")
        if last and last < self.today:
            self.add_error("expires_on", _("This day is over."))
        return given


class OptionForm(forms.Form):
    """Name and description of one option."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=60)
    summary = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=300)
    rows = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=MOST, required=False)


class LineForm(forms.Form):
    """One line; a row without a word counts as none."""

    text = forms.CharField(label=gettext_lazy("What"), required=False, max_length=200)
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"), required=False, min_value=0, max_value=9999, decimal_places=2, max_digits=6
    )
    optional = forms.BooleanField(label=gettext_lazy("Optional"), required=False)
    preselected = forms.BooleanField(label=gettext_lazy("Ticked"), required=False)

    def __init__(self, currency: str, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["quantity"].widget = forms.TextInput(attrs={"inputmode": "decimal"})
        self.fields["price"] = MoneyField(
            label=_("Price each"), currency=currency, low=-HIGHEST, high=HIGHEST, required=False
        )

    def clean(self) -> dict[str, Any]:
        """Ask for what is missing of a line that was begun."""
        given = super().clean() or {}
        price = given.get("price")
        if price is not None and not given.get("text"):
            self.add_error("text", _("Say what this is."))
        if given.get("text") and price is None and "price" not in self.errors:
            self.add_error("price", _("Say what it costs; 0 if nothing."))
        if price is not None and price < 0 and given.get("optional"):
            self.add_error("price", _("A rebate can’t be optional."))
        return given

    def line(self, key: str) -> Line | None:
        """Return the line, or None for an empty row."""
        given = self.cleaned_data
        if not given.get("text"):
            return None
        typed: Decimal | None = given.get("quantity")
        quantity = Decimal(1) if typed is None else typed
        amount = (Decimal(given["price"]) * quantity).quantize(Decimal(1), ROUND_HALF_UP)
        return Line(
            key=key,
            text=given["text"],
            quantity=f"{quantity.normalize():f}",
            unit_cents=given["price"],
            amount_cents=int(amount),
            optional=given["optional"],
            preselected=given["optional"] and given["preselected"],
        )


class Block:
    """One option's forms."""

    def __init__(self, key: str, n: int, form: OptionForm, rows: list[LineForm]) -> None:
        self.key, self.n, self.form, self.rows = key, n, form, rows

    def option(self, recommended: str) -> Option | None:
        """Return the option, or None when it has no line."""
        made = [row.line(f"{self.key}{number}") for number, row in enumerate(self.rows, 1)]
        lines = tuple(line for line in made if line)
        if not lines:
            return None
        name = self.form.cleaned_data["name"] or _("Option %(n)s") % {"n": self.n}
        return Option(self.key, name, self.form.cleaned_data["summary"], self.key == recommended, lines)

    @property
    def is_used(self) -> bool:
        """Whether something stands in it, so that it is shown open."""
        return self.n == 1 or any(row["text"].value() or row.errors for row in self.rows)


class Builder:
    """The whole form of one version."""

    def __init__(
        self,
        locations: Iterable[Location],
        currency: str,
        today: date,
        data: Any = None,
        version: EstimateVersion | None = None,
    ) -> None:
        first: dict[str, Any] = _initial(version) if version else {"head": {"deposit": "none"}}
        self.is_bound = data is not None
        self.head = HeadForm(locations, currency, today, data, initial=first["head"])
        more = (data or {}).get("more", "")
        self.asks_for_rows = more in KEYS
        self.blocks = []
        for n, key in enumerate(KEYS, 1):
            form = OptionForm(data, prefix=key, initial=first.get(key, {}))
            lines: list[dict[str, Any]] = first.get(f"{key}-lines", [])
            count = _count(data.get(f"{key}-rows")) if data is not None else max(ROWS, len(lines) + 1)
            count = min(MOST, count + (MORE if more == key else 0))
            rows = [
                LineForm(currency, data, prefix=f"{key}{row}", initial=lines[row] if row < len(lines) else {})
                for row in range(count)
            ]
            self.blocks.append(Block(key, n, form, rows))

    def is_valid(self) -> bool:
        """Whether all of it can be kept."""
        forms_ = [self.head, *(block.form for block in self.blocks)]
        forms_ += [row for block in self.blocks for row in block.rows]
        if not all(form.is_valid() for form in forms_):
            if not self.head.errors:
                self.head.add_error(None, _("Look at the lines of the options."))
            return False
        offer = self._offer()
        if not offer.options:
            self.head.add_error(None, _("Write at least one line into the first option."))
        for option in offer.options:
            least = offer.sums(option, ())
            if least.subtotal_cents < 0:
                self.head.add_error(None, _("%(name)s costs less than nothing.") % {"name": option.name})
            elif 0 < least.deposit_cents < SMALLEST_DEPOSIT:
                self.head.add_error(None, _("The deposit on %(name)s is too small for a card.") % {"name": option.name})
        return not self.head.errors

    def draft(self) -> Draft:
        """Return what was written."""
        given = self.head.cleaned_data
        location = UUID(given["location"]) if given["location"] else None
        return Draft(self._offer(), location, given["expires_on"], given["changes"])

    def _offer(self) -> Offer:
        given = self.head.cleaned_data
        kind = given["deposit"]
        value = {"none": 0, "fixed": given.get("fixed") or 0, "percent": int((given.get("percent") or 0) * HUNDRED)}
        options = [block.option(given["recommended"]) for block in self.blocks]
        return Offer(
            title=given["title"],
            summary=given["summary"],
            tax_bps=int((given["tax"] or 0) * HUNDRED),
            deposit_kind=kind,
            deposit_value=value[kind],
            options=tuple(option for option in options if option),
        )


def _count(text: str | None) -> int:
    return min(MOST, int(text)) if text and text.isdecimal() else ROWS


def _initial(version: EstimateVersion) -> dict[str, Any]:
    offer = read_offer(version.body)
    kind, value = offer.deposit_kind, offer.deposit_value
    first: dict[str, Any] = {
        "head": {
            "title": offer.title,
            "summary": offer.summary,
            "location": version.body["location"],
            "expires_on": version.body["expires_on"],
            "tax": Decimal(offer.tax_bps) / HUNDRED if offer.tax_bps else None,
            "deposit": kind,
            "percent": Decimal(value) / HUNDRED if kind == "percent" else None,
            "fixed": value if kind == "fixed" else None,
            "recommended": next((option.key for option in offer.options if option.recommended), ""),
            "changes": "" if version.sent_at else version.change_summary,
        }
    }
    for option in offer.options:
        first[option.key] = {"name": option.name, "summary": option.summary}
        first[f"{option.key}-lines"] = [
            {
                "text": line.text,
                "quantity": line.quantity,
                "price": line.unit_cents,
                "optional": line.optional,
                "preselected": line.preselected,
            }
            for line in option.lines
        ]
    return first
