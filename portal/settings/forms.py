"""The settings an owner changes, one form for each page (F-23)."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from infra.texts import one_line
from portal.settings.models import CompanyProfile
from portal.settings.phones import NoPhoneNumber, read_phone, show_phone

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
ADDRESS_PARTS = ("street", "street2", "city", "region", "postal_code")


class PortalForm(forms.Form):
    """Whether the portal is open, and the words above its first page."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    enabled = forms.BooleanField(label=_("Customers can use the portal"), required=False)
    welcome_message = forms.CharField(
        label=_("Welcome message"),
        help_text=_("Shown above the first page after signing in. Up to 500 characters."),
        max_length=500,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, impact: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["enabled"].help_text = impact


class BrandForm(forms.Form):
    """Colour and logo."""

    stamp = forms.CharField(widget=forms.HiddenInput)
    colour = forms.CharField(
        label=_("Your color"),
        help_text=_("Any color works: we see to it that texts stay readable by day and at dusk."),
        max_length=7,
        widget=forms.TextInput(attrs={"type": "color"}),
    )
    logo = forms.FileField(
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP, up to 1 MB. Without a logo the door shows your initials."),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)

    def clean_colour(self) -> str:
        """Return the colour as #rrggbb in lower case."""
        colour = str(self.cleaned_data["colour"]).strip()
        if not _COLOUR.fullmatch(colour):
            raise forms.ValidationError(_("Write the color as # and six digits, for example #1e5aa8."))
        return colour.lower()


class ContactForm(forms.Form):
    """How customers reach the company; each mail and page shows it."""

    stamp = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(label=_("Company name"), max_length=120)
    phone = forms.CharField(label=_("Phone"), max_length=32, required=False)
    email = forms.EmailField(label=_("E-mail for customers"), max_length=254, required=False)
    street = forms.CharField(label=_("Street"), max_length=200, required=False)
    street2 = forms.CharField(label=_("Suite, floor"), max_length=120, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    region = forms.CharField(label=_("State"), max_length=60, required=False)
    postal_code = forms.CharField(label=_("ZIP"), max_length=16, required=False)
    licence_no = forms.CharField(label=_("License"), max_length=80, required=False)

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        self.country = country
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        """Keep the name on one line; a name of nothing but signs is none."""
        name = one_line(str(self.cleaned_data["name"]))
        if not any(letter.isalnum() for letter in name):
            raise forms.ValidationError(_("Enter your company’s name."), code="required")
        return name

    def clean_phone(self) -> str:
        """Return the number in E.164, or nothing."""
        text = str(self.cleaned_data["phone"]).strip()
        if not text:
            return ""
        try:
            return read_phone(text, self.country)
        except NoPhoneNumber as error:
            raise forms.ValidationError(
                _("Write the number with its area code, for example (614) 555-0188.")
            ) from error

    def values(self, profile: CompanyProfile) -> dict[str, Any]:
        """Return what is to be stored; what the form does not show of an address stays."""
        data = self.cleaned_data
        kept = {part: value for part, value in profile.address.items() if part not in ADDRESS_PARTS}
        address = kept | {part: data[part] for part in ADDRESS_PARTS if data[part]}
        return {
            "name": data["name"],
            "phone": data["phone"],
            "email": data["email"],
            "address": address,
            "licence_no": data["licence_no"],
        }

    @staticmethod
    def initial_of(profile: CompanyProfile, stamp: str, country: str) -> dict[str, Any]:
        """Return what the form shows at first."""
        return {
            "stamp": stamp,
            "name": profile.name,
            "phone": show_phone(profile.phone, country) if profile.phone else "",
            "email": profile.email,
            "licence_no": profile.licence_no,
            **{part: profile.address.get(part, "") for part in ADDRESS_PARTS},
        }
