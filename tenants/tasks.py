"""Background work that knows whom it serves: signed envelope in, proven scope around, clean connection after (S12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import update_wrapper
from typing import Any
from uuid import UUID

import dramatiq
from django.db import connection, transaction
from django.utils import timezone

from infra.queue import RejectedEnvelope, hint, make_broker, open_envelope, seal
from tenants.context import TenantContext, UnknownTenant, serving
from tenants.scope import control_scope

make_broker()

# Whom a block is going to ask, and as which company, if it collects its hints.
_collected: ContextVar[dict[tuple[TenantTask, UUID], None] | None] = ContextVar("hints", default=None)


@contextmanager
def hints_once() -> Iterator[None]:
    """Send each hint without ids that the block asks for after a commit once, when the block ends.

    For work in batches: what one message would do for all is not asked for again and again.
    """
    collected: dict[tuple[TenantTask, UUID], None] = {}
    token = _collected.set(collected)
    try:
        yield
    finally:
        _collected.reset(token)
        for task, tenant_id in collected:
            task.hint_for(tenant_id)


class TenantTask:
    """A task that runs as one tenant; call `hint_for` to ask for it, or the task itself to run it now."""

    def __init__(self, body: Callable[..., None], queue: str, time_limit_ms: int) -> None:
        update_wrapper(self, body)
        self.body = body
        self.kind = f"{body.__module__}.{body.__qualname__}"
        declare = dramatiq.actor(
            actor_name=self.kind, queue_name=queue, time_limit=time_limit_ms, throws=RejectedEnvelope
        )
        self.actor = declare(self._work)

    def _work(self, *, envelope: Any, **_: Any) -> None:
        tenant_id, payload = open_envelope(envelope, self.kind)
        try:
            with serving(UUID(tenant_id), timezone.now()) as context:
                self.body(context=context, **payload)
        except UnknownTenant as error:
            raise RejectedEnvelope("there is no such tenant any more") from error
        finally:
            connection.close()

    def __call__(self, *, context: TenantContext, **payload: Any) -> None:
        """Run the body here and now, in the scope that is open."""
        self.body(context=context, **payload)

    def hint_for(self, tenant_id: UUID, *, delay_ms: int | None = None, **payload: Any) -> bool:
        """Ask for this task; False when the broker is away."""
        envelope = seal(self.kind, str(tenant_id), payload, now=timezone.now())
        return hint(self.actor, envelope, delay_ms=delay_ms)

    def hint_after_commit(self, tenant_id: UUID, **payload: Any) -> None:
        """Ask for this task once the open transaction has committed (ISO-22, ISO-23)."""
        transaction.on_commit(lambda: self._hint_or_collect(tenant_id, payload), robust=True)

    def _hint_or_collect(self, tenant_id: UUID, payload: dict[str, Any]) -> None:
        collected = _collected.get()
        if collected is None or payload:
            self.hint_for(tenant_id, **payload)
        else:
            collected[self, tenant_id] = None


class ControlTask:
    """A task of the control plane; it reaches no tenant schema unless it opens a tenant's scope itself."""

    def __init__(self, body: Callable[..., None], queue: str, time_limit_ms: int) -> None:
        update_wrapper(self, body)
        self.body = body
        self.kind = f"{body.__module__}.{body.__qualname__}"
        declare = dramatiq.actor(
            actor_name=self.kind, queue_name=queue, time_limit=time_limit_ms, throws=RejectedEnvelope
        )
        self.actor = declare(self._work)

    def _work(self, *, envelope: Any, **_: Any) -> None:
        owner, payload = open_envelope(envelope, self.kind)
        if owner != "control":
            raise RejectedEnvelope("a control task does not serve a tenant")
        try:
            with control_scope():
                self.body(**payload)
        finally:
            connection.close()

    def __call__(self, **payload: Any) -> None:
        """Run the body here and now."""
        self.body(**payload)

    def hint(self, *, delay_ms: int | None = None, **payload: Any) -> bool:
        """Ask for this task; False when the broker is away."""
        return hint(self.actor, seal(self.kind, "control", payload, now=timezone.now()), delay_ms=delay_ms)

    def hint_after_commit(self, **payload: Any) -> None:
        """Ask for this task once the open transaction has committed."""
        transaction.on_commit(lambda: self.hint(**payload), robust=True)


def tenant_task(*, queue: str = "default", time_limit_ms: int = 120_000) -> Callable[[Callable[..., None]], TenantTask]:
    """Declare a task that runs as a tenant: `body(*, context, **ids)`."""
    return lambda body: TenantTask(body, queue, time_limit_ms)


def control_task(
    *, queue: str = "default", time_limit_ms: int = 120_000
) -> Callable[[Callable[..., None]], ControlTask]:
    """Declare a task of the control plane: `body(**ids)`."""
    return lambda body: ControlTask(body, queue, time_limit_ms)
