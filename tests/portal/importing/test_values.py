"""Single values as people write them: amounts, days, phones, e-mails and words."""

import contextlib
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.importing.parsing.contacts import Phone, parse_emails, parse_phones, read_email
from portal.importing.parsing.dates import (
    EARLIEST,
    LATEST,
    decide_order,
    is_ambiguous,
    order_evidence,
    parse_day,
)
from portal.importing.parsing.money import (
    ColumnMark,
    ValueRefused,
    decide_mark,
    mark_evidence,
    parse_amount,
    parse_currency,
    to_cents,
)
from portal.importing.parsing.words import (
    parse_country,
    parse_flag,
    parse_kind,
    parse_language,
    tidy_postal_code,
    tidy_state,
)

AMOUNTS = {
    "$1,234.50": "1234.50",
    "1.234,50": "1234.50",
    "1 234,5": "1234.5",
    "1\u202f234,50 ": "1234.50",
    "1'234.50": "1234.50",
    "1’234.50": "1234.50",
    "USD 12": "12",
    "12 USD": "12",
    "US$ 7": "7",
    "$12 USD": "12",
    "(45.00)": "-45.00",
    "$(45.00)": "-45.00",
    "($ 1,200.00)": "-1200.00",
    "-$5": "-5",
    "$-5": "-5",
    "5-": "-5",
    "−5.25": "-5.25",
    "-(5)": "-5",
    "12 CR": "-12",
    ".50": "0.50",
    "5.": "5",
    "1,23,456.00": "123456.00",
    "1.2E+03": "1200",
    "1,234,567": "1234567",
    "1.234.567": "1234567",
    "0": "0",
}


@pytest.mark.parametrize(("text", "value"), AMOUNTS.items())
def test_amounts_are_read_in_every_usual_spelling(text: str, value: str) -> None:
    assert parse_amount(text, mark=".") == Decimal(value)


@pytest.mark.parametrize("text", ["", "  ", "-", "—", "–", "n/a", "NULL", "none", "#N/A"])
def test_nothing_is_not_zero(text: str) -> None:
    assert parse_amount(text, mark=".") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", "not_a_number"),
        ("$", "not_a_number"),
        ("1,2,3", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("12%", "not_a_number"),
        ("1..2", "not_a_number"),
        ("--5", "not_a_number"),
        ("1 2", "not_a_number"),
        ("12:30", "not_a_number"),
        ("12 €", "other_currency"),
        ("EUR 12", "other_currency"),
        ("99999999999999", "too_large"),
        ("9e99", "too_large"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        parse_amount(text, mark=".")
    assert refused.value.code == code


def test_the_column_decides_what_one_cell_leaves_open() -> None:
    assert parse_amount("1,234", mark=".") == 1234
    assert parse_amount("1,234", mark=",") == Decimal("1.234")
    assert decide_mark(map(mark_evidence, ["1,234", "5.00", "12"])) == ColumnMark(".", proven=True)
    assert decide_mark(map(mark_evidence, ["1.234", "5,00", "12"])) == ColumnMark(",", proven=True)
    assert decide_mark(map(mark_evidence, ["1.234", "12"]), default=",") == ColumnMark(",", proven=False)
    assert decide_mark(map(mark_evidence, ["1.50", "2.50", "3,50"])) == ColumnMark(".", proven=True, mixed=True)


def test_cents_are_rounded_half_up_and_losses_are_reported() -> None:
    assert to_cents(Decimal("1.005")) == (101, True)
    assert to_cents(Decimal("-1.005")) == (-101, True)
    assert to_cents(Decimal("12.340000000000001")) == (1234, False)
    assert to_cents(Decimal("12.34")) == (1234, False)


@given(st.integers(-(10**12), 10**12), st.sampled_from([".", ","]), st.sampled_from(["", ",", ".", " ", "'"]))
def test_every_amount_written_with_two_places_reads_back_exactly(cents: int, mark: str, group: str) -> None:
    if group == mark:
        group = ""
    units, rest = divmod(abs(cents), 100)
    text = f"{units:,}".replace(",", group) + f"{mark}{rest:02}"
    amount = parse_amount(f"-{text}" if cents < 0 else text, mark=".")
    assert amount is not None
    assert to_cents(amount) == (cents, False)


@given(st.text(max_size=20))
def test_any_text_is_an_amount_nothing_or_refused(text: str) -> None:
    try:
        amount = parse_amount(text, mark=".")
    except ValueRefused:
        return
    assert amount is None or abs(amount) <= Decimal(100_000_000_000)


def test_currencies_are_codes_and_unknown_ones_are_refused() -> None:
    assert parse_currency(" usd ") == "USD"
    assert parse_currency("€") == "EUR"
    assert parse_currency("$") is None
    assert parse_currency("") is None
    with pytest.raises(ValueRefused):
        parse_currency("Quatloos")


DAYS = {
    "2026-03-04": date(2026, 3, 4),
    "2026/3/4": date(2026, 3, 4),
    "20260304": date(2026, 3, 4),
    "03/04/2026": date(2026, 3, 4),
    "3/4/26": date(2026, 3, 4),
    "3/4/2026 10:23 AM": date(2026, 3, 4),
    "25/12/2026": date(2026, 12, 25),
    "Mar 4, 2026": date(2026, 3, 4),
    "March 4th, 2026": date(2026, 3, 4),
    "Wed, Mar 4, 2026": date(2026, 3, 4),
    "Wednesday, March 4, 2026 10:00 AM": date(2026, 3, 4),
    "4 Mar 2026": date(2026, 3, 4),
    "04-Mar-26": date(2026, 3, 4),
    "4 de marzo de 2026": date(2026, 3, 4),
    "46085": date(2026, 3, 4),
    "46085.75": date(2026, 3, 4),
    "2026-03-04T23:30:00": date(2026, 3, 4),
    "2026-03-05T02:00:00Z": date(2026, 3, 4),
    "2026-03-04 23:00:00 -07:00": date(2026, 3, 4),
}


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_days_are_read_in_every_usual_spelling(text: str, day: date) -> None:
    assert parse_day(text, order="mdy", zone=ZoneInfo("America/Denver")) == day


@pytest.mark.parametrize("text", ["", "-", "n/a", "0000-00-00", "00/00/0000"])
def test_no_day_is_no_error(text: str) -> None:
    assert parse_day(text, order="mdy") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("soon", "not_a_date"),
        ("31/02/2026", "not_a_date"),
        ("2026-13-01", "not_a_date"),
        ("12", "not_a_date"),
        ("1/1/1900", "date_out_of_range"),
        ("99999", "date_out_of_range"),
    ],
)
def test_what_is_no_day_is_refused(text: str, code: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        parse_day(text, order="mdy")
    assert refused.value.code == code


def test_the_column_decides_between_day_and_month_first() -> None:
    assert parse_day("03/04/2026", order="dmy") == date(2026, 4, 3)
    assert decide_order(map(order_evidence, ["03/04/2026", "25/04/2026"])).order == "dmy"
    assert decide_order(map(order_evidence, ["03/04/2026", "04/25/2026"]), default="dmy").order == "mdy"
    assert decide_order(map(order_evidence, ["25/04/2026", "04/25/2026"])).mixed
    assert not decide_order(map(order_evidence, ["03/04/2026"])).proven
    assert is_ambiguous("03/04/2026")
    assert not is_ambiguous("04/04/2026")


@given(
    st.dates(date(1990, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%d-%b-%Y"]),
)
def test_every_day_reads_back(day: date, pattern: str) -> None:
    assert parse_day(day.strftime(pattern), order="mdy") == day


@given(st.text(max_size=25))
def test_any_text_is_a_day_nothing_or_refused(text: str) -> None:
    with contextlib.suppress(ValueRefused):
        assert EARLIEST <= (parse_day(text, order="dmy", zone=ZoneInfo("America/Phoenix")) or EARLIEST) <= LATEST


PHONES = {
    "(503) 555-0123": ["+15035550123"],
    "503.555.0123": ["+15035550123"],
    "+44 20 7946 0958": ["+442079460958"],
    "Cell: 503 555 0199": ["+15035550199"],
    "1.5035550123E+10": ["+15035550123"],
    "15035550123.0": ["+15035550123"],
    "503-555-0101 / 503-555-0102": ["+15035550101", "+15035550102"],
    "503-555-0101, 503-555-0101": ["+15035550101"],
    "": [],
    "0000000000": [],
}


@pytest.mark.parametrize(("text", "numbers"), PHONES.items())
def test_phones_become_dialable(text: str, numbers: list[str]) -> None:
    good, bad = parse_phones(text, region="US")
    assert [phone.number for phone in good] == numbers
    assert bad == ()


def test_extensions_are_kept_and_garbage_is_reported() -> None:
    assert parse_phones("503-555-0123 ext. 12", region="US")[0] == (Phone("+15035550123", "12"),)
    assert parse_phones("555-0123", region="US") == ((), ("555-0123",))
    assert parse_phones("call the wife", region="US") == ((), ("call the wife",))


EMAILS = {
    " Alice@Example.COM ": ["alice@example.com"],
    "a@example.com; b@example.org": ["a@example.com", "b@example.org"],
    "a@example.com,A@EXAMPLE.com": ["a@example.com"],
    "a@example.com b@example.com": ["a@example.com", "b@example.com"],
    "Alice <alice@example.com>, bob@mail.test": ["alice@example.com", "bob@mail.test"],
    "info@müller.de": ["info@xn--mller-kva.de"],
    "mailto:x@example.org": ["x@example.org"],
}


@pytest.mark.parametrize(("text", "addresses"), EMAILS.items())
def test_addresses_are_normalised(text: str, addresses: list[str]) -> None:
    assert parse_emails(text) == (tuple(addresses), ())


@pytest.mark.parametrize("text", ["foo", "a@b..com", "@example.com", "john smith@example.com", "noemail@noemail.com"])
def test_what_is_no_address_is_reported_and_never_guessed(text: str) -> None:
    good, bad = parse_emails(text)
    assert good == ()
    assert bad == (text,)


@given(st.emails())
def test_normalising_twice_changes_nothing(address: str) -> None:
    once = read_email(address)
    assert once is None or read_email(once) == once


@given(st.text(max_size=30))
def test_any_text_gives_phones_and_addresses_or_leftovers(text: str) -> None:
    assert isinstance(parse_phones(text, region="US"), tuple)
    assert all(address == address.lower() for address in parse_emails(text)[0])


def test_words_of_closed_lists_are_understood_in_both_languages() -> None:
    assert [parse_flag(word) for word in ("Sí", "TRUE", "0", "maybe")] == [True, True, False, None]
    assert [parse_kind(word) for word in ("Residential", "Comercial", "Martian")] == [
        "person",
        "company",
        None,
    ]
    assert [parse_language(word) for word in ("Español", "en-US", "Klingon")] == ["es", "en", None]
    assert [parse_country(word) for word in ("U.S.A.", "Canadá", "Atlantis")] == ["US", "CA", None]
    assert [tidy_state(word, country="US") for word in ("Arizona", "a.z.", "Sonora")] == [
        "AZ",
        "AZ",
        "Sonora",
    ]


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("2139", "US", "02139"),
        ("85201.0", "US", "85201"),
        ("852011234", "US", "85201-1234"),
        ("85201-1234", "US", "85201-1234"),
        ("k1a0b1", "CA", "K1A 0B1"),
        ("SW1A 1AA", "GB", "SW1A 1AA"),
        ("n/a", "US", ""),
    ],
)
def test_postal_codes_get_back_what_spreadsheets_dropped(text: str, country: str, code: str) -> None:
    assert tidy_postal_code(text, country=country) == code
