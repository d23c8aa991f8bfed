"""What the office may upload, and what it is told when a file is no list."""

import contextlib
import csv
import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.importing import decode
from portal.importing.decode import FileFormat, inspect_file, read_rows
from portal.importing.refusals import FileRefused


def rows_of(data: bytes) -> list[tuple[str, ...]]:
    file = io.BytesIO(data)
    return [row.cells for row in read_rows(file, inspect_file(file))]


TABLE = "Name,Email,City\r\nAna Peña,ana@example.com,Mesa\r\nBen,ben@example.com,Tempe\r\n"


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", b""),
        ("utf-8-sig", b""),
        ("utf-16", b""),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-16-be", b"\xfe\xff"),
        ("latin-1", b""),
        ("cp1252", b""),
    ],
)
def test_every_usual_encoding_gives_the_same_text(encoding: str, bom: bytes) -> None:
    assert rows_of(bom + TABLE.encode(encoding)) == [
        ("Ana Peña", "ana@example.com", "Mesa"),
        ("Ben", "ben@example.com", "Tempe"),
    ]


def test_a_windows_letter_at_the_very_end_decides_the_encoding() -> None:
    body = b"Name,City\n" + b"Ben,Mesa\n" * 40_000 + "Zoë,“Tempe”\n".encode("cp1252")
    assert rows_of(body)[-1] == ("Zoë", "“Tempe”")


def test_bytes_that_windows_does_not_know_are_read_as_latin_1() -> None:
    assert rows_of(b"Name,City\nA\xc2\x81\xff,Mesa\n") == [("AÂ\x81ÿ", "Mesa")]


def test_one_damaged_byte_does_not_turn_a_utf8_file_into_gibberish() -> None:
    body = "Name,City\n" + "Ana Peña,Mesa\n" * 20
    data = body.encode() + b"Bro\xffken,Mesa\n"
    assert rows_of(data)[0] == ("Ana Peña", "Mesa")
    assert rows_of(data)[-1] == ("Bro\ufffdken", "Mesa")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_although_cells_hold_other_delimiters(delimiter: str) -> None:
    lines = [
        ["Name", "Tags", "Total"],
        ["A", '"x, y; z | w"', '"1,50"'],
        ["B", "", '"2,50"'],
        ["C", '"q; r"', "3"],
    ]
    data = "\n".join(delimiter.join(line) for line in lines).encode()
    assert rows_of(data) == [("A", "x, y; z | w", "1,50"), ("B", "", "2,50"), ("C", "q; r", "3")]


def test_the_separator_line_of_excel_is_understood() -> None:
    assert rows_of(b"sep=;\r\nName;City\r\nA, B;Mesa\r\n") == [("A, B", "Mesa")]


def test_blanks_after_the_delimiter_do_not_break_quoted_cells() -> None:
    assert rows_of(b'Name, City, Note\nA, "Mesa, AZ", x\nB, "Tempe, AZ", y\n')[0] == ("A", "Mesa, AZ", "x")


def test_quoted_newlines_stay_in_their_cell_and_rows_count_as_a_spreadsheet_counts() -> None:
    file = io.BytesIO(b'Name,Note\r\nA,"first\r\nsecond"\r\n\r\nB,\r\n')
    rows = list(read_rows(file, inspect_file(file)))
    assert [(row.number, row.cells) for row in rows] == [(2, ("A", "first\nsecond")), (4, ("B", ""))]


def test_outer_blanks_invisible_characters_and_zero_bytes_are_removed() -> None:
    assert rows_of("Name,City\n\u00a0 A\u200bna \u00a0,Me\x00sa\x07\n".encode()) == [("Ana", "Mesa")]


def test_letters_are_composed() -> None:
    assert rows_of("Name,City\nPen\u0303a,Mesa\n".encode()) == [("Peña", "Mesa")]


def test_old_line_ends_are_read() -> None:
    assert rows_of(b"Name,City\rA,Mesa\rB,Tempe\r") == [("A", "Mesa"), ("B", "Tempe")]


def test_short_rows_are_filled_and_long_rows_are_marked() -> None:
    file = io.BytesIO(b"Name,City,Zip\nA\nB,Mesa,85201,,\nC,Mesa,AZ,85201\nD,Mesa,85201\n")
    rows = list(read_rows(file, inspect_file(file)))
    assert rows[0].cells == ("A", "", "")
    assert [row.overflow for row in rows] == [False, False, True, False]


def test_titles_above_the_column_names_are_skipped() -> None:
    titles = b"Acme Heating & Air,,\nCustomer Contact List,,\n,,\n"
    data = titles + b"Customer,Phone,Email\nA,1,a@example.com\nB,2,b@example.com\n"
    file = io.BytesIO(data)
    layout = inspect_file(file)
    assert layout.headers == ("Customer", "Phone", "Email")
    assert [row.number for row in read_rows(file, layout)] == [5, 6]


def test_columns_without_or_with_the_same_name_stay_apart() -> None:
    file = io.BytesIO(b"Name,Email,Email,,City\nA,a@example.com,b@example.com,x,Mesa\n")
    assert inspect_file(file).headers == ("Name", "Email", "Email (2)", "#4", "City")


REFUSED = {
    "empty": b"",
    "no_rows": b"Name,Email\n",
    "one_column": b"Name\nAna\nBen\n",
    "no_header": b"ana@example.com,+1 602 555 0100\nben@example.com,+1 602 555 0101\n",
    "workbook": b"PK\x03\x04\x14\x00\x06\x00",
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    "web_page": b"\n<html><body><table><tr><td>Name, Email</td></tr></table>",
    "compressed": b"\x1f\x8b\x08\x00",
    "binary": bytes(range(32)) * 50,
    "not_csv": b'{"customers": [{"name": "Ana"}]}',
    "quotes": b'Name,Email\nAna,"ana@example.com\nBen,ben@example.com\n',
}


@pytest.mark.parametrize(("code", "data"), REFUSED.items())
def test_a_file_that_is_no_list_is_refused_with_the_way_out(code: str, data: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        inspect_file(io.BytesIO(data))
    assert refused.value.code == code
    assert refused.value.message.endswith(".")
    assert "%(" not in refused.value.message


def test_only_blank_text_is_an_empty_file() -> None:
    with pytest.raises(FileRefused) as refused:
        inspect_file(io.BytesIO(b"\xef\xbb\xbf \r\n\r\n\x1a"))
    assert refused.value.code == "empty"


def test_an_old_workbook_is_named_as_such() -> None:
    with pytest.raises(FileRefused) as refused:
        inspect_file(io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))
    assert refused.value.code == "workbook"


def test_limits_are_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_ROWS", 3)
    monkeypatch.setattr(decode, "MAX_CELL", 50)
    monkeypatch.setattr(decode, "MAX_COLUMNS", 4)
    monkeypatch.setattr(decode, "MAX_BYTES", 400)
    cases = {
        "too_many_rows": b"a,b\n" + b"1,x\n" * 4,
        "cell_too_long": b"a,b\n1," + b"x" * 51 + b"\n",
        "too_many_columns": b"a,b\n1,2,3,4,5\n",
        "too_big": b"a,b\n" + b"1,2\n" * 100,
    }
    for code, data in cases.items():
        with pytest.raises(FileRefused) as refused:
            inspect_file(io.BytesIO(data))
        assert refused.value.code == code


def test_the_format_survives_storage() -> None:
    layout = inspect_file(io.BytesIO(TABLE.encode()))
    assert FileFormat.from_json(layout.as_json()) == layout
    assert layout.rows == 2


def test_the_callers_file_stays_open() -> None:
    file = io.BytesIO(TABLE.encode())
    next(read_rows(file, inspect_file(file)))
    assert not file.closed


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(FileRefused):
        rows_of(data)


cell = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cf", "Zs", "Zl", "Zp"]), max_size=12)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
def test_what_a_spreadsheet_writes_is_what_we_read(table: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["Name", "Note", "City"])
    writer.writerows([*row, "Mesa"] for row in table)
    expected = [tuple(unicodedata.normalize("NFC", value) for value in row) for row in table]
    assert [row[:2] for row in rows_of(text.getvalue().encode())] == expected
