"""The forms of a sign-up; each refusal is a sentence that says what to do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from infra.texts import one_line
from portal.accounts.emails import normalise_email
from signup import choices


class StartForm(forms.Form):
    """Who signs up for which company (S-02)."""

    email = forms.EmailField(
        label=_("Work e-mail"),
        max_length=254,
        help_text=_("We send a code to it. It becomes the owner’s sign-in."),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address such as name@company.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    owner_name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    company = forms.CharField(
        label=_("Company name"),
        max_length=120,
        help_text=_("As your customers know it. You can change it later."),
        error_messages={"required": _("Enter your company’s name.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    trade = forms.ChoiceField(
        label=_("What do you do?"),
        choices=choices.TRADES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you do."), "invalid_choice": _("Choose one of these.")},
    )
    country = forms.ChoiceField(label=_("Country"), choices=choices.COUNTRIES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=choices.TIME_ZONES)
    form_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), _("Send the form once more.")),
    )

    def clean_email(self) -> str:
        """Bring the address into its stored spelling and refuse throw-away mailboxes."""
        email = normalise_email(self.cleaned_data["email"])
        if email.rpartition("@")[2] in choices.THROW_AWAY:
            raise forms.ValidationError(
                _("That mailbox does not last. Use one you will still read next year."), code="throw_away"
            )
        return email

    def clean_owner_name(self) -> str:
        """Keep the name on one line."""
        return self._named("owner_name", _("Enter your name."))

    def clean_company(self) -> str:
        """Keep the name on one line; a name of nothing but blanks is none."""
        return self._named("company", _("Enter your company’s name."))

    def _named(self, field: str, sentence: Any) -> str:
        text = one_line(self.cleaned_data[field])
        if not any(letter.isalnum() for letter in text):
            raise forms.ValidationError(sentence, code="required")
        return text


class AddressForm(forms.Form):
    """The permanent address (S-04); whether it can be had is the service's answer."""

    slug = forms.CharField(
        label=_("Your portal’s address"),
        max_length=200,
        help_text=_("Small letters, numbers and hyphens, 3 to 40 characters."),
        error_messages={
            "required": _("Choose an address."),
            "max_length": _("Use at most 40 characters."),
        },
    )
    understood = forms.BooleanField(
        label=_("I understand that this address is permanent."),
        error_messages={"required": _("Tick this to go on: the address cannot be changed later.")},
    )


class CodeForm(forms.Form):
    """The code of the mail (S-03)."""

    code = forms.RegexField(
        r"^(?=.{6,20}$)\s*(?:\d[\s-]*){6}$",
        label=_("6-digit code"),
        error_messages={
            "required": _("Enter the code of the mail."),
            "invalid": _("The code has 6 digits."),
        },
        widget=forms.TextInput(attrs={"maxlength": 20}),
    )

    def clean_code(self) -> str:
        """Return the digits alone."""
        return "".join(letter for letter in self.cleaned_data["code"] if letter.isdigit())
