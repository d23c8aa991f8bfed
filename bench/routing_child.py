"""One engine's process: serves pages through WSGI without a socket, and answers each line of JSON with one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import timedelta
from importlib import import_module
from time import perf_counter
from typing import Any
from uuid import UUID

import django
from django.apps import AppConfig

from bench import routing_settings

ENGINE = routing_settings.ENGINE
TOKEN = "a-session-of-the-benchmark"

for _app in routing_settings.TENANT_APPS if ENGINE != "ours" else ():
    for _found in vars(import_module(f"{_app}.apps")).values():
        if isinstance(_found, type) and issubclass(_found, AppConfig) and _found is not AppConfig:
            # What ready() registers needs the rest of the product; pages need only models.
            _found.ready = AppConfig.ready  # type: ignore[method-assign]
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench import routing_pages  # noqa: E402
from bench.wsgi import environ_of, get_page  # noqa: E402
from tenants.scope import enter, make_tenant_scope, tenant_scope  # noqa: E402


def fill(tenant_id: str) -> None:
    """Put a company's rows where the statements of this moment go."""
    from portal.access.models import PortalAccess
    from portal.accounts.models import PortalSession, PortalUser
    from portal.accounts.sessions import ABSOLUTE, hash_token
    from portal.customers.models import Contact, ContactPoint, Customer
    from portal.invoices.models import Invoice
    from portal.settings.models import CompanyProfile

    now = timezone.now()
    stamps = {"created_at": now, "updated_at": now}
    CompanyProfile.objects.create(name="Acme Heating & Air")
    customer = Customer.objects.create(number=routing_pages.NUMBER, external_id="1", name="Alice Archer", **stamps)
    contact = Contact.objects.create(customer=customer, name="Alice Archer", is_primary=True, **stamps)
    email = "alice@example.com"
    ContactPoint.objects.create(contact=contact, kind="email", value=email, is_primary=True, created_at=now)
    user = PortalUser.objects.create(email=email, display_name="Alice Archer", created_at=now)
    PortalAccess.objects.create(
        portal_user=user, customer=customer, contact=contact, status="active", created_at=now, activated_at=now
    )
    for number in range(3):
        cents = {"subtotal_cents": 1_000, "total_cents": 1_000}
        Invoice.objects.create(
            number=str(number), external_id=str(number), bill_to=customer, status="open", issued_on=now.date(),
            due_on=now.date(), currency="USD", lines=[], **cents, **stamps,
        )  # fmt: skip
    PortalSession.objects.create(
        portal_user=user,
        token_hash=hash_token(TOKEN),
        tenant_id=tenant_id,
        created_at=now,
        proved_at=now,
        # Seen in the future: that it was seen is noted every few minutes, and here only reading is measured.
        last_seen_at=now + timedelta(days=1),
        expires_at=now + ABSOLUTE,
        ip="127.0.0.1",
    )


def fill_all(tenants: list[list[str]]) -> dict[str, Any]:
    """Fill the schemas of our companies, or the one there is."""
    for schema, _host, tenant_id in tenants:
        if ENGINE == "plain":
            with transaction.atomic():
                fill(tenant_id)
        else:
            from tenants.schema.models import TenantIdentity

            with tenant_scope(UUID(tenant_id), schema):
                with transaction.atomic():
                    TenantIdentity.objects.create(tenant_id=tenant_id, schema_name=schema)
                    fill(tenant_id)
                connection.close_if_unusable_or_obsolete()
    connection.close()
    return {}


def know(tenants: list[list[str]]) -> dict[str, Any]:
    """Learn whose rows are behind each host."""
    routing_pages.IDS.update({host: UUID(tenant_id) for _, host, tenant_id in tenants})
    return {}


def adopt(tenants: list[list[str]]) -> dict[str, Any]:
    """Enter the companies, whose schemas are there already, into a peer's own tables."""
    from django.apps import apps

    from bench.peer_child import prepare

    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        prepare()
    models: list[Any] = [apps.get_model("peer", name) for name in ("Tenant", "Domain")]
    tenant, domain = models
    made = tenant.objects.bulk_create([tenant(schema_name=schema) for schema, _, _ in tenants])
    pairs = zip(made, tenants, strict=True)
    domain.objects.bulk_create([domain(domain=host, tenant=each, is_primary=True) for each, (_, host, _) in pairs])
    connection.close()
    return know(tenants)


def ask(path: str, hosts: list[str], atomic: bool) -> dict[str, Any]:
    """Get a page from each host in turn; answers with the seconds of each."""
    connections.settings["default"]["ATOMIC_REQUESTS"] = atomic
    return {"seconds": [_get(path, host)[0] for host in hosts]}


def schema(hosts: list[str]) -> dict[str, Any]:
    """Answer with the schema in which each host's page worked."""
    return {"schemas": [_get("/schema", host)[1].decode() for host in hosts]}


def routing(host: str, count: int) -> dict[str, Any]:
    """Answer with the seconds that the product's routing took, and those of them in which the database was asked."""
    from django.core.handlers.wsgi import WSGIRequest

    from tenants.backend.base import DatabaseWrapper
    from tenants.middleware import HostMiddleware

    answer = HttpResponse("ok")
    route = HostMiddleware(lambda request: answer)
    asked = 0.0

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*given: Any) -> Any:
            nonlocal asked
            began = perf_counter()
            try:
                return method(*given)
            finally:
                asked += perf_counter() - began

        return stopped

    took, waited = [], []
    wrapper: Any = DatabaseWrapper
    methods = {name: getattr(wrapper, name) for name in ("_cursor", "_execute_behind")}
    for name, method in methods.items():
        setattr(wrapper, name, timed(method))
    try:
        for _ in range(count):
            asked = 0.0
            request = WSGIRequest(environ_of("/nothing", host))
            began = perf_counter()
            route(request)
            took.append(perf_counter() - began)
            waited.append(asked)
    finally:
        for name, method in methods.items():
            setattr(wrapper, name, method)
    return {"seconds": took, "asked": waited}


def _get(path: str, host: str) -> tuple[float, bytes]:
    return get_page(_application, path, host, "" if path == "/nothing" else f"portal={TOKEN}")


_application: Callable[..., Any] = get_wsgi_application()


def main() -> None:
    """Serve until standard input ends."""
    if ENGINE == "ours":
        from tenants.middleware import URLCONF_BY_DOOR

        URLCONF_BY_DOOR["open"] = "bench.routing_pages"
        _serve()
    else:
        # The product's models look at the scope they are used in; here nobody opens one.
        with enter(make_tenant_scope(UUID(int=1), "t_000000000001")):
            _serve()


def _serve() -> None:
    actions: dict[str, Callable[..., dict[str, Any]]] = {
        "fill": fill_all, "know": know, "adopt": adopt, "ask": ask, "schema": schema, "routing": routing,
    }  # fmt: skip
    answers = sys.stdout
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        action, *given = json.loads(line)
        print(json.dumps(actions[action](*given)), file=answers, flush=True)


if __name__ == "__main__":
    main()
