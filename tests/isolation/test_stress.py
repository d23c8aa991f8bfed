"""Cancels, cut connections, savepoints, streams, tasks and threads at once: no row is anybody else's (ISO-01, ISO-02).

Eight seconds; PORCHLIGHT_STORM_SECONDS=300 makes it the campaign. The same storm on django-tenants' own backend must
find foreign rows, or it could not see ours (D20, D21, D34).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection
from django.utils import timezone

from infra.embedded.valkey import temporary_valkey
from infra.ids import uuid7
from provisioning.schemas import new_schema_name
from tests import databases
from tests.cast import ACME, GLOBEX, _make_tenant
from tests.isolation.stress.deeds import DEEDS, ROWS
from tests.isolation.stress.report import NEEDS_NO_STRIKE

ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("PORCHLIGHT_STORM_SECONDS", "8"))
# The storm on the library's backend ends as soon as it has seen enough.
ENOUGH, AT_MOST = ROWS, 120.0
ACMES, GLOBEXS = "t_ac3e00000000000000000001", "t_610be8000000000000000002"
Companies = list[tuple[UUID, str, str]]


@dataclass
class Place:
    """A database with four companies: id, mark and schema of each, and the superuser's address."""

    address: str
    companies: Companies


@contextmanager
def four_companies(name: str) -> Iterator[Place]:
    """Make a database with four companies whose rows carry their marks."""
    before = connection.settings_dict["NAME"]
    name = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    databases.clone(name)
    databases.use(name, owner=True)
    # Roles have the schemas' names and belong to the whole server, so these are new each time.
    more: Companies = [(uuid7(), mark, new_schema_name()) for mark in ("initech", "umbrella")]
    try:
        for tenant_id, slug, schema in more:
            _make_tenant(tenant_id, slug, slug.title(), schema, f"owner@{slug}.example")
    finally:
        databases.use(before)
    address = f"postgresql://postgres@/{name}?host={quote(databases.connection_host(), safe='')}"
    now = timezone.now()
    companies = [(ACME, "acme", ACMES), (GLOBEX, "globex", GLOBEXS), *more]
    with psycopg.connect(address, autocommit=True) as superuser, superuser.cursor() as cursor:
        for _, slug, schema in companies:
            rows = [(uuid7(), f"M-{number}", f"{slug}-{number}", now, now) for number in range(ROWS)]
            cursor.executemany(
                f"""INSERT INTO {schema}.customers_customer (id, number, name, created_at, updated_at, kind, bill_to,
                    terms, tax_exempt, tags, do_not_service, portal_locked, language, internal_notes, source,
                    number_aliases) VALUES (%s, %s, %s, %s, %s, 'person', '{{}}', '', false, '[]', false, false, '', '',
                    '', '[]')""",
                rows,
            )
    yield Place(address, companies)


def rage(backend: str, place: Place, *, seconds: float, stop_at: int | None = None, **extra: str) -> dict[str, Any]:
    """Run a storm in a process of its own and return its report."""
    database = urlsplit(place.address).path
    with temporary_valkey() as valkey:
        env = os.environ | {
            "STRESS_BACKEND": backend,
            "DATABASE_LOGIN": "owner" if backend == "library" else "app",
            "DATABASE_URL": urlsplit(settings.ENV.database_url)._replace(path=database).geturl(),
            "DATABASE_APP_URL": urlsplit(settings.ENV.database_app_url)._replace(path=database).geturl(),
            "REDIS_URL": valkey.url(),
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        }
        asked = {"seconds": seconds, "stop_at": stop_at, "database": place.address, "companies": place.companies}
        done = subprocess.run(
            [sys.executable, "-m", "tests.isolation.stress"],
            cwd=ROOT,
            env=env | extra,
            input=json.dumps(asked, default=str),
            capture_output=True,
            text=True,
            timeout=seconds + 300,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    # Shown by pytest -s: what a campaign is for.
    print(json.dumps(report, indent=1))
    return report


def written(place: Place) -> tuple[int, list[tuple[str, str]]]:
    """Return how many rows the storm wrote, and those that stand in another company's schema."""
    found = 0
    foreign: list[tuple[str, str]] = []
    with psycopg.connect(place.address) as superuser:
        for _, slug, schema in place.companies:
            for query in (
                f"SELECT name FROM {schema}.customers_customer WHERE number LIKE 'W-%'",
                f"SELECT payload->>'mark' FROM {schema}.core_outboxevent WHERE type = 'stress.noted'",
            ):
                marks = [mark for (mark,) in superuser.execute(query).fetchall()]  # type: ignore[arg-type]
                found += len(marks)
                foreign += [(slug, mark) for mark in marks if mark != slug]
    return found, foreign


def test_no_row_is_anybody_elses_whatever_happens_to_the_connections(
    django_db_setup: None, django_db_blocker: Any
) -> None:
    """ISO-01, ISO-02, ISO-18, ISO-21, ISO-39: reads in every way there is, writes too, and calm returns."""
    with django_db_blocker.unblock(), four_companies("test_stress_ours") as place:
        report = rage("ours", place, seconds=SECONDS, TENANTS_PER_CONNECTION="3")
        found, foreign = written(place)
    assert report["broken"] == []
    assert (report["foreign"], report["samples"], foreign, report["short"]) == ({}, [], [], {})
    assert set(report["rows"]) >= DEEDS, "not everything was tried"
    assert "stray thread" not in report["rows"], "a thread that serves nobody has read something"
    assert found > 0
    assert {"cancel", "cancel the switch", "terminate"} <= set(report["strikes"])
    assert any("OperationalError" in what or "ScopeNotApplied" in what for what in report["refused"])
    assert report["calm"] == 40


def test_the_same_storm_on_the_librarys_backend_finds_foreign_rows(
    django_db_setup: None, django_db_blocker: Any
) -> None:
    """D20, D21: what the storm would see if a failed switch were let pass."""
    with django_db_blocker.unblock(), four_companies("test_stress_library") as place:
        report = rage("library", place, seconds=AT_MOST, stop_at=ENOUGH)
    after_a_failed_switch = {deed: rows for deed, rows in report["foreign"].items() if deed not in NEEDS_NO_STRIKE}
    assert sum(after_a_failed_switch.values()) >= ENOUGH, report
    assert report["foreign"]["stream"] > 0, report
