"""The two ways to serve a company: the product's own, and django-tenants' backend with its `set_schema`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import dramatiq
from django.db import close_old_connections, connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.utils import timezone

from tenants.context import TenantContext, serving
from tenants.middleware import HostMiddleware
from tenants.outbox import deliver_outbox, emit, handles
from tenants.schema.models import OutboxEvent
from tenants.scope import current_scope, enter, make_tenant_scope
from tenants.tasks import tenant_task

QUEUE = "stress"
EVENT = "stress.noted"
View = Callable[[HttpRequest], HttpResponseBase]
Errand = Callable[["Company"], None]


@dataclass(frozen=True, slots=True)
class Company:
    """One of the companies; every row of it that is looked at carries its mark."""

    id: UUID
    mark: str
    schema: str


class Ours:
    """The product: middleware for requests, envelopes for tasks, the outbox."""

    def __init__(self, companies: dict[UUID, Company], errand: Errand) -> None:
        @tenant_task(queue=QUEUE)
        def run_errand(*, context: TenantContext, **_: Any) -> None:
            errand(companies[context.tenant.id])

        @handles(EVENT)
        def note(context: TenantContext, event: OutboxEvent) -> None:
            company = companies[context.tenant.id]
            assert event.payload["mark"] == company.mark, f"{company.mark} got {event.payload}"
            errand(company)

        deliver_outbox.actor.queue_name = QUEUE
        self._errand = run_errand
        for task in (run_errand, deliver_outbox):
            task.actor.options["max_retries"] = 0
        self._request = RequestFactory()

    def request(self, company: Company, view: View) -> HttpResponseBase:
        """Answer a request on the company's host as the product does."""
        host = f"{company.mark}.portal.localhost"
        return HostMiddleware(view)(self._request.get("/", headers={"host": host}))

    @contextmanager
    def inside(self, company: Company) -> Iterator[None]:
        """Serve the company outside a request."""
        with serving(company.id, timezone.now()):
            yield

    def send(self, company: Company) -> None:
        """Have a worker read the company's rows."""
        self._errand.hint_for(company.id)

    def emit(self, company: Company) -> None:
        """Record an effect in the open transaction; a worker delivers it."""
        emit(EVENT, key=uuid4().hex, payload={"mark": company.mark}, now=timezone.now())


class Library:
    """django-tenants: the schema is set on the connection and its backend sends it before each statement."""

    def __init__(self, companies: dict[UUID, Company], errand: Errand) -> None:
        by_mark = {company.mark: company for company in companies.values()}

        @dramatiq.actor(queue_name=QUEUE, max_retries=0)
        def run_errand(mark: str) -> None:
            close_old_connections()
            try:
                with self.inside(by_mark[mark]):
                    errand(by_mark[mark])
            finally:
                close_old_connections()

        self._errand = run_errand
        self._request = RequestFactory()

    def request(self, company: Company, view: View) -> HttpResponseBase:
        """Answer a request as its middleware does: to public, to the tenant, on with it."""
        connection.set_schema_to_public()  # type: ignore[attr-defined]
        with self.inside(company):
            return view(self._request.get("/"))

    @contextmanager
    def inside(self, company: Company) -> Iterator[None]:
        """Switch to the company; the product's models want to know for whom they are made, its backend does not ask."""
        connection.set_schema(company.schema)  # type: ignore[attr-defined]
        with enter(make_tenant_scope(company.id, company.schema)):
            yield

    def send(self, company: Company) -> None:
        """Have a worker read the company's rows."""
        self._errand.send(company.mark)

    def emit(self, company: Company) -> None:
        """Record an effect in the open transaction."""
        assert current_scope().tenant_id == company.id
        now, payload = timezone.now(), {"mark": company.mark}
        OutboxEvent.objects.create(type=EVENT, key=uuid4().hex, payload=payload, next_at=now, created_at=now)
        transaction.on_commit(lambda: self.send(company), robust=True)
