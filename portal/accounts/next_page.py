"""Where to go after signing in: a path on this very host, or the first page (WEB-06)."""

from __future__ import annotations

import re

from django.utils.http import url_has_allowed_host_and_scheme

FIRST_PAGE = "/"
MAX_LENGTH = 300

# One slash, then no second slash or backslash: browsers read both as "another host follows".
_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*\Z")


def safe_next(text: str) -> str:
    """Return the path when it stays on this host, else the first page."""
    fits = len(text) <= MAX_LENGTH and _PATH.match(text) is not None
    return text if fits and url_has_allowed_host_and_scheme(text, allowed_hosts=None) else FIRST_PAGE
