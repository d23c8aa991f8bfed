"""Joins statements into one message to the server where each alone would cost a round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import PipelineStatus, TransactionStatus

BEGIN = "BEGIN; "


def begins_with(raw: Any, cursor: Any) -> bool:
    """Whether what this cursor sends next opens the connection's transaction and may carry its BEGIN.

    Only a cursor that writes its parameters into the text can send two statements; a transaction that is more than
    a plain one is left to psycopg.
    """
    return (
        not raw.autocommit
        and raw.pgconn.transaction_status == TransactionStatus.IDLE
        and isinstance(cursor, psycopg.ClientCursor)
        and raw.isolation_level is None
        and raw.read_only is None
        and raw.deferrable is None
        and raw.pgconn.pipeline_status == PipelineStatus.OFF
    )


@contextmanager
def begin_by_hand(raw: Any) -> Iterator[None]:
    """Keep psycopg from sending its own BEGIN ahead of the statement in the block, which carries one.

    Should psycopg come to keep its state elsewhere, it sends a BEGIN of its own again, and ours is answered with
    a warning.
    """
    raw._autocommit = True
    try:
        yield
    finally:
        raw._autocommit = False


def execute_with_begin(raw: Any, execute: Callable[..., Any], sql: str, params: Any, context: Any) -> Any:
    """Execute the first statement of a transaction in one message with its BEGIN; returns what `execute` does."""
    with begin_by_hand(raw):
        answer = execute(BEGIN + sql, params, False, context)
    context["cursor"].cursor.nextset()
    return answer
