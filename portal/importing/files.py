"""Where uploaded lists are kept: a folder per tenant outside the web root, under keys nobody can guess (UPL-07)."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from .decode import MAX_BYTES
from .refusals import FileRefused


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What was written: its key below the media folder, its size in bytes and its digest."""

    key: str
    size: int
    sha256: str


def store_file(chunks: Iterable[bytes], *, tenant_id: UUID) -> StoredFile:
    """Write the chunks below the tenant's folder; raises FileRefused(too_big) and leaves nothing behind."""
    key = f"{tenant_id}/imports/{secrets.token_urlsafe(24)}.csv"
    path = _path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("xb") as target:
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_BYTES:
                    raise FileRefused("too_big", limit=MAX_BYTES // 1024 // 1024)
                digest.update(chunk)
                target.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return StoredFile(key, size, digest.hexdigest())


def open_file(key: str, *, tenant_id: UUID) -> BinaryIO:
    """Open a stored list for reading; raises FileNotFoundError, also for a key of another tenant (ISO-12)."""
    if not key.startswith(f"{tenant_id}/imports/"):
        raise FileNotFoundError(key)
    return _path(key).open("rb")


def remove_file(key: str) -> None:
    """Delete a stored list; it may be gone already."""
    _path(key).unlink(missing_ok=True)


def _path(key: str) -> Path:
    root = Path(settings.MEDIA_ROOT).resolve()
    path = (root / key).resolve()
    if not path.is_relative_to(root):
        raise FileNotFoundError(key)
    return path
