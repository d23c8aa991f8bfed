"""What a customer types to sign in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.accounts.emails import NoEmailAddress, normalise_email
from portal.accounts.next_page import safe_next


def _one_spelling(email: str) -> str:
    try:
        return normalise_email(email)
    except NoEmailAddress as error:
        raise forms.ValidationError(_("Enter a complete e-mail address.")) from error


class AddressForm(forms.Form):
    """The address a link is asked for with, and where to go afterwards."""

    email = forms.EmailField(
        label=_("Your e-mail address"), max_length=254, help_text=_("Use the address we send your invoices to.")
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_email(self) -> str:
        """Return the address in its one spelling."""
        return _one_spelling(self.cleaned_data["email"])

    def clean_next(self) -> str:
        """Return a path on this host (WEB-06)."""
        return safe_next(self.cleaned_data["next"])


class AgainForm(forms.Form):
    """The same question once more, without typing."""

    email = forms.CharField(widget=forms.HiddenInput)
    next = forms.CharField(widget=forms.HiddenInput, required=False)


class CodeForm(forms.Form):
    """The six digits of a mail."""

    code = forms.RegexField(
        r"\A\s*\d{3}\s?\d{3}\s*\Z",
        label=_("6-digit code"),
        error_messages={"invalid": _("The code has six digits.")},
        strip=True,
    )

    def clean_code(self) -> str:
        """Return the digits alone: people copy them with a gap."""
        return "".join(self.cleaned_data["code"].split())


class AddressCodeForm(CodeForm):
    """The six digits of an invitation with the address they were mailed to (AUN-28)."""

    email = forms.EmailField(label=_("Your e-mail address"), max_length=254)
    field_order = ["email", "code"]

    def clean_email(self) -> str:
        """Return the address in its one spelling."""
        return _one_spelling(self.cleaned_data["email"])
