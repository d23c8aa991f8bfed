"""The exception whose text is shown to a person as it is."""

from __future__ import annotations


class ServiceError(Exception):
    """Something cannot start or stopped; the text says what is wrong and what to do."""
