"""What every form says by itself, in the words of the house (ui.md 8): what is wrong and what to do."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


def speak_plainly() -> None:
    """Replace Django's sentences for all forms; a field's own sentence goes before these."""
    field = forms.Field.default_error_messages
    forms.Field.default_error_messages = field | {"required": _("Fill this in.")}
    forms.CharField.default_error_messages = {
        "max_length": ngettext_lazy(
            "Use at most %(limit_value)d character.", "Use at most %(limit_value)d characters.", "limit_value"
        ),
        "null_characters_not_allowed": _("This holds a character that cannot be stored. Type it anew."),
    }
    forms.EmailField.default_error_messages = {
        "invalid": _("Check the address: it needs a name, an @ and an ending, for example .com.")
    }
    forms.ChoiceField.default_error_messages = {"invalid_choice": _("Choose one of these.")}
    forms.IntegerField.default_error_messages = {"invalid": _("Write a whole number.")}
    forms.FileField.default_error_messages = forms.FileField.default_error_messages | {
        "empty": _("This file is empty. Choose another one.")
    }
