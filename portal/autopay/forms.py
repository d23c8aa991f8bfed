"""What a customer chooses for autopay: with what, how much at most, how many days' notice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.autopay.services.mandates import Terms
from portal.invoices.methods import method_words
from portal.payments.models import PaymentMethod
from portal.payments.money_field import MoneyField

NOTICE_DAYS = (3, 5, 7, 14)
LEAST_CENTS, MOST_CENTS = 1_000, 10_000_000


class TermsForm(forms.Form):
    """The limits of autopay; nothing is charged beyond them."""

    agrees = forms.BooleanField(
        error_messages={"required": gettext_lazy("Tick the box to allow it.")},
    )

    def __init__(
        self,
        methods: Iterable[PaymentMethod],
        currency: str,
        company: str,
        data: Any = None,
        initial: dict[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        known = [(str(method.pk), method_words(method.shown)) for method in methods]
        self.fields["method"] = forms.ChoiceField(label=_("Charge"), choices=known, widget=forms.RadioSelect)
        self.fields["fallback"] = forms.ChoiceField(
            label=_("If that fails"), choices=[("", _("Tell me")), *known], required=False
        )
        self.fields["cap"] = MoneyField(
            currency=currency,
            low=LEAST_CENTS,
            high=MOST_CENTS,
            label=_("At most for one invoice"),
            help_text=_("Larger invoices are never charged by themselves; you are told instead."),
        )
        self.fields["notice"] = forms.TypedChoiceField(
            label=_("Tell me before each charge"),
            choices=[(days, _("%(n)s days before") % {"n": days}) for days in NOTICE_DAYS],
            coerce=int,
        )
        self.fields["agrees"].label = consent_words(company)
        self.order_fields(["method", "fallback", "cap", "notice", "agrees"])

    def clean(self) -> dict[str, Any]:
        """Refuse a fallback that is the method itself."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("fallback") and given.get("fallback") == given.get("method"):
            self.add_error("fallback", _("Choose another one than the first, or “Tell me”."))
        return given

    def terms(self) -> Terms:
        """Return what was allowed."""
        given = self.cleaned_data
        fallback = UUID(given["fallback"]) if given["fallback"] else None
        return Terms(UUID(given["method"]), given["cap"], given["notice"], fallback)


def consent_words(company: str) -> str:
    """Return the sentence that is agreed to; a change of it is a new version of the text."""
    return _(
        "I allow %(company)s to charge my invoices when they are due, within these limits, until I turn it off. "
        "I can skip a charge, pause or end this here at any time."
    ) % {"company": company}
