"""A broker whose consumers are woken when a message comes, instead of asking again and again.

Dramatiq's own consumer asks Redis, sleeps for up to a second when there was nothing, and asks again: half a second is
lost between a message and its work. Here whoever sends also rings, and whoever finishes a message lets its consumer
look for the next. A ring that is lost costs that second, no more.
"""

from __future__ import annotations

import time
from collections import defaultdict
from threading import Event, Lock, Thread
from typing import Any

import redis
from dramatiq import Consumer, Message
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer

CHANNEL = "porchlight:bell"
AGAIN_AFTER_SECONDS = 1.0


class WakingBroker(RedisBroker):
    """Redis as dramatiq uses it, with a bell beside the queues."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._bells: defaultdict[str, Event] = defaultdict(Event)
        self._listener: Thread | None = None
        self._one_at_a_time = Lock()

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send a message and ring for its queue."""
        sent: Message[Any] = super().enqueue(message, delay=delay)
        self.client.publish(CHANNEL, sent.queue_name)
        return sent

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Create a consumer that sleeps until its queue is rung for, or for the timeout (milliseconds)."""
        with self._one_at_a_time:
            if self._listener is None:
                self._listener = Thread(target=self._listen, name="bell", daemon=True)
                self._listener.start()
        return _Woken(self, queue_name, prefetch, timeout, self._bells[queue_name])

    def _listen(self) -> None:
        while True:
            try:
                with self.client.pubsub(ignore_subscribe_messages=True) as bell:
                    bell.subscribe(CHANNEL)
                    for ring in bell.listen():
                        self._bells[ring["data"].decode()].set()
            except (redis.RedisError, OSError):
                # While Redis is away there is nothing to be woken for; the consumers say so in the log.
                time.sleep(AGAIN_AFTER_SECONDS)


class _Woken(_RedisConsumer):
    """Asks, and when there is nothing waits for the bell."""

    def __init__(self, broker: WakingBroker, queue_name: str, prefetch: int, timeout: int, bell: Event) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._bell = bell

    def __next__(self) -> Any:
        # Cleared before asking: what comes in between is either found or rung for.
        self._bell.clear()
        self.misses = 0
        message = super().__next__()  # type: ignore[no-untyped-call]
        if message is None:
            self._bell.wait(self.timeout / 1000)
        return message

    def ack(self, message: Any) -> None:
        """Finish a message and look for the next, which may have come while there was no room for it."""
        super().ack(message)  # type: ignore[no-untyped-call]
        self._bell.set()

    def nack(self, message: Any) -> None:
        """Refuse a message and look for the next."""
        super().nack(message)  # type: ignore[no-untyped-call]
        self._bell.set()
