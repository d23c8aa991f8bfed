"""The broker: messages are hints that work is waiting; the work itself stands in PostgreSQL (Decided 13)."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from datetime import datetime, timedelta
from typing import Any

import dramatiq
import redis
from dramatiq.middleware import AgeLimit, Retries, ShutdownNotifications, TimeLimit

from infra.bell import WakingBroker
from infra.env import load_env
from infra.ids import uuid7

log = logging.getLogger("porchlight.queue")
VERSION = 1
# A worker that has been silent for so long is dead: its messages go to another (R-TASK-4).
DEAD_AFTER = timedelta(seconds=15)


class RejectedEnvelope(Exception):
    """A message that we did not write, or that is too old; it goes to the dead letters (ISO-20, F-45)."""


def make_broker() -> WakingBroker:
    """Connect the process to the broker; crashed workers' messages are looked for often (R-TASK-4)."""
    broker = WakingBroker(
        url=load_env().redis_url,
        middleware=[
            AgeLimit(),
            TimeLimit(),
            ShutdownNotifications(),
            Retries(max_retries=5, min_backoff=1_000, max_backoff=60_000),
        ],
        maintenance_chance=200_000,
        heartbeat_timeout=int(DEAD_AFTER.total_seconds() * 1_000),
    )
    dramatiq.set_broker(broker)
    return broker


def seal(
    kind: str, tenant_id: str, payload: dict[str, Any], *, now: datetime, causation_id: str = ""
) -> dict[str, Any]:
    """Wrap ids into a signed envelope; `tenant_id` is a UUID or "control"."""
    envelope: dict[str, Any] = {
        "v": VERSION,
        "id": str(uuid7()),
        "kind": kind,
        "tenant_id": tenant_id,
        "causation_id": causation_id,
        "created_at": now.isoformat(),
        "payload": payload,
    }
    envelope["mac"] = _mac(envelope)
    return envelope


def open_envelope(envelope: Any, kind: str) -> tuple[str, dict[str, Any]]:
    """Return (tenant id or "control", payload) of an envelope of ours; raises RejectedEnvelope."""
    if not isinstance(envelope, dict) or envelope.get("v") != VERSION or envelope.get("kind") != kind:
        raise RejectedEnvelope("not an envelope of this version and kind")
    unsigned = {key: value for key, value in envelope.items() if key != "mac"}
    if not hmac.compare_digest(str(envelope.get("mac", "")), _mac(unsigned)):
        raise RejectedEnvelope("the signature is not ours")
    return str(envelope["tenant_id"]), dict(envelope["payload"])


def _mac(envelope: dict[str, Any]) -> str:
    key = hashlib.sha256(b"task envelope:" + load_env().secret_key.encode()).digest()
    text = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def hint(actor: Any, envelope: dict[str, Any], *, delay_ms: int | None = None) -> bool:
    """Send a message; False when the broker is away, which the sweepers make up for (R-TASK-1)."""
    try:
        actor.send_with_options(kwargs={"envelope": envelope}, delay=delay_ms)
    except (redis.RedisError, OSError, dramatiq.errors.ConnectionError) as error:
        log.warning("broker away; the sweeper will find it", extra={"actor": actor.actor_name, "error": str(error)})
        return False
    return True
