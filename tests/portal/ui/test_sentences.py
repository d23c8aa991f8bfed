"""Every form speaks in the words of the house, in both languages (ui.md 8)."""

from __future__ import annotations

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation


class Everything(forms.Form):
    """One field of each kind."""

    text = forms.CharField(max_length=3)
    email = forms.EmailField()
    choice = forms.ChoiceField(choices=[("a", "A")])
    number = forms.IntegerField()
    file = forms.FileField()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("text", "", "Fill this in."),
        ("text", "abcd", "Use at most 3 characters."),
        ("text", "\x00", "This holds a character that cannot be stored. Type it anew."),
        ("email", "nobody", "Check the address: it needs a name, an @ and an ending, for example .com."),
        ("choice", "b", "Choose one of these."),
        ("number", "many", "Write a whole number."),
        ("file", SimpleUploadedFile("a.csv", b""), "This file is empty. Choose another one."),
    ],
)
def test_a_refusal_says_what_to_do(field: str, value: object, sentence: str) -> None:
    form = Everything({field: value}, {field: value} if field == "file" else None)
    assert form.errors[field] == [sentence]
    with translation.override("es"):
        assert form.errors.as_data()[field][0].message != sentence


def test_a_field_of_its_own_words_keeps_them() -> None:
    class Own(forms.Form):
        name = forms.CharField(error_messages={"required": "Who are you?"})

    assert Own({}).errors["name"] == ["Who are you?"]
