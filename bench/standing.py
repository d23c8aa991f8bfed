"""The tenants that stand there while something is measured: made fast, but as the product makes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING

import psycopg

from bench.place import careless
from bench.quiet import tell
from infra.embedded.bootstrap import DATABASE
from infra.embedded.postgres import RunningPostgres

if TYPE_CHECKING:
    from provisioning.blueprint import Blueprint

MAKERS = 2
# A checkpoint has to write out every file that was made since the last one, so it must not meet thousands at once.
BETWEEN_CHECKPOINTS = 250
RECYCLE_AFTER = 50


def add_tenants(
    server: RunningPostgres, blueprint: Blueprint, release: str, count: int, *, first: int = 0
) -> list[str]:
    """Make schemas and enter them as companies `company-<number>` from `first` on; returns the schemas' names."""
    with careless(server):
        return grow_durably(server, blueprint, release, count, first=first)[0]


def grow_durably(
    server: RunningPostgres, blueprint: Blueprint, release: str, count: int, *, first: int = 0
) -> tuple[list[str], list[float]]:
    """Do the same as a server of production would; returns the names and the seconds that each checkpoint took."""
    from django.utils import timezone

    from provisioning.schemas import new_schema_name

    names = [new_schema_name() for _ in range(count)]
    checkpoints = []
    for begin in range(0, count, BETWEEN_CHECKPOINTS):
        some = names[begin : begin + BETWEEN_CHECKPOINTS]
        with ThreadPoolExecutor(MAKERS) as threads:
            for maker in [threads.submit(_make, some[number::MAKERS], blueprint) for number in range(MAKERS)]:
                maker.result()
        checkpoints.append(checkpoint(server))
        if count > BETWEEN_CHECKPOINTS:
            tell(f"{first + begin + len(some)} tenants stand")
    with psycopg.connect(server.url(dbname=DATABASE), autocommit=True) as connection:
        connection.execute("ANALYZE pg_class, pg_namespace, pg_attribute, pg_index, pg_constraint, pg_depend")
        _enter(names, blueprint.fingerprint, release, first, timezone.now())
        _stamp(names, connection)
        connection.execute("ANALYZE provisioning_schemaslot, tenants_tenant, tenants_hostname")
    return names, checkpoints


def checkpoint(server: RunningPostgres) -> float:
    """Write out everything, so that it does not happen in the middle of a measurement; returns seconds."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        began = perf_counter()
        connection.execute("CHECKPOINT")
        return perf_counter() - began


def furnish() -> None:
    """Give the companies that lack it what their pages need: identity, profile and an open portal."""
    from django.db import connection
    from django.utils import timezone

    from portal.settings.models import CompanyProfile
    from tenants.config.registry import PORTAL
    from tenants.models import SettingValue, Tenant
    from tenants.schema.models import TenantIdentity
    from tenants.scope import control_scope, tenant_scope

    with control_scope():
        scope = SettingValue.Scope.OPERATOR
        done = set(SettingValue.objects.filter(scope=scope, key=PORTAL.name).values_list("scope_id", flat=True))
        companies = [each for each in Tenant.objects.order_by("slug") if str(each.pk) not in done]
        facts = {"scope": scope, "key": PORTAL.name, "value": True, "set_by": "bench", "set_at": timezone.now()}
        SettingValue.objects.bulk_create(
            [SettingValue(scope_id=str(each.pk), **facts) for each in companies], batch_size=1_000
        )
    for number, company in enumerate(companies):
        schema = str(company.schema_name)
        with tenant_scope(company.pk, schema):
            TenantIdentity.objects.create(tenant_id=company.pk, schema_name=schema)
            CompanyProfile.objects.create(name=company.display_name)
        if number % RECYCLE_AFTER == 0:
            connection.close()


def creation_text(name: str, blueprint: Blueprint) -> str:
    """Return the statements that make one tenant's schema and role, without ledger, lock and proof."""
    from provisioning.blueprint import SELF
    from provisioning.schemas import creation_of

    return ";\n".join((*creation_of(name), f"SET LOCAL search_path TO {name}", blueprint.ddl.replace(SELF, name)))


def _make(names: list[str], blueprint: Blueprint) -> None:
    from provisioning.fence import direct_connection

    for begin in range(0, len(names), RECYCLE_AFTER):
        with direct_connection("none") as connection:
            connection.execute("SET synchronous_commit = off")
            for name in names[begin : begin + RECYCLE_AFTER]:
                connection.execute(creation_text(name, blueprint).encode())


def _stamp(names: list[str], connection: psycopg.Connection) -> None:
    """Stamp the schemas, as whoever makes them does; many at a time, which costs half."""
    from provisioning.stamps import stamp_of

    stamp = f"UPDATE provisioning_schemaslot SET stamp = {stamp_of('schema_name')} WHERE schema_name = ANY(%s)"
    for begin in range(0, len(names), BETWEEN_CHECKPOINTS):
        connection.execute(stamp.encode(), [names[begin : begin + BETWEEN_CHECKPOINTS]])


def _enter(names: list[str], digest: str, release: str, first: int, now: datetime) -> None:
    """Write ledger, company and host of each schema."""
    from infra.ids import uuid7
    from provisioning.models import SchemaSlot
    from tenants.models import Hostname, Plan, Tenant
    from tenants.scope import control_scope

    with control_scope():
        plan = Plan.objects.get(code="porch")
        built = {"release": release, "fingerprint": digest, "created_at": now, "built_at": now}
        SchemaSlot.objects.bulk_create(
            [SchemaSlot(schema_name=name, state="claimed", claimed_by_run=uuid7(), **built) for name in names],
            batch_size=1_000,
        )
        companies = [
            Tenant(
                slug=f"company-{number}",
                display_name=f"Company {number}",
                plan=plan,
                owner_email=f"owner@company-{number}.example",
                created_at=now,
                first_activated_at=now,
                lifecycle=Tenant.Lifecycle.ACTIVE,
                schema_name=name,
                schema_release=release,
                schema_fingerprint=digest,
            )
            for number, name in enumerate(names, first)
        ]
        Tenant.objects.bulk_create(companies, batch_size=1_000)
        live = Hostname.State.LIVE
        Hostname.objects.bulk_create(
            [Hostname(name=each.slug, tenant=each, state=live, is_primary=True) for each in companies],
            batch_size=1_000,
        )
