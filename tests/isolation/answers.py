"""What an answer gives away, and whether it changed anything of another company."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from django.http.response import HttpResponseBase
from pypdf import PdfReader

from tenants.scope import tenant_scope
from tests.isolation.world import CANARIES, SCHEMAS

_VARIES = re.compile(
    r'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|nonce-[\w+/=-]+|[0-9a-f]{8}-[0-9a-f-]{27}'
    r"|data-idempotency[^ >]*|x{21,}"
)


def body_of(answer: HttpResponseBase) -> str:
    """Return the whole body, streamed or not, as text."""
    parts = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    if answer.headers.get("Content-Type") == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(parts)).pages)
    return bytes(parts).decode("utf-8", "backslashreplace")


def canaries_in(answer: HttpResponseBase) -> list[str]:
    """Return every canary in body, headers and cookies."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items() if name != "X-Request-Id")
    text = "\n".join([body_of(answer), headers, str(answer.cookies)])
    return [canary for canary in CANARIES if canary in text]


def shape_of(answer: HttpResponseBase, values: dict[str, str]) -> tuple[int, str, str]:
    """Return what must not differ between another company's record and none: status, target, page."""
    text, target = body_of(answer), answer.headers.get("Location", "")
    for value in values.values():
        text, target = text.replace(value, "*"), target.replace(value, "*")
    return answer.status_code, _VARIES.sub("*", target), _VARIES.sub("*", text)


@contextmanager
def unchanged(tenant: UUID, *, but: frozenset[str] = frozenset()) -> Iterator[None]:
    """Fail when any row of a company's schema differs after the block, `but` for tables in which it may."""
    before = _digest(tenant)
    yield
    after = _digest(tenant)
    changed = {table for table in before if before[table] != after[table]}
    assert changed <= but, f"rows changed: {sorted(changed - but)}"


def _digest(tenant: UUID) -> dict[str, str]:
    with tenant_scope(tenant, SCHEMAS[tenant]), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMAS[tenant]])
        tables = sorted(row[0] for row in cursor.fetchall())
        digests = {}
        for table in tables:
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM \"{table}\" t")
            digests[table] = cursor.fetchone()[0]
    return digests
