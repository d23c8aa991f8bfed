"""A place to measure in: servers and folders of its own, gone afterwards; nothing of the checkout is touched."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.embedded.bootstrap import OWNER_LOGIN, bootstrap_embedded
from infra.embedded.postgres import RunningPostgres, temporary_postgres
from infra.embedded.valkey import temporary_valkey


@contextmanager
def temporary_place() -> Iterator[RunningPostgres]:
    """Start empty servers, set Django up as the schemas' owner and make the control plane's tables."""
    with ExitStack() as stack:
        server = stack.enter_context(temporary_postgres())
        valkey = stack.enter_context(temporary_valkey())
        files = stack.enter_context(tempfile.TemporaryDirectory(prefix="porchlight-bench-"))
        owner, app = bootstrap_embedded(server)
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": "config.settings",
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
        from django.db import connections

        try:
            call_command("provision_migrate", verbosity=0, stdout=sys.stderr)
            yield server
        finally:
            connections.close_all()


def make_database(server: RunningPostgres, name: str) -> str:
    """Make an empty database of the same owner; returns its address."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER_LOGIN))
        )
    return server.url(OWNER_LOGIN, name)


def server_version(server: RunningPostgres) -> int:
    """Return the server's version as libpq writes it, 180003 for 18.3."""
    import psycopg

    with psycopg.connect(server.url()) as connection:
        return connection.info.server_version
