"""What operators type."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.services.trial import LONGEST_DAYS
from tenants.models import Hold


class SignInForm(forms.Form):
    """E-mail and password."""

    email = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username", "class": "input"})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "input"}),
    )


class HoldForm(forms.Form):
    """Why a company is to be closed."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            (Hold.Kind.OPERATOR, _("Our decision")),
            (Hold.Kind.OFFICE, _("Unpaid bill: the office only, customers go on")),
            (Hold.Kind.BILLING, _("Unpaid bill: everything")),
            (Hold.Kind.ABUSE, _("Abuse")),
            (Hold.Kind.SECURITY, _("Security")),
        ],
        widget=forms.Select(attrs={"class": "input"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The company’s owner sees it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "class": "input"}),
    )
    typed_slug = forms.CharField(
        label=_("Type the company’s address to confirm"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "input", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slug = slug

    def clean_typed_slug(self) -> str:
        """Refuse a slip: the typed address must be this company's."""
        typed = str(self.cleaned_data["typed_slug"]).strip().lower()
        if typed != self.slug:
            raise forms.ValidationError(_("That is not this company’s address."))
        return typed


class ReleaseForm(forms.Form):
    """Why a hold ends."""

    reason = forms.CharField(label=_("Why it ends"), max_length=500, widget=forms.TextInput(attrs={"class": "input"}))


class TrialForm(forms.Form):
    """How much longer a trial lasts, and why."""

    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=14,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The company’s owner sees it."),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "input"}),
    )
