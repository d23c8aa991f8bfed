"""The keys of all rows: valid, and in the order in which they were made."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import RFC_4122

import pytest

from infra.ids import uuid7


def test_a_key_is_a_uuid_of_version_7_that_carries_the_time() -> None:
    before = time.time_ns() // 1_000_000
    key = uuid7()
    assert (key.version, key.variant) == (7, RFC_4122)
    assert before <= key.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_keys_made_one_after_the_other_sort_that_way_within_a_millisecond() -> None:
    keys = [uuid7() for _ in range(20_000)]
    assert all(first < second for first, second in pairwise(keys))


def test_keys_keep_their_order_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr("infra.ids._ticks", lambda: 0)
    assert first < uuid7() < uuid7()


def test_threads_never_make_the_same_key() -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: uuid7(), range(8_000)))
    assert len(set(keys)) == len(keys)
