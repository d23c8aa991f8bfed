"""What the office types about payments; amounts are typed in units and kept in cents."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.payments.models import Refund
from portal.payments.office_pages import Part
from portal.payments.services.refunds import RefundLine, RefundOrder
from portal.ui.formats import format_money


class MoneyField(forms.DecimalField):
    """An amount as people type it; its value is whole minor units of `currency`."""

    def __init__(self, *, currency: str, low: int = 0, high: int | None = None, **more: Any) -> None:
        self.currency, self.low, self.high = currency, low, high
        self.digits = get_currency_precision(currency)
        # A text box: a number box of a browser refuses the comma, and cents unless told the step.
        super().__init__(max_digits=12, decimal_places=self.digits, widget=forms.TextInput, **more)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Let phones show digits."""
        return {"inputmode": "decimal", "autocomplete": "off"}

    def to_python(self, value: Any) -> Any:
        """Take $ and thousands separators as typed; raises ValidationError."""
        if isinstance(value, str):
            value = value.replace("$", "").replace(",", "").replace("\N{NO-BREAK SPACE}", "").strip()
        return super().to_python(value)

    def clean(self, value: Any) -> Any:
        """Return cents, or None when nothing was typed; raises ValidationError."""
        amount = super().clean(value)
        if amount is None:
            return None
        cents = int(amount.scaleb(self.digits))
        if cents < self.low:
            lowest = format_money(self.low, self.currency)
            raise forms.ValidationError(_("At least %(amount)s.") % {"amount": lowest})
        if self.high is not None and cents > self.high:
            most = format_money(self.high, self.currency)
            raise forms.ValidationError(_("At most %(amount)s.") % {"amount": most})
        return cents

    def prepare_value(self, value: Any) -> Any:
        """Show cents as units."""
        return f"{Decimal(value).scaleb(-self.digits):f}" if isinstance(value, int) else value


class RefundForm(forms.Form):
    """How much comes out of what, why, and whether the invoices are due again."""

    form_key = forms.UUIDField(widget=forms.HiddenInput)
    effect = forms.ChoiceField(
        label=gettext_lazy("What about the invoice?"),
        choices=(
            ("reopen", gettext_lazy("It is due again by this amount")),
            ("keep", gettext_lazy("It stays paid – the refund is goodwill")),
        ),
        widget=forms.RadioSelect,
        initial="reopen",
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Why"),
        choices=(
            (Refund.Reason.CUSTOMER, gettext_lazy("The customer asked for it")),
            (Refund.Reason.DUPLICATE, gettext_lazy("Paid twice")),
            (Refund.Reason.GOODWILL, gettext_lazy("Goodwill")),
            (Refund.Reason.OTHER, gettext_lazy("Another reason")),
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("Note for the office"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Customers don’t see it."),
    )

    def __init__(self, lines: Sequence[RefundLine], parts: Sequence[Part], currency: str, data: Any = None) -> None:
        super().__init__(data, initial={"form_key": uuid4()})
        self.lines, self.parts = lines, parts
        for index, (line, part) in enumerate(zip(lines, parts, strict=True)):
            self.fields[f"amount_{index}"] = MoneyField(
                currency=currency,
                high=line.amount_cents,
                required=len(lines) == 1,
                label=part.text,
                initial=line.amount_cents,
            )
        if not any(line.invoice_id for line in lines):
            del self.fields["effect"]

    def amounts(self) -> list[tuple[Part, forms.BoundField]]:
        """Return the fields of the amounts, each with what it may come out of."""
        return [(part, self[f"amount_{index}"]) for index, part in enumerate(self.parts)]

    def clean(self) -> dict[str, Any]:
        """Ask for an amount at all."""
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(f"amount_{index}") for index in range(len(self.lines))):
            self.add_error("amount_0", _("Enter how much goes back."))
        return cleaned

    def order(self) -> RefundOrder:
        """Return the decision of a valid form."""
        keeps = self.cleaned_data.get("effect") == "keep"
        wanted = [(line, self.cleaned_data[f"amount_{index}"] or 0) for index, line in enumerate(self.lines)]
        lines = tuple(
            RefundLine(line.invoice_id, cents, keeps_paid=keeps and line.invoice_id is not None)
            for line, cents in wanted
            if cents
        )
        return RefundOrder(self.cleaned_data["form_key"], lines, self.cleaned_data["reason"], self.cleaned_data["note"])
