"""Turn the bytes of an uploaded file into rows of clean text, or say why it is not a CSV file."""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from .encoding import find_encoding, refuse_other_formats
from .refusals import FileRefused

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 200
MAX_CELL = 20_000
SAMPLE_ROWS = 5

_SAMPLE_BYTES = 128 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_PREAMBLE_ROWS = 12

_MARKUP = re.compile(r"<(?:!doctype|html|head|body|table|meta|\?xml|!--|script|style)\b|<\?xml", re.IGNORECASE)
_INVISIBLE = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0x200B, 0x2060, 0xFEFF])
_BLANK = " \t\n\u00a0\u202f\u2007"


@dataclass(frozen=True)
class FileFormat:
    """How a file is to be read; `header_row` counts as a spreadsheet does, from 1."""

    encoding: str
    errors: str
    delimiter: str
    spaces_after_delimiter: bool
    header_row: int
    headers: tuple[str, ...]
    rows: int
    sample: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` accepts; only lists, strings and numbers."""
        return {
            **asdict(self),
            "headers": list(self.headers),
            "sample": [list(cells) for cells in self.sample],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FileFormat":
        """Rebuild the value stored by `as_json`."""
        sample = tuple(tuple(cells) for cells in data["sample"])
        return cls(**{**data, "headers": tuple(data["headers"]), "sample": sample})


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One data row: its number as a spreadsheet shows it, and as many cells as there are headers."""

    number: int
    cells: tuple[str, ...]
    overflow: bool = False


def inspect_file(file: BinaryIO) -> FileFormat:
    """Work out encoding, delimiter and header, and read the file once from end to end.

    Raises FileRefused for anything that is not a table of text within the limits.
    """
    size = file.seek(0, io.SEEK_END)
    if size > MAX_BYTES:
        raise FileRefused("too_big", limit=MAX_BYTES // 1024 // 1024)
    file.seek(0)
    head = file.read(_SAMPLE_BYTES)
    refuse_other_formats(head)
    encoding, errors = find_encoding(file, head)
    sample = _sample_text(head, encoding)
    if not sample.strip(_BLANK + "\r\x00\ufeff\x1a"):
        raise FileRefused("empty")
    if _MARKUP.match(sample.lstrip("\ufeff \t\r\n")):
        raise FileRefused("web_page")
    delimiter, spaces = _find_delimiter(sample, whole=size <= _SAMPLE_BYTES)
    header_row, headers = _find_header(sample, delimiter, spaces)
    draft = FileFormat(encoding, errors, delimiter, spaces, header_row, headers, 0, ())
    count = 0
    first: list[tuple[str, ...]] = []
    for row in read_rows(file, draft):
        count += 1
        if len(first) < SAMPLE_ROWS:
            first.append(tuple(cell[:120] for cell in row.cells))
    if count == 0:
        raise FileRefused("no_rows")
    return FileFormat(encoding, errors, delimiter, spaces, header_row, headers, count, tuple(first))


def read_rows(file: BinaryIO, layout: FileFormat) -> Iterator[SourceRow]:
    """Yield the data rows one at a time; blank rows are left out but counted, as a spreadsheet does.

    Raises FileRefused when the file breaks a limit or its quotation marks do not match.
    """
    width = len(layout.headers)
    count = 0
    for number, cells in _records(file, layout):
        if number <= layout.header_row:
            continue
        values = [clean_cell(cell) for cell in cells]
        if not any(values):
            continue
        count += 1
        if count > MAX_ROWS:
            raise FileRefused("too_many_rows", limit=MAX_ROWS)
        overflow = any(values[width:])
        values = values[:width] + [""] * (width - len(values))
        yield SourceRow(number, tuple(values), overflow)


def clean_cell(text: str) -> str:
    """Return the text without outer blanks, invisible characters and carriage returns, in NFC."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    return unicodedata.normalize("NFC", text).strip(_BLANK)


def _records(file: BinaryIO, layout: FileFormat) -> Iterator[tuple[int, list[str]]]:
    file.seek(0)
    wrapper = io.TextIOWrapper(file, encoding=layout.encoding, errors=layout.errors, newline="")
    number = 0
    try:
        lines = (line.replace("\x00", "") for line in wrapper)
        reader = csv.reader(
            lines, delimiter=layout.delimiter, skipinitialspace=layout.spaces_after_delimiter, strict=True
        )
        for cells in reader:
            number += 1
            if len(cells) > MAX_COLUMNS and any(cell.strip() for cell in cells[MAX_COLUMNS:]):
                raise FileRefused("too_many_columns", row=number, limit=MAX_COLUMNS)
            if any(len(cell) > MAX_CELL for cell in cells):
                raise FileRefused("cell_too_long", row=number, limit=MAX_CELL)
            yield number, cells
    except csv.Error as error:
        raise FileRefused("quotes", row=number + 1) from error
    finally:
        # Otherwise the wrapper would close the caller's file when it is collected.
        wrapper.detach()


def _sample_text(head: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return decoder.decode(head).replace("\x00", "")


def _parse_sample(sample: str, delimiter: str, spaces: bool) -> list[list[str]]:
    records: list[list[str]] = []
    lines: Iterable[str] = io.StringIO(sample, newline="")
    try:
        for record in csv.reader(lines, delimiter=delimiter, skipinitialspace=spaces):
            records.append([clean_cell(cell) for cell in record])
            if len(records) >= 200:
                break
    except csv.Error:
        return records
    return records


def _find_delimiter(sample: str, *, whole: bool) -> tuple[str, bool]:
    told = re.match(r"\ufeff?\"?sep=(.)\"?\r?\n", sample, re.IGNORECASE)
    if told and told[1] in _DELIMITERS:
        return told[1], False
    best: tuple[float, int, int, str, bool] | None = None
    for rank, delimiter in enumerate(_DELIMITERS):
        for spaces in (False, True):
            records = _parse_sample(sample, delimiter, spaces)
            if not whole and len(records) > 1:
                records.pop()
            widths = Counter(len(record) for record in records if any(record))
            if not widths:
                continue
            width, share = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
            if width < 2:
                continue
            agreement = round(share / sum(widths.values()), 2)
            score = (agreement, width, -rank * 2 - spaces, delimiter, spaces)
            if best is None or score > best:
                best = score
    if best is None:
        raise FileRefused("one_column")
    if best[0] < 0.3:
        raise FileRefused("not_csv")
    return best[3], best[4]


def _find_header(sample: str, delimiter: str, spaces: bool) -> tuple[int, tuple[str, ...]]:
    """Return the row of column names: the first row that is about as wide as the table itself."""
    records = _parse_sample(sample, delimiter, spaces)
    filled = sorted(sum(1 for cell in record if cell) for record in records if any(record))
    wanted = max(2, filled[len(filled) // 2] // 2)
    for number, record in enumerate(records[:_PREAMBLE_ROWS], start=1):
        if sum(1 for cell in record if cell) >= wanted:
            return number, _column_names(record)
    raise FileRefused("no_header")


def _column_names(record: list[str]) -> tuple[str, ...]:
    while record and not record[-1]:
        record = record[:-1]
    if len(record) > MAX_COLUMNS:
        raise FileRefused("too_many_columns", row=1, limit=MAX_COLUMNS)
    data_like = sum(1 for cell in record if "@" in cell or re.fullmatch(r"[\d$€£.,/:() +-]{2,}", cell))
    if data_like and data_like * 4 >= sum(1 for cell in record if cell):
        raise FileRefused("no_header")
    names: list[str] = []
    seen: Counter[str] = Counter()
    for position, cell in enumerate(record, start=1):
        name = " ".join(cell.split())[:80] or f"#{position}"
        seen[name.casefold()] += 1
        times = seen[name.casefold()]
        names.append(name if times == 1 else f"{name} ({times})")
    return tuple(names)
