"""Companies behind a pooler: strictly apart in session mode, mixed up in the mode that we refuse (acceptance 6)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.conf import settings
from django.db import Error, connection

from infra.env import APP_LOGIN
from tenants.scope import tenant_scope
from tests import databases
from tests.cast import ACME, GLOBEX
from tests.pooler import run_pooler
from tests.provisioning.conftest import own_database

__all__ = ["own_database"]
SCHEMAS = {ACME: "t_ac3e00000000000000000001", GLOBEX: "t_610be8000000000000000002"}
READS = 60


def _read(tenant_id: UUID) -> Counter[str]:
    """Ask again and again whose schema this is, in one scope, each time in a transaction of its own."""
    seen: Counter[str] = Counter()
    try:
        with tenant_scope(tenant_id, SCHEMAS[tenant_id]):
            for _ in range(READS):
                try:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT tenant_id FROM tenant_identity")
                        ((found,),) = cursor.fetchall()
                except Error:
                    seen["refused"] += 1
                else:
                    seen["own" if found == tenant_id else "foreign"] += 1
    finally:
        connection.close()
    return seen


def _read_at_once(mode: str, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    with run_pooler(mode, databases.connection_host()) as pooler:
        for key, value in {"HOST": "127.0.0.1", "PORT": str(pooler.port), "USER": APP_LOGIN}.items():
            monkeypatch.setitem(settings.DATABASES["default"], key, value)
        options = settings.DATABASES["default"]["OPTIONS"] | {"sslmode": "disable", "gssencmode": "disable"}
        monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", options | {"prepare_threshold": None})
        with ThreadPoolExecutor(8) as threads:
            return sum(threads.map(_read, [ACME, GLOBEX] * 4), Counter())


def test_a_session_pooler_mixes_nobody_up(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read_at_once("session", monkeypatch) == {"own": 8 * READS}


def test_a_transaction_pooler_would_show_foreign_rows(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above is known to see them, and the refusal to start is known to be needed."""
    seen = _read_at_once("transaction", monkeypatch)
    assert seen["foreign"] > 0
