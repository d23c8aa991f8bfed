"""Money, dates and counts read as people write them (ui.md 3, screens.md 0.10)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.utils import timezone, translation

from portal.ui.templatetags import ui

TUESDAY = date(2025, 11, 25)


@pytest.mark.parametrize(
    ("language", "cents", "currency", "text"),
    [
        ("en", 41250, "USD", "$412.50"),
        ("en", 5, "USD", "$0.05"),
        ("en", -150, "usd", "-$1.50"),
        ("en", 123456789, "USD", "$1,234,567.89"),
        ("en", 500, "JPY", "¥500"),
        ("es", 60150, "USD", "$601.50"),
        ("fr", 60150, "EUR", "601,50\xa0€"),
    ],
)
def test_money_is_written_in_the_readers_language(language: str, cents: int, currency: str, text: str) -> None:
    """Amounts are whole cents; the currency knows its own digits."""
    with translation.override(language):
        assert ui.money(cents, currency) == text


def test_money_without_an_amount_is_empty() -> None:
    """A column without a value prints nothing, zero prints a zero."""
    assert ui.money(None) == ""
    assert ui.money(0) == "$0.00"


def test_the_large_figure_raises_its_cents() -> None:
    """Whatever stands around the cents stays."""
    with translation.override("en"):
        assert ui.money_parts(41250) == "$412<sup>.50</sup>"
        assert ui.money_parts(500, "JPY") == "¥500"
    with translation.override("fr"):
        assert ui.money_parts(60150, "EUR") == "601<sup>,50</sup>\xa0€"


@pytest.mark.parametrize(("cents", "text"), [(7900, "$79"), (7950, "$79.50"), (0, "$0"), (100000000, "$1,000,000")])
def test_a_price_leaves_out_zero_cents(cents: int, text: str) -> None:
    """$79 a month, not $79.00."""
    with translation.override("en"):
        assert ui.money_short(cents) == text


@pytest.mark.parametrize(
    ("language", "style", "text"),
    [
        ("en", "short", "Tue 25 Nov"),
        ("en", "full", "Tuesday 25 November"),
        ("en", "year", "25 Nov 2025"),
        ("en", "full_year", "Tuesday 25 November 2025"),
        ("en", "month", "November 2025"),
        ("es", "short", "mar 25 nov"),
    ],
)
def test_dates_carry_the_weekday(language: str, style: str, text: str) -> None:
    """Tue 25 Nov, in full where there is room."""
    with translation.override(language):
        assert ui.weekday_date(TUESDAY, style) == text


def test_a_moment_is_shown_in_the_companys_zone() -> None:
    """Two in the morning in London is still yesterday in Columbus."""
    moment = datetime(2025, 11, 26, 2, 10, tzinfo=UTC)
    with translation.override("en"), timezone.override(ZoneInfo("America/New_York")):
        assert ui.weekday_date(moment) == "Tue 25 Nov"
        assert ui.clock(moment) == "9:10 pm"
        assert ui.moment(moment) == "Tue 25 Nov, 9:10 pm"


def test_missing_dates_print_nothing() -> None:
    """An invoice without a due date has none on the page."""
    assert ui.weekday_date(None) == ui.clock(None) == ui.moment(None) == ""


def test_counts_have_separators() -> None:
    """1,086 customers."""
    with translation.override("en"):
        assert ui.number(1086) == "1,086"
        assert ui.number(None) == ""


def test_an_icon_name_is_escaped() -> None:
    """Icon names come from data in lists."""
    assert "<script>" not in ui.icon('"><script>')


class Sample(forms.Form):
    """One field per layout."""

    plain = forms.CharField(help_text="Hint")
    check = forms.BooleanField()
    radio = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
    many = forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple)
    select = forms.ChoiceField(choices=[("a", "A")])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("plain", "plain"), ("check", "check"), ("radio", "choices"), ("many", "choices"), ("select", "plain")],
)
def test_the_layout_follows_the_widget(name: str, kind: str) -> None:
    """A group of choices needs a fieldset, a tick box its label behind it."""
    assert ui.input_kind(Sample()[name]) == kind


def test_a_wrong_field_points_to_its_hint_and_error() -> None:
    """Screen readers read both with the input (ui.md 6, Field)."""
    form = Sample({})
    assert not form.is_valid()
    html = ui.widget(form["plain"], "input", placeholder="")
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_plain_helptext id_plain_error"' in html
    assert 'class="input"' in html
    assert "placeholder" not in html


def test_a_sentence_beside_a_tick_box_is_no_name_for_its_error() -> None:
    """“I understand this.: Tick the box” is two sentences and a colon."""

    class Agreement(forms.Form):
        name = forms.CharField(label="Your name")
        agree = forms.BooleanField(label="I understand this.")

    form = Agreement({})
    assert [ui.error_name(field) for field in form] == ["Your name: ", ""]
