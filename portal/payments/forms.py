"""What a pay page sends."""

from __future__ import annotations

from typing import Any

from django.forms import BooleanField, CharField, EmailField, Form, HiddenInput, IntegerField, TextInput, UUIDField
from django.utils.translation import gettext as _

from portal.payments import errors
from portal.payments.services.submit import Submission
from portal.ui.money_field import MoneyField


class PayForm(Form):
    """What a pay page sends; there is no field for a card (PAY-01)."""

    form_key = UUIDField(widget=HiddenInput)
    seen_cents = IntegerField(widget=HiddenInput, min_value=1)
    token = CharField(widget=HiddenInput, max_length=64, required=False)
    method = UUIDField(required=False)
    save = BooleanField(required=False)
    part = CharField(required=False, max_length=4)

    def __init__(
        self, currency: str, data: Any = None, initial: dict[str, object] | None = None, *, asks_who: bool = False
    ) -> None:
        super().__init__(data, initial=initial)
        if asks_who:
            self.fields["name"] = CharField(label=_("Your name"), max_length=120, widget=_autofill("name"))
            self.fields["email"] = EmailField(
                label=_("E-mail for the receipt"), max_length=254, widget=_autofill("email", type="email")
            )
        if self.data.get("part") == "part":
            self.fields["amount"] = MoneyField(currency=currency, low=1)

    def submission(self, user_agent: str) -> Submission:
        """Return what was sent; raises PaymentRefused."""
        if not self.is_valid():
            if set(self.errors) & {"name", "email"}:
                raise errors.PayerUnknown
            raise errors.PartUnreadable if set(self.errors) == {"amount"} else errors.FormReused
        given = self.cleaned_data
        return Submission(
            given["form_key"],
            given["seen_cents"],
            given["token"],
            given.get("amount"),
            given.get("name", ""),
            given.get("email", ""),
            given["method"],
            saves=given["save"],
            user_agent=user_agent,
        )


def _autofill(what: str, **more: str) -> TextInput:
    return TextInput({"autocomplete": what, **more})
