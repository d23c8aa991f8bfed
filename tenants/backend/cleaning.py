"""Takes everything of its last user off a connection that goes back to the pool (ISO-13, D41)."""

from __future__ import annotations

from typing import Any

import psycopg

# What DISCARD ALL does, in one round trip, but for DISCARD PLANS: the plans inside functions hold nothing of anybody,
# and making the proof's anew would cost each request more than all the rest of routing.
CLEAN = """
RESET ROLE; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *;
SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP
"""


def clean(raw: Any) -> None:
    """Clean an open psycopg connection; one that cannot be cleaned is closed, and the pool replaces it."""
    try:
        if raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raw.rollback()
        if not raw.autocommit:
            raw.autocommit = True
        raw.execute(CLEAN)
    except psycopg.Error:
        raw.close()
