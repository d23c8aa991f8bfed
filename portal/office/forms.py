"""What staff type on the pages of the office."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.accounts.emails import normalise_email
from portal.accounts.staff_services import LONGEST_PASSWORD


class AddressField(forms.EmailField):
    """One e-mail address, cleaned to the spelling in which addresses are stored (AUN-21)."""

    widget = forms.EmailInput(attrs={"autocapitalize": "none", "spellcheck": "false"})

    def clean(self, value: object) -> str:
        """Return the stored spelling; raises ValidationError."""
        return normalise_email(str(super().clean(value)))


class StaffSignInForm(forms.Form):
    """Address and password."""

    email = AddressField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ResetForm(forms.Form):
    """The address to which a new-password link goes."""

    email = AddressField(label=_("E-mail"), max_length=254)


class PasswordForm(forms.Form):
    """A new password; the rules stand beside it."""

    new_password = forms.CharField(
        label=_("New password"),
        help_text=_("At least 12 characters. Three or four words in a row are easy to remember."),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class InviteForm(forms.Form):
    """An address that is not on the customer's record yet (ENR-13)."""

    email = AddressField(label=_("Another e-mail address"), max_length=254)


class MemoForm(forms.Form):
    """An internal note about somebody's access (ENR-04)."""

    memo = forms.CharField(
        label=_("Memo"),
        help_text=_("Only your office sees it."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
