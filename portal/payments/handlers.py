"""Effects of payments outside the database: the receipt (once per payment)."""

from __future__ import annotations
