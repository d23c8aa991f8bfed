"""Time-ordered identifiers: UUIDv7 without waiting for the standard library."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """Return a new UUIDv7: 48 bits of milliseconds, 74 random bits (datamodel.md 0)."""
    value = int.from_bytes(os.urandom(10), "big")
    millis = time.time_ns() // 1_000_000
    number = (millis & 0xFFFF_FFFF_FFFF) << 80
    number |= 0x7 << 76 | ((value >> 68) & 0xFFF) << 64
    number |= 0b10 << 62 | value & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=number)
