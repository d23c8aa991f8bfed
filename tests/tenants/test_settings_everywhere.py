"""A write is seen by every request that starts after it, in every process, with the broker up or down.

Three web servers of two processes each on one database; a fourth is started when the flag is off already. By default
hundreds of requests; PORCHLIGHT_SETTINGS_REQUESTS=10000 makes it platform.md, acceptance check 28, in full.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tenants.audit import Actor
from tenants.config import snapshot
from tenants.config.operators import make_change, write_operator_setting
from tenants.config.places import Place
from tenants.config.registry import DEFAULT_LEVEL, MAGIC_LINK_DAYS
from tenants.config.services import SettingsConflict
from tenants.context import serving
from tests.cast import ACME
from tests.faults.companies import inside
from tests.live import ROOT, LiveProduct, free_ports, live_product

REQUESTS = int(os.environ.get("PORCHLIGHT_SETTINGS_REQUESTS", "600"))
OSCAR = Actor("operator", None, "oscar@porchlight.example")
OF_ACME = Place("operator", str(ACME), "acme", ACME)
ON, OFF = 200, 503


@pytest.fixture(scope="module")
def product(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveProduct]:
    """The web alone, with both companies."""
    folder = tmp_path_factory.mktemp("settings")
    with django_db_blocker.unblock(), live_product(folder, name="test_settings", programs=("web",)) as product:
        yield product


@pytest.fixture(scope="module")
def ports(product: LiveProduct) -> list[int]:
    """Start two more servers beside the first and return the ports of all three, each warm."""
    found = [product.port, *(another_web(product) for _ in range(2))]
    for port in found:
        assert set(statuses(port, 24)) == {ON}
    return found


def another_web(product: LiveProduct) -> int:
    """Start one more web server on the same database and return its port."""
    (port,) = free_ports(1)
    first, usual = product.processes["web"], product.environ["PORT"]
    product.environ["PORT"] = str(port)
    product.start("web")
    product.environ["PORT"] = usual
    product.processes[f"web-{port}"] = product.processes["web"]
    product.processes["web"] = first
    product.wait_for(f"the web on {port}", lambda: answers(port), seconds=60)
    return port


def answers(port: int) -> bool:
    """Whether a server takes requests."""
    try:
        return status(port) in (ON, OFF)
    except (OSError, http.client.HTTPException):
        return False


def status(port: int) -> int:
    """Ask one server, on a connection of its own, for Acme's sign-in page: 200 open, 503 the flag is off."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        asking.request("GET", "/sign-in", headers={"Host": f"acme.portal.localhost:{port}"})
        answer = asking.getresponse()
        answer.read()
        return answer.status
    finally:
        asking.close()


def statuses(port: int, count: int) -> Counter[int]:
    """Ask so many times."""
    return Counter(status(port) for _ in range(count))


def command(product: LiveProduct, *words: str) -> Any:
    """Run the command line in a process of its own and return its rows; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", *words, "--json"],
        cwd=ROOT,
        env=product.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Run deeds in threads and return what each returned, or the exception it raised."""
    results: list[Any] = [None] * len(deeds)

    def run(number: int) -> None:
        try:
            results[number] = deeds[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return results


def test_a_flag_switched_off_is_off_in_every_process_from_the_next_request_on(
    product: LiveProduct, ports: list[int]
) -> None:
    """Acceptance 28: of all requests that start after the command returned, none sees it on; also new processes."""
    stop = threading.Event()
    before: Counter[int] = Counter()

    def keep_asking(port: int) -> None:
        while not stop.is_set():
            before[status(port)] += 1

    crowd = [threading.Thread(target=keep_asking, args=(port,)) for port in ports]
    for thread in crowd:
        thread.start()
    try:
        command(product, "flags", "kill", "portal", "--reason", "it leaks")
        fresh = another_web(product)
        each = REQUESTS // (len(ports) + 1)
        seen = sum(at_once(*(lambda port=port: statuses(port, each) for port in [*ports, fresh])), Counter())
    finally:
        stop.set()
        for thread in crowd:
            thread.join(timeout=60)
    assert seen == {OFF: each * (len(ports) + 1)}
    assert before[ON] > 0, "somebody asked while it was on"
    assert before.keys() == {ON, OFF}
    command(product, "flags", "kill", "portal", "--lift", "--reason", "it is mended")
    for port in [*ports, fresh]:
        assert set(statuses(port, 12)) == {ON}


def test_the_broker_has_no_part_in_it(product: LiveProduct, ports: list[int]) -> None:
    """Issue 3, item 3; Decided 13: with Valkey stopped, three processes see each write at their next request."""
    product.valkey.stop()
    for value, expected in (("off", OFF), ("on", ON), ("off", OFF)):
        words = ["settings", "set", "portal.enabled", value, "--tenant", "acme", "--reason", "a test", "--lock"]
        command(product, *words)
        assert [status(port) for port in ports] == [expected] * len(ports)
        for port in ports:
            assert set(statuses(port, 8)) == {expected}
    command(product, "settings", "unset", "portal.enabled", "--tenant", "acme", "--reason", "a test")
    assert [status(port) for port in ports] == [ON] * len(ports)


def test_a_reader_that_was_paused_never_brings_the_old_value_back(
    product: LiveProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acceptance 29: paused between its read and its write to the cache, while a writer commits."""
    has_read, go_on = threading.Event(), threading.Event()
    read = snapshot._read
    paused: Queue[threading.Thread] = Queue()

    def read_and_pause() -> Any:
        found = read()
        if not paused.empty() and paused.queue[0] is threading.current_thread():
            has_read.set()
            assert go_on.wait(timeout=60)
        return found

    def days() -> int:
        with serving(ACME, timezone.now()) as context:
            return context.settings.get(MAGIC_LINK_DAYS)

    def slow() -> int:
        paused.put(threading.current_thread())
        return days()

    def write() -> None:
        assert has_read.wait(timeout=60)
        try:
            change = make_change(key=MAGIC_LINK_DAYS.name, place=OF_ACME, value=3, now=timezone.now())
            write_operator_setting(change=change, reason="a race", by=OSCAR, now=timezone.now())
            assert days() == 3
        finally:
            go_on.set()

    monkeypatch.setattr(snapshot, "_read", read_and_pause)
    with inside(product):
        results = at_once(slow, write)
        assert results == [7, None], "the reader began before the write"
        assert snapshot._snapshots[ACME].get(MAGIC_LINK_DAYS) == 7, "it did write back what it had read"
        assert at_once(days, days) == [3, 3]
        assert days() == 3


def test_of_two_operators_at_the_same_moment_one_is_told_what_the_other_did(product: LiveProduct) -> None:
    """Acceptance 32, in two transactions that run at once."""
    together = threading.Barrier(2)

    def choose(level: str) -> str:
        change = make_change(key=DEFAULT_LEVEL.name, place=OF_ACME, value=level, now=timezone.now())
        together.wait(timeout=60)
        write_operator_setting(change=change, reason=level, by=OSCAR, now=timezone.now(), expected_version=0)
        return level

    with inside(product):
        results = at_once(lambda: choose("billing"), lambda: choose("non_billing"))
        won = next(each for each in results if isinstance(each, str))
        (lost,) = (each for each in results if isinstance(each, SettingsConflict))
        assert lost.change is not None
        assert (lost.change.reason, lost.change.after["value"]) == (won, won)
        with serving(ACME, timezone.now()) as context:
            assert context.settings.get(DEFAULT_LEVEL) == won
