"""What the office types about payments; amounts are typed in units and kept in cents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.invoices.rows import InvoiceRow
from portal.payments.amounts import MAXIMUM_CENTS
from portal.payments.models import Refund
from portal.payments.office_pages import Part
from portal.payments.services.recording import Recorded
from portal.payments.services.refunds import RefundLine, RefundOrder
from portal.ui.formats import format_money
from portal.ui.money_field import MoneyField

LONG_AGO = timedelta(days=5 * 366)


class RecordForm(forms.Form):
    """Money that came in by hand: how much, how, when, and for which invoices."""

    form_key = forms.UUIDField(widget=forms.HiddenInput)
    how = forms.ChoiceField(
        label=gettext_lazy("How it was paid"),
        choices=(
            ("check", gettext_lazy("Check")),
            ("cash", gettext_lazy("Cash")),
            ("other", gettext_lazy("Another way")),
        ),
    )
    reference = forms.CharField(
        label=gettext_lazy("Check number or reference"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("The customer sees it on the receipt."),
    )
    received_on = forms.DateField(label=gettext_lazy("Received on"), widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(
        label=gettext_lazy("Note for the office"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Customers don’t see it."),
    )
    keep_rest = forms.BooleanField(label=gettext_lazy("Keep what is too much as credit"), required=False)
    mail_receipt = forms.BooleanField(label=gettext_lazy("Mail the receipt to the customer"), required=False)

    def __init__(self, invoices: Sequence[InvoiceRow], currency: str, today: date, data: Any = None) -> None:
        first = {"form_key": uuid4(), "received_on": today.isoformat(), "mail_receipt": True}
        super().__init__(data, initial=first)
        self.today, self.currency = today, currency
        self.rows = {str(row.id): row for row in invoices}
        due = sum(row.open_cents for row in invoices)
        self.fields["amount"] = MoneyField(
            currency=currency, low=1, high=MAXIMUM_CENTS, label=_("Amount"), initial=due or None
        )
        self.fields["invoices"] = forms.MultipleChoiceField(
            label=_("For"),
            required=False,
            choices=[(key, _label(row)) for key, row in self.rows.items()],
            initial=list(self.rows),
            widget=forms.CheckboxSelectMultiple,
        )
        names = ["amount", "how", "reference", "received_on", "invoices", "keep_rest", "mail_receipt", "note"]
        self.order_fields([name for name in names if name != "invoices" or self.rows])
        if not self.rows:
            del self.fields["invoices"]

    def clean_received_on(self) -> date:
        """Take no day that has not come yet, nor one that must be a slip of the pen."""
        day: date = self.cleaned_data["received_on"]
        if day > self.today:
            raise forms.ValidationError(_("This day has not come yet."))
        if day < self.today - LONG_AGO:
            raise forms.ValidationError(_("This is more than five years ago. Check the year."))
        return day

    def clean(self) -> dict[str, Any]:
        """Ask before more is taken than the invoices need."""
        cleaned = super().clean() or {}
        if self.errors or cleaned.get("keep_rest"):
            return cleaned
        chosen = [self.rows[key] for key in cleaned.get("invoices", [])]
        rest = cleaned["amount"] - sum(row.open_cents for row in chosen)
        if rest > 0:
            words = _("%(rest)s more than was chosen. Tick “Keep what is too much as credit”, or check the amount.")
            self.add_error("amount", words % {"rest": format_money(rest, self.currency)})
        return cleaned

    def recorded(self) -> Recorded:
        """Return the decision of a valid form."""
        given = self.cleaned_data
        return Recorded(
            form_key=given["form_key"],
            amount_cents=given["amount"],
            how=given["how"],
            received_on=given["received_on"],
            reference=given["reference"],
            note=given["note"],
            keep_rest=given["keep_rest"],
            mail_receipt=given["mail_receipt"],
        )

    def invoice_ids(self) -> list[UUID]:
        """Return the chosen invoices of a valid form."""
        return [self.rows[key].id for key in self.cleaned_data.get("invoices", [])]


def _label(row: InvoiceRow) -> str:
    amount = format_money(row.open_cents, row.currency)
    return _("Invoice %(number)s · %(amount)s open") % {"number": row.number, "amount": amount}


class ReversalForm(forms.Form):
    """Why a recorded payment is taken out."""

    note = forms.CharField(label=gettext_lazy("What went wrong"), max_length=300)


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
