"""A message is worked on when it comes, not when somebody happens to ask (infra/bell.py)."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from redis import Redis

from infra.bell import WakingBroker
from infra.embedded.valkey import RunningValkey, temporary_valkey

LONG_MS = 600_000


@pytest.fixture
def valkey() -> Iterator[RunningValkey]:
    with temporary_valkey() as server:
        yield server


@pytest.fixture
def heard(valkey: RunningValkey) -> Iterator[tuple[WakingBroker, Queue[Any], Any]]:
    """A consumer that by itself would ask again only after ten minutes, and what it hears."""
    broker = WakingBroker(url=valkey.url())
    broker.declare_queue("control")
    consumer = broker.consume("control", prefetch=1, timeout=LONG_MS)
    found: Queue[Any] = Queue()
    over = Event()

    def listen() -> None:
        for message in consumer:
            if over.is_set():
                return
            if message is not None:
                found.put(message)

    listener = Thread(target=listen, daemon=True)
    listener.start()
    # The first ring may come before the listener hears; it is repeated until it does.
    yield broker, found, consumer
    over.set()
    while listener.is_alive():  # before its server ends
        broker.client.publish("porchlight:bell", "control")
        listener.join(timeout=0.2)


def _message(number: int) -> Message[Any]:
    return dramatiq.Message(queue_name="control", actor_name="x", args=(number,), kwargs={}, options={})


def _next(broker: WakingBroker, found: Queue[Any]) -> Any:
    """Return the next message; rings again for a listener that was not there yet."""
    for _ in range(100):
        try:
            return found.get(timeout=0.2)
        except Empty:
            broker.client.publish("porchlight:bell", "control")
    raise AssertionError("nobody was woken")


def test_whoever_sends_wakes_the_consumer(heard: Any) -> None:
    broker, found, consumer = heard
    broker.enqueue(_message(0))
    consumer.ack(_next(broker, found))
    for number in range(1, 4):
        broker.enqueue(_message(number))
        message = found.get(timeout=30)
        assert message.args == (number,)
        consumer.ack(message)


def test_whoever_finishes_a_message_gets_the_one_that_had_no_room(heard: Any) -> None:
    """One message at a time: the second came unheard while the first was at work."""
    broker, found, consumer = heard
    broker.enqueue(_message(0))
    first = _next(broker, found)
    for number in (1, 2, 3):
        broker.enqueue(_message(number))
    consumer.ack(first)
    for number in (1, 2, 3):
        message = found.get(timeout=30)
        assert message.args == (number,)
        consumer.nack(message)


def test_the_bell_is_heard_again_after_redis_dropped_its_listeners(heard: Any, valkey: RunningValkey) -> None:
    broker, found, consumer = heard
    broker.enqueue(_message(0))
    consumer.ack(_next(broker, found))
    with Redis.from_url(valkey.url()) as redis:
        redis.client_kill_filter(_type="pubsub")
    broker.enqueue(_message(1))
    assert _next(broker, found).args == (1,)
