"""An amount as people type it, kept in whole minor units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext as _

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
