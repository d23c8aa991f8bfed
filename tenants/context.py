"""What a request or a task knows about the tenant it serves: facts proven by the database, settings, open or closed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from tenants.access import Access, Axes, decide_access
from tenants.backend.recycling import end_if_used_up
from tenants.config.registry import PORTAL, PORTAL_ENABLED
from tenants.config.snapshot import Snapshot, snapshot_for
from tenants.scope import route_scope, scope_or_none, tenant_scope

T = TypeVar("T")
KEPT = 4_096


class IdentityMismatch(RuntimeError):
    """The schema on the path is not the tenant's own; the connection has been thrown away (S7, ISO-03)."""


class UnknownTenant(LookupError):
    """There is no such tenant, or it has no schema."""


@dataclass(frozen=True, slots=True)
class PaymentAccountFacts:
    """Where the tenant's customers pay."""

    account_id: str
    card_payments: str
    livemode: bool

    @property
    def can_charge(self) -> bool:
        """Whether a card can be charged now (PLT-18)."""
        return self.card_payments == "active"


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """How the company stands with us, as far as its office must know."""

    status: str
    trial_ends_at: datetime
    owing_since: datetime | None


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What the control plane says of this tenant, read in this request through the tenant's own role."""

    id: UUID
    slug: str
    display_name: str
    schema_name: str
    config_version: int
    flag_epoch: int
    time_zone: str
    locale: str
    country: str
    currency: str
    plan_code: str
    application_fee_bps: int
    payment_account: PaymentAccountFacts | None
    billing: BillingFacts | None
    axes: Axes

    @property
    def zone(self) -> ZoneInfo:
        """The company's own time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def host(self) -> str:
        """The permanent host name, without port."""
        return f"{self.slug}.{settings.ENV.base_domain}"

    def url(self, path: str = "/") -> str:
        """Return an absolute address on the permanent host; never built from a request (AUN-27)."""
        return settings.ENV.url_for_host(self.host, path)


@dataclass(frozen=True, slots=True)
class TenantContext:
    """Everything that is the same for the whole request: who, how it is set up, and whether it is open."""

    tenant: TenantFacts
    settings: Snapshot
    access: Access


# The identity row through the unqualified path, and what the control plane shows a role of its own tenant alone.
# Never a join between the halves.
PROOF = "SELECT (SELECT tenant_id FROM tenant_identity), gate.prove()"


def prove_tenant(tenant_id: UUID, now: datetime) -> TenantContext:
    """Prove that the open scope is this tenant's and return its context; raises IdentityMismatch."""
    return prove_and_read(tenant_id, now, _read_nothing)[0]


def _read_nothing() -> None:
    return None


def prove_and_read(tenant_id: UUID, now: datetime, read: Callable[[], T]) -> tuple[TenantContext, T]:
    """Prove the open scope and return its context with what `read` returned; raises IdentityMismatch.

    One round trip for both, as long as `read` is one query or none. Until the proof is accepted `read` gets no
    answer, and it may not write: whether the tenant is open is not known yet.
    """
    found: list[str] = []

    def accept(row: tuple[UUID | None, str | None] | None) -> None:
        text = row[1] if row and row[1] else "{}"
        if row is None or row[0] != tenant_id or _shown(text).get("tenant_id") != str(tenant_id):
            raise IdentityMismatch(f"Scope of {tenant_id} found {row and row[0]} and {_shown(text).get('tenant_id')}.")
        found.append(text)

    wrapper: Any = connection
    answer = wrapper.read_behind(PROOF, accept, read)
    return _context_of(tenant_id, found[0], now), answer


def _context_of(tenant_id: UUID, text: str, now: datetime) -> TenantContext:
    shown = _shown(text)
    snapshot = snapshot_for(tenant_id, shown["config_version"], shown["flag_epoch"], now)
    facts, access = _facts_of(text, snapshot.get(PORTAL), snapshot.get(PORTAL_ENABLED))
    return TenantContext(facts, snapshot, access)


# The database answers each request anew; what the same answer means is worked out once. The whole text is the key,
# and it names the tenant.
@lru_cache(maxsize=KEPT)
def _shown(text: str) -> Mapping[str, Any]:
    return MappingProxyType(json.loads(text))


@lru_cache(maxsize=KEPT)
def _facts_of(text: str, entitled: bool, enabled: bool) -> tuple[TenantFacts, Access]:
    shown = _shown(text)
    account = None
    if shown["account_id"]:
        account = PaymentAccountFacts(shown["account_id"], shown["card_payments"], shown["livemode"])
    axes = Axes(
        lifecycle=shown["lifecycle"],
        was_active=shown["was_active"],
        has_schema=True,
        fingerprint=shown["schema_fingerprint"],
        holds=tuple(shown["holds"] or ()),
        service_mode=shown["service_mode"],
        review=shown["review"],
        portal_entitled=entitled,
        portal_enabled=enabled,
    )
    facts = TenantFacts(
        id=UUID(shown["tenant_id"]),
        slug=shown["slug"],
        display_name=shown["display_name"],
        schema_name=shown["schema_name"],
        config_version=shown["config_version"],
        flag_epoch=shown["flag_epoch"],
        time_zone=shown["time_zone"],
        locale=shown["locale"],
        country=shown["country"],
        currency=shown["currency"],
        plan_code=shown["plan_code"],
        application_fee_bps=shown["application_fee_bps"],
        payment_account=account,
        billing=_billing_of(shown),
        axes=axes,
    )
    return facts, decide_access(axes)


def _billing_of(shown: Mapping[str, Any]) -> BillingFacts | None:
    """Return nothing for a company that has not opened yet: its trial has not begun."""
    if shown["trial_ends_at"] is None:
        return None
    since = shown["owing_since"]
    return BillingFacts(
        status=shown["billing_status"],
        trial_ends_at=datetime.fromisoformat(shown["trial_ends_at"]),
        owing_since=datetime.fromisoformat(since) if since else None,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tenant lives."""

    tenant_id: UUID
    schema_name: str


# Host → place. Only what was found is kept, and every use is proven again by prove_tenant(): an entry that is no
# longer right ends in IdentityMismatch, never in another tenant's rows. Slugs are permanent (HOST-03).
_places: dict[str, Place] = {}


def find_place(slug: str) -> Place:
    """Return where the tenant of a slug lives; raises UnknownTenant. There is no negative caching."""
    known = _places.get(slug)
    if known:
        return known
    with route_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, schema_name FROM gate.hosts WHERE slug = %s", [slug])
        row = cursor.fetchone()
    if row is None:
        raise UnknownTenant(slug)
    place = _places[slug] = Place(row[0], row[1])
    return place


def place_of(tenant_id: UUID) -> Place:
    """Return where a tenant lives by its id; raises UnknownTenant."""
    with route_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT schema_name FROM gate.hosts WHERE tenant_id = %s", [tenant_id])
        row = cursor.fetchone()
    if row is None:
        raise UnknownTenant(tenant_id)
    return Place(tenant_id, row[0])


def forget_place(slug: str) -> None:
    """Drop what is remembered of a host after it proved wrong."""
    _places.pop(slug, None)


@contextmanager
def serving(tenant_id: UUID, now: datetime) -> Iterator[TenantContext]:
    """Run the block as a tenant outside a request (task, command): scope, proof, context. Raises UnknownTenant."""
    if scope_or_none() is None:
        end_if_used_up()  # nothing goes on around this: who goes from tenant to tenant changes connections here
    place = place_of(tenant_id)
    with tenant_scope(place.tenant_id, place.schema_name):
        yield prove_tenant(tenant_id, now)
