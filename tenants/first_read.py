"""The one row that nearly every page of a tenant's host begins with: read in the same round trip as the proof."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest

T = TypeVar("T")
Reader = Callable[[HttpRequest, UUID, datetime], T]

_readers: list[tuple[str, Reader[Any]]] = []


def reads_first(prefix: str) -> Callable[[Reader[T]], Reader[T]]:
    """Register the reader of all paths below `prefix` that no longer one covers; it runs one query or none."""

    def register(reader: Reader[T]) -> Reader[T]:
        _readers.append((prefix, reader))
        _readers.sort(key=lambda pair: len(pair[0]), reverse=True)
        return reader

    return register


def reader_for(path: str) -> Reader[Any] | None:
    """Return the reader of a path."""
    return next((reader for prefix, reader in _readers if path.startswith(prefix)), None)


def keep_first_read(request: HttpRequest, reader: Reader[T], answer: T) -> None:
    """Put what was read beside the proof where take_first_read() finds it."""
    request._first_read = (reader, answer)  # type: ignore[attr-defined]


def take_first_read(request: HttpRequest, reader: Reader[T], tenant_id: UUID, now: datetime) -> T:
    """Return what `reader` read beside the proof, once; whoever asks again has it read again."""
    kept: tuple[Reader[T], T] | None = request.__dict__.pop("_first_read", None)
    if kept is not None and kept[0] is reader:
        return kept[1]
    return reader(request, tenant_id, now)
