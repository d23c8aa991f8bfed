"""The moments between the steps of a process: there it can die, and there others can overtake it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from django.db import connections

from infra.stripe_client import GuardedClient

Kind = Literal["statement", "commit", "before_call", "after_call"]


class Died(BaseException):
    """The process is gone: nothing after this point happens, whatever would catch an Exception."""


@dataclass
class Moment:
    """One moment of a process, the `left`-th of its kind, and what happens there."""

    kind: Kind
    left: int
    happens: Callable[[], None]


def die() -> None:
    """End the process here."""
    raise Died


class Boundaries:
    """Watches statements, commits and requests of this thread, and lets one thing happen at one of them.

    A statement is met before it runs, so that whoever dies there loses the open transaction; a commit after it was
    made; a request to Stripe before it is sent, each try of the SDK anew, and after the answer has come. No
    transaction is open around a request: what happens there finds the database as any other process would.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._moment: Moment | None = None
        self.happened = 0
        self._connection: Any = connections["default"]
        send, commit = GuardedClient.request, self._connection.commit

        def watched_send(client: GuardedClient, *args: Any, **kwargs: Any) -> Any:
            self._reach("before_call")
            answer = send(client, *args, **kwargs)
            self._reach("after_call")
            return answer

        def watched_commit() -> None:
            commit()
            self._reach("commit")

        monkeypatch.setattr(GuardedClient, "request", watched_send)
        self._connection.commit = watched_commit
        # Whoever asks Stripe gives its connection back to the pool. There is none in tests, and a new session for
        # each request would take most of the time: here it is kept, and as little is known of it as in the product.
        self._connection.close = self._connection._forget
        self._connection.execute_wrappers.append(self._before_statement)

    def close(self) -> None:
        """Watch no more."""
        del self._connection.commit, self._connection.close
        self._connection.execute_wrappers.remove(self._before_statement)

    def _before_statement(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self._reach("statement")
        return execute(sql, params, many, context)

    def _reach(self, kind: Kind) -> None:
        moment = self._moment
        if moment is None or moment.kind != kind:
            return
        if moment.left:
            moment.left -= 1
            return
        self._moment = None
        self.happened += 1
        moment.happens()

    @contextmanager
    def watching(self, moment: Moment | None) -> Iterator[None]:
        """Let the moment happen in the block, if it comes, and end the process that dies there."""
        self._moment = moment
        try:
            yield
        except Died:
            return
        finally:
            self._moment = None
