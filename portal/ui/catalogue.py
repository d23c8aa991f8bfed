"""Keeps the catalogue of the interface's texts: reads the sources, merges, compiles; no gettext programs needed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALE = Path(__file__).with_name("locale")
LANGUAGES = ("es",)
PACKAGES = ("portal", "platform", "provisioning", "tenants", "infra")
# The gallery shows designers every part of the interface; nobody else ever opens it.
LEFT_OUT = ("/migrations/", "/static/", "/ui/gallery.html")

_Words = str | tuple[str, ...] | list[str]
_Positions = tuple[int | tuple[int, str], ...]
KEYWORDS: dict[str, _Positions | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "mark": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


class Book(Catalog):
    """A catalogue whose header holds no dates and no tool, so that the same texts give the same bytes."""

    def __init__(self, language: str | None = None) -> None:
        """Start empty; `language` is None for the texts of the sources themselves."""
        title = "# The interface's texts. Edit the translations here, then run manage.py catalogue."
        super().__init__(locale=language, charset="utf-8", header_comment=title, fuzzy=False)

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Return the header that gettext and Django read."""
        return [
            ("Project-Id-Version", "porchlight"),
            ("Language", str(self.locale or "")),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def sources() -> Iterator[Path]:
    """Yield every file that may hold texts for people, in a stable order."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".py", ".html", ".txt") and not any(part in path.as_posix() for part in LEFT_OUT):
                yield path


def texts_of(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """Yield (message id or ids, context) of one file; a template is first turned into calls, as Django does."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        text = templatize(text, origin=str(path))
    for _line, found, _comments, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
        yield found, context


def read_sources() -> Book:
    """Return every text of the sources, not translated, with the files that use it."""
    book = Book()
    for path in sources():
        for found, context in texts_of(path):
            book.add(found, locations=[(path.relative_to(ROOT).as_posix(), 0)], context=context)
    return book


def po_path(language: str) -> Path:
    """Return where the translator works."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read_catalogue(language: str) -> Book:
    """Return what the translator has written so far."""
    book = Book(language)
    if po_path(language).exists():
        with po_path(language).open("rb") as file:
            for message in read_po(file, locale=language, charset="utf-8"):
                if message.id:
                    _put(book, message, message.string)
    return book


def merge(written: Book, wanted: Book) -> Book:
    """Return the wanted texts with the translations that exist; texts nobody uses any more are gone."""
    merged = Book(str(written.locale))
    for message in wanted:
        if message.id:
            known = written.get(_key(message), message.context)
            fits = known is not None and known.id == message.id
            _put(merged, message, known.string if known and fits else None)
    return merged


def missing(book: Book) -> list[str]:
    """Return the texts without a translation, or with one whose placeholders differ."""
    empty = {_key(m) for m in book if m.id and not all(m.string if isinstance(m.string, tuple) else (m.string,))}
    wrong = {_key(message) for message, errors in book.check() if errors}
    return sorted(empty | wrong)


def po_bytes(book: Book) -> bytes:
    """Return the catalogue as the translator edits it."""
    out = io.BytesIO()
    write_po(out, book, width=0, sort_by_file=True, include_lineno=False)
    return out.getvalue()


def mo_bytes(book: Book) -> bytes:
    """Return the catalogue as Django reads it."""
    out = io.BytesIO()
    write_mo(out, book)
    return out.getvalue()


def _key(message: Message) -> str:
    return str(message.id[0]) if isinstance(message.id, (tuple, list)) else str(message.id)


def _put(book: Book, message: Message, string: _Words | None) -> None:
    nothing: _Words = ("",) * book.num_plurals if message.pluralizable else ""
    files = sorted({str(file) for file, _line in message.locations})
    book.add(message.id, string or nothing, locations=[(file, 0) for file in files], context=message.context)
