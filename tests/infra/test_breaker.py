"""When nobody is asked any more, and who asks first again."""

from __future__ import annotations

from infra.breaker import Breaker


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tripped(clock: Hands) -> Breaker:
    """Return a breaker that has just had five failures in a row."""
    breaker = Breaker("test", clock=clock)
    for _ in range(5):
        assert breaker.may_call()
        breaker.note_failure()
    return breaker


def test_five_failures_in_a_row_open_it_and_four_do_not() -> None:
    """F23."""
    clock = Hands()
    breaker = Breaker("test", clock=clock)
    for _ in range(4):
        breaker.note_failure()
    assert not breaker.is_open
    breaker.note_success()
    for _ in range(4):
        breaker.note_failure()
    assert breaker.may_call()
    breaker.note_failure()
    assert breaker.is_open
    assert not breaker.may_call()


def test_after_its_rest_one_caller_tries_for_all() -> None:
    clock = Hands()
    breaker = tripped(clock)
    clock.now = 9.9
    assert not breaker.may_call()
    clock.now = 10
    assert not breaker.is_open
    assert [breaker.may_call() for _ in range(3)] == [True, False, False]
    breaker.note_success()
    assert [breaker.may_call() for _ in range(3)] == [True, True, True]


def test_its_rests_grow_to_a_minute_while_tries_fail() -> None:
    clock = Hands()
    breaker = tripped(clock)
    rests = []
    for _ in range(5):
        began = clock.now
        while not breaker.may_call():
            clock.now += 1
        rests.append(clock.now - began)
        breaker.note_failure()
    assert rests == [10, 20, 40, 60, 60]


def test_a_try_that_never_comes_back_does_not_keep_it_open_for_ever() -> None:
    clock = Hands()
    breaker = tripped(clock)
    clock.now = 10
    assert breaker.may_call()
    clock.now = 20
    assert breaker.may_call()


def test_asking_whether_it_is_open_uses_up_no_try() -> None:
    clock = Hands()
    breaker = tripped(clock)
    clock.now = 10
    assert not breaker.is_open
    assert breaker.may_call()
    assert breaker.is_open
