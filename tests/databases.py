"""Test databases: one template with the fixed cast, built once per run, cloned in a blink (dependencies.md 4.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

TEMPLATE = "porchlight_template"


def admin() -> psycopg.Connection[Any]:
    """Connect as superuser to the maintenance database."""
    host = connection_host()
    return psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True)


def connection_host() -> str:
    """Return the server's socket folder."""
    return str(settings.DATABASES["default"]["HOST"])


def use(name: str, *, owner: bool = False) -> None:
    """Point Django's one connection at a database and a login."""
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name
    login = urlsplit(settings.ENV.database_url if owner else settings.ENV.database_app_url).username
    connection.settings_dict["USER"] = login
    settings.DATABASES["default"]["USER"] = login


def build_template() -> None:
    """Create the template with the cast unless another worker has."""
    with admin() as adm:
        adm.execute("SELECT pg_advisory_lock(7243)")
        try:
            if adm.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
                return
            draft = f"{TEMPLATE}_draft"
            owner = urlsplit(settings.ENV.database_url).username
            adm.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(draft)))
            adm.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(draft), sql.Identifier(str(owner)))
            )
            use(draft, owner=True)
            _fill()
            connection.close()
            adm.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(TEMPLATE))
            )
        finally:
            adm.execute("SELECT pg_advisory_unlock(7243)")


def _fill() -> None:
    from django.core.management import call_command

    from tests.cast import make_cast

    _close_to_strangers(connection.settings_dict["NAME"])
    call_command("provision_migrate", verbosity=0)
    make_cast()


def _close_to_strangers(name: str) -> None:
    """Settle what the logins may do in a database; a clone does not inherit that."""
    from infra.embedded.bootstrap import bootstrap_roles

    owner = urlsplit(settings.ENV.database_url).username
    with psycopg.connect(host=connection_host(), user=owner, dbname=name, autocommit=True) as conn:
        bootstrap_roles(conn)


def clone(name: str) -> None:
    """Make (again) a database that equals the template."""
    build_template()
    with admin() as adm:
        adm.execute("SELECT pg_advisory_lock(7243)")
        adm.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        adm.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
        owner = sql.Identifier(str(urlsplit(settings.ENV.database_url).username))
        adm.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), owner))
        _close_to_strangers(name)
        adm.execute("SELECT pg_advisory_unlock(7243)")
