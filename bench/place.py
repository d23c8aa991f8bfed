"""A place to measure in: servers and folders of its own, gone afterwards; nothing of the checkout is touched."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql

from infra.embedded.bootstrap import DATABASE, OWNER_LOGIN, bootstrap_embedded
from infra.embedded.postgres import RunningPostgres, temporary_postgres
from infra.embedded.valkey import temporary_valkey

# As a server of production would be set up for a fleet: its buffers hold the catalogue, which is 7 GB for 10,000
# tenants. The checkpoints are asked for while tenants are made.
_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
_LARGE = {
    "shared_buffers": f"{_MEMORY // 4 // 2**20}MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "jit": "off",
}


@contextmanager
def temporary_place(*, durable: bool = False, settings: str = "config.settings") -> Iterator[RunningPostgres]:
    """Start empty servers, set Django up as the schemas' owner and make the control plane's tables.

    A durable server writes everything down as in production; the other one forgets when it is killed.
    """
    with ExitStack() as stack:
        server = stack.enter_context(
            temporary_postgres(fsync=durable, settings=_LARGE if durable else None, wait=False)
        )
        valkey = stack.enter_context(temporary_valkey())
        files = stack.enter_context(tempfile.TemporaryDirectory(prefix="porchlight-bench-"))
        owner, app = bootstrap_embedded(server)
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": settings,
                "SECRET_KEY": "benchmarks-only-3fJ9x2Lq8Zr5Tn1Vb7Kd4Mw6Yc0Hs-benchmarks-only",
                "DATABASE_URL": owner,
                "DATABASE_APP_URL": app,
                "DATABASE_LOGIN": "owner",
                "REDIS_URL": valkey.url(),
                "PUBLIC_SCHEME": "http",
                "DEMO": "true",
                "DEBUG": "false",
                "EMAIL_URL": "",
                "SENTRY_DSN": "",
                "LOG_LEVEL": "ERROR",
                "MEDIA_ROOT": f"{files}/media",
                "MAILBOX_DIR": f"{files}/mailbox",
            }
        )
        import django

        django.setup()
        from django.core.management import call_command

        try:
            call_command("provision_migrate", verbosity=0, stdout=sys.stderr)
            yield server
        finally:
            leave_database()
            _set_fsync(server, "off")  # nobody will want what is written now


@contextmanager
def careless(server: RunningPostgres) -> Iterator[None]:
    """Let a durable server write nothing through while something is prepared that is not measured."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        was = connection.execute("SHOW fsync").fetchone()
    _set_fsync(server, "off")
    try:
        yield
    finally:
        if was == ("on",):
            # What is still on its way to the disk would be waited for by the first who writes something through.
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("CHECKPOINT")
            os.sync()
            _set_fsync(server, "on")


def _set_fsync(server: RunningPostgres, value: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET fsync = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")


def leave_database() -> None:
    """Close this process's connections, those that wait in the pool too."""
    from django.db import connection

    connection.close()
    close_pool: Callable[[], None] = getattr(connection, "close_pool")  # noqa: B009  (only PostgreSQL's has one)
    close_pool()


def copy_database(server: RunningPostgres, name: str) -> str:
    """Copy the schemas as they stand into another database, with an empty `public`; returns its address."""
    leave_database()
    owner = sql.Identifier(OWNER_LOGIN)
    with careless(server), psycopg.connect(server.url(), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(copy.format(sql.Identifier(name), owner, sql.Identifier(DATABASE)))
    with psycopg.connect(server.url(dbname=name), autocommit=True) as connection:
        connection.execute("DROP SCHEMA gate, public CASCADE")
        connection.execute(sql.SQL("CREATE SCHEMA public AUTHORIZATION {}").format(owner))
    return server.url(OWNER_LOGIN, name)


def drop_database(server: RunningPostgres, name: str) -> None:
    """Remove a copy, whoever is still connected to it."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def server_version(server: RunningPostgres) -> int:
    """Return the server's version as libpq writes it, 180003 for 18.3."""
    with psycopg.connect(server.url()) as connection:
        return connection.info.server_version
