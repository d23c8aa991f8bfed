"""Uploaded lists lie in their tenant's folder, under keys that nobody chose, and open for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from portal.importing import files
from portal.importing.files import open_file, store_file
from portal.importing.refusals import FileRefused

ACME, GLOBEX = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_a_list_opens_for_its_own_company_only() -> None:
    """ISO-12, UPL-07."""
    stored = store_file([b"a,b\n", b"1,2\n"], tenant_id=ACME)
    assert stored.size == 8
    with open_file(stored.key, tenant_id=ACME) as file:
        assert file.read() == b"a,b\n1,2\n"
    with pytest.raises(FileNotFoundError):
        open_file(stored.key, tenant_id=GLOBEX)


def test_a_key_cannot_climb_out_of_the_folder() -> None:
    with pytest.raises(FileNotFoundError):
        open_file(f"{ACME}/imports/../../../etc/passwd", tenant_id=ACME)


def test_a_file_beyond_the_limit_is_refused_and_not_kept(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    with pytest.raises(FileRefused):
        store_file([b"x" * 8, b"x" * 8], tenant_id=ACME)
    assert [path for path in media.rglob("*") if path.is_file()] == []
