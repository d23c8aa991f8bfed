"""What a customer chooses for autopay: for which address, with what, how much at most, how many days' notice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.autopay.agreement import consent_words, place_words
from portal.autopay.services.mandates import Terms
from portal.customers.models import Location
from portal.invoices.methods import method_words
from portal.payments.models import PaymentMethod
from portal.ui.money_field import MoneyField

NOTICE_DAYS = (3, 5, 7, 14)
LEAST_CENTS, MOST_CENTS = 1_000, 10_000_000
EVERYWHERE = "all"


class TermsForm(forms.Form):
    """The limits of autopay; nothing is charged beyond them. `places` are offered when there is a choice."""

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
        places: Sequence[Location | None] = (),
    ) -> None:
        super().__init__(data, initial=initial)
        if places:
            offered = [(str(place.pk) if place else EVERYWHERE, place_words(place)) for place in places]
            self.fields["place"] = forms.ChoiceField(label=_("For"), choices=offered, widget=forms.RadioSelect)
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
        self.fields["month_cap"] = MoneyField(
            currency=currency,
            low=LEAST_CENTS,
            high=MOST_CENTS,
            label=_("At most in a month"),
            help_text=_("Whatever would go beyond it waits for you. Empty: no limit for the month."),
            required=False,
        )
        self.fields["notice"] = forms.TypedChoiceField(
            label=_("Tell me before each charge"),
            choices=[(days, _("%(n)s days before") % {"n": days}) for days in NOTICE_DAYS],
            coerce=int,
        )
        self.fields["agrees"].label = consent_words(company)
        self.order_fields(["place", "method", "fallback", "cap", "month_cap", "notice", "agrees"])

    def clean(self) -> dict[str, Any]:
        """Refuse a fallback that is the method itself, and a month that does not hold one invoice."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("fallback") and given.get("fallback") == given.get("method"):
            self.add_error("fallback", _("Choose another one than the first, or “Tell me”."))
        cap, month = given.get("cap"), given.get("month_cap")
        if cap and month and month < cap:
            self.add_error("month_cap", _("The limit of the month is at least that of one invoice."))
        return given

    def terms(self, location_id: UUID | None) -> Terms:
        """Return what was allowed; a place chosen here goes before the given one."""
        given = self.cleaned_data
        place = given.get("place")
        if place:
            location_id = None if place == EVERYWHERE else UUID(place)
        fallback = UUID(given["fallback"]) if given["fallback"] else None
        return Terms(UUID(given["method"]), given["cap"], given["notice"], fallback, given["month_cap"], location_id)
