"""What must be true before a process serves anybody: its connections are sessions of their own (ISO-15), and ready."""

from __future__ import annotations

import logging
from itertools import product
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.urls import get_resolver
from django.utils import translation
from psycopg_pool import PoolTimeout

from tenants.backend.sessions import SessionsNotKept, require_kept_sessions

log = logging.getLogger("porchlight.start")

ADDRESSES = ("apex", "console", "usercontent", "tenant", "office", "closed")
LONGEST_WARM_UP = 10.0

# None until it is known: then what every later connection hears.
_verdict: SessionsNotKept | bool | None = None


def refuse_shared_sessions() -> None:
    """End the process if a pooler hands its sessions around; some 10 ms, once.

    A database that is away is no reason to stay away too: then the first connection is examined.
    """
    try:
        _examine()
    except psycopg.OperationalError as error:
        log.warning("the database is away; its first connection will be examined", extra={"error": str(error)})
    except SessionsNotKept as error:
        log.critical("this process does not start", extra={"why": str(error)})
        raise SystemExit(f"Porchlight does not start: {error}") from error


def warm_up() -> None:
    """Read the address tables and open the connections to keep; else the first visitors at once wait for both.

    A connection takes 30 ms of the processor: eight opened in one moment are a quarter of a second for everybody who
    came in it. Where the database is away, whoever comes first opens them.
    """
    for language, addresses in product(dict(settings.LANGUAGES), ADDRESSES):
        with translation.override(language):
            get_resolver(f"config.urls_{addresses}").reverse_dict  # noqa: B018  reading it is what fills it
    wrapper: Any = connection
    pool = wrapper.pool
    if _verdict is not None and pool is not None:
        pool.open()
        try:
            pool.wait(LONGEST_WARM_UP)
        except PoolTimeout as error:
            log.warning("not all connections could be opened yet", extra={"error": str(error)})


def examine_first_connection(sender: Any, connection: Any, **_: Any) -> None:
    """Refuse every connection of a process whose sessions are not kept."""
    try:
        _examine()
    except SessionsNotKept:
        connection.close()
        raise


def watch_connections() -> None:
    """Have the first connection of this process examined, whoever opens it."""
    connection_created.connect(examine_first_connection, dispatch_uid="porchlight-sessions")


def _examine() -> None:
    global _verdict
    if _verdict is None:
        try:
            require_kept_sessions(_connect)
            _verdict = True
        except SessionsNotKept as error:
            _verdict = error
    if isinstance(_verdict, SessionsNotKept):
        raise _verdict


def _connect() -> psycopg.Connection[Any]:
    """Connect past our own pool, by the way that Django's connections take."""
    given = connection.settings_dict
    options = {key: value for key, value in given["OPTIONS"].items() if key not in ("pool", "server_side_binding")}
    return psycopg.connect(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        dbname=given["NAME"],
        user=given["USER"] or None,
        password=given["PASSWORD"] or None,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=10,
        **options,
    )
