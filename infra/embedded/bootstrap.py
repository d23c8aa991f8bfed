"""Creates the database and the two logins, idempotently, on the embedded or on anybody's server."""

from __future__ import annotations

from psycopg import Connection, connect, sql

from infra.embedded.errors import ServiceError
from infra.embedded.postgres import RunningPostgres
from infra.env import APP_LOGIN

DATABASE = "porchlight"
OWNER_LOGIN = "porchlight_owner"
_LOCK = 7_243_001


def bootstrap_embedded(server: RunningPostgres, *, database: str = DATABASE) -> tuple[str, str]:
    """Make the database and both logins; returns the owner's and the application's address."""
    with connect(server.url(), autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if not _has_role(conn, OWNER_LOGIN):
            conn.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(OWNER_LOGIN)))
        # Lets gate.memory() say what a session holds; only a superuser can give it.
        conn.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(OWNER_LOGIN)))
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            create = sql.SQL("CREATE DATABASE {} OWNER {}")
            conn.execute(create.format(sql.Identifier(database), sql.Identifier(OWNER_LOGIN)))
    owner_url = server.url(OWNER_LOGIN, database)
    with connect(owner_url, autocommit=True) as conn:
        bootstrap_roles(conn)
    return owner_url, server.url(APP_LOGIN, database)


def bootstrap_roles(conn: Connection, *, app: str = APP_LOGIN, app_password: str | None = None) -> None:
    """Make the application's login and close the connected database to everybody else.

    `conn` is an autocommit connection of the database's owner, who must be allowed to create roles. The login
    owns nothing and inherits nothing (security.md S2); the owner keeps its right to temporary tables.
    Raises ServiceError.
    """
    database = conn.info.dbname
    _require(conn, database)
    # Roles belong to the whole cluster: two databases prepared at once must not both create the login.
    conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        names = {"app": sql.Identifier(app), "database": sql.Identifier(database)}
        if not _has_role(conn, app):
            conn.execute(sql.SQL("CREATE ROLE {app} LOGIN NOINHERIT").format(**names))
        if app_password is not None:
            set_password = sql.SQL("ALTER ROLE {app} PASSWORD {password}")
            conn.execute(set_password.format(password=sql.Literal(app_password), **names))
        for statement in (
            "REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC",
            "REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM {app}",
            "GRANT CONNECT ON DATABASE {database} TO {app}",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        ):
            conn.execute(sql.SQL(statement).format(**names))
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _has_role(conn: Connection, name: str) -> bool:
    return conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None


def _require(conn: Connection, database: str) -> None:
    if conn.info.server_version < 180000:
        raise ServiceError(
            f"The server of DATABASE_URL is PostgreSQL {conn.info.server_version // 10000}; Porchlight needs "
            "18 or newer. Point DATABASE_URL at a newer server, or unset it to use the embedded one."
        )
    row = conn.execute(
        "SELECT current_user, r.rolsuper OR r.rolcreaterole, r.rolsuper OR pg_has_role(d.datdba, 'MEMBER')"
        " FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"
    ).fetchone()
    assert row is not None
    login, may_create_roles, owns = row
    if not may_create_roles:
        raise ServiceError(
            f"The login {login} of DATABASE_URL may not create roles. As a superuser run: "
            f"ALTER ROLE {login} CREATEROLE;"
        )
    if not owns:
        raise ServiceError(
            f"The login {login} of DATABASE_URL does not own the database {database}. As a superuser run: "
            f"ALTER DATABASE {database} OWNER TO {login};"
        )
