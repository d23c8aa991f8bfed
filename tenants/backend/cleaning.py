"""Takes everything of its last user off a connection that comes from the pool (ISO-13, D41)."""

from __future__ import annotations

from typing import Any

import psycopg

# What DISCARD ALL does, in one message, but for DISCARD PLANS: the plans inside functions hold nothing of anybody,
# and making the proof's anew would cost each request more than all the rest of routing.
_STATEMENTS = (
    "RESET ROLE",
    "CLOSE ALL",
    "SET SESSION AUTHORIZATION DEFAULT",
    "RESET ALL",
    "DEALLOCATE ALL",
    "UNLISTEN *",
    "SELECT pg_advisory_unlock_all()",
    "DISCARD SEQUENCES",
    "DISCARD TEMP",
)
CLEAN = "; ".join(_STATEMENTS)
CLEAN_ANSWERS = len(_STATEMENTS)


def settle(raw: Any, *, unlock: bool) -> None:
    """End what is under way on an open psycopg connection; one where that fails is closed, and the pool replaces it.

    It goes back with what its user left in the session, but for locks, which others may wait for. Whoever gets it
    next cleans it before anything else runs.
    """
    try:
        if raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raw.rollback()
        if not raw.autocommit:
            raw.autocommit = True
        if unlock:
            raw.execute(CLEAN)
    except psycopg.Error:
        raw.close()


def clean(raw: Any) -> None:
    """Clean an open psycopg connection in a message of its own; raises psycopg.Error.

    Not in a transaction: its rollback would bring back what was there before.
    """
    began = raw.autocommit
    raw.autocommit = True
    raw.execute(CLEAN)
    raw.autocommit = began
