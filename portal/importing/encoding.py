"""Tell text from other files by their bytes, and find the character encoding of the text."""

import codecs
import re
from typing import BinaryIO

from .refusals import FileRefused

_CHUNK = 1024 * 1024

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "workbook"),
    (b"PK\x05\x06", "workbook"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "compressed"),
    (b"7z\xbc\xaf", "compressed"),
    (b"Rar!", "compressed"),
    (b"\x89PNG", "binary"),
    (b"\xff\xd8\xff", "binary"),
    (b"GIF8", "binary"),
    (b"SQLite format", "binary"),
    (b"{\\rtf", "binary"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def refuse_other_formats(head: bytes) -> None:
    """Raise FileRefused when the first bytes are those of a workbook, PDF, archive, picture or JSON."""
    for signature, code in _SIGNATURES:
        if head.startswith(signature):
            raise FileRefused(code)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" or re.match(rb"\s*\[\s*[{\[]", head):
        raise FileRefused("not_csv")


def find_encoding(file: BinaryIO, head: bytes) -> tuple[str, str]:
    """Return the codec and its error handler; all of the file is read, for the odd letter may come last.

    Raises FileRefused(binary).
    """
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "replace"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    start = head[:4096]
    zeros = start.count(0)
    if zeros:
        if start[1::2].count(0) > len(start) * 0.3:
            return "utf-16-le", "replace"
        if start[0::2].count(0) > len(start) * 0.3:
            return "utf-16-be", "replace"
        controls = sum(1 for byte in start if byte < 9 or 13 < byte < 32)
        if controls > max(3, len(start) * 0.02):
            raise FileRefused("binary")
    return _eight_bit_encoding(file)


def _eight_bit_encoding(file: BinaryIO) -> tuple[str, str]:
    """UTF-8 when all of it is; damaged UTF-8 when nearly all of it is; otherwise Windows or Latin-1."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8-sig", "strict"
    file.seek(0)
    sequences = strays = controls = total = 0
    undefined = False
    while chunk := file.read(_CHUNK):
        rest, found = _UTF8_SEQUENCE.subn(b"", chunk)
        sequences += found
        high = rest.translate(None, bytes(range(0x80)))
        strays += len(high)
        undefined = undefined or any(byte in chunk for byte in b"\x81\x8d\x8f\x90\x9d")
        controls += len(rest) - len(rest.translate(None, bytes([*range(9), *range(14, 32)])))
        total += len(chunk)
    if controls > max(8, total * 0.01):
        raise FileRefused("binary")
    if sequences >= 10 and sequences >= strays * 10:
        return "utf-8-sig", "replace"
    return ("latin-1", "strict") if undefined else ("cp1252", "strict")
