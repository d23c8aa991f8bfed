"""The server and the way to it: answers, keeps sessions, is new enough, loses nothing, has the same time."""

from __future__ import annotations

import time

import psycopg
from django.conf import settings

from console.doctor.base import REACHABLE, Examination, Finding, check, failed, ok, warning
from tenants.backend.recycling import FROM, MEGABYTES, held_by
from tenants.backend.sessions import probe_sessions

OLDEST_SERVER = 180_000
MOST_SKEW = 5.0
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@check(REACHABLE, "database answers", proves="both logins can connect")
def reachable(examination: Examination) -> Finding:
    """Connect with both logins."""
    for name, connect in (("DATABASE_APP_URL", examination.as_app), ("DATABASE_URL", examination.as_owner)):
        try:
            with connect() as conn:
                conn.execute("SELECT 1")
        except psycopg.OperationalError as error:
            why = " ".join(str(error).split())
            return failed(f"The database of {name} does not answer ({why}). Start it, or correct {name}.")
    return ok("Both logins can connect.")


@check("database.sessions", "sessions are kept", proves="no pooler hands a connection's path and role to others")
def sessions(examination: Examination) -> Finding:
    """Let two connections take turns and see whether each stays what it was (Decided 6, ISO-15)."""
    report = probe_sessions(examination.as_app)
    return ok(report.sentence()) if report.kept else failed(report.sentence())


@check("database.limits", "connections have limits", proves="the limits of settings.py reach the server (OPS-04)")
def limits(examination: Examination) -> Finding:
    """Ask the server which limits the application's connections have."""
    with examination.as_app() as conn:
        found = {name: conn.execute("SELECT current_setting(%s)", [name]).fetchall()[0][0] for name in LIMITS}
    missing = [name for name, value in found.items() if value == "0"]
    if missing:
        return failed(
            f"The application's connections have no {' and no '.join(missing)}. Something on the way drops start-up"
            f" options; set the limits for the login instead: ALTER ROLE … SET {missing[0]} = '20s'."
        )
    lifetime = settings.DATABASES["default"]["OPTIONS"].get("pool", {}).get("max_lifetime", 0)
    if lifetime > 600:
        return failed(f"Connections live up to {lifetime} s. Set the pool's max_lifetime to 600 or less (OPS-22).")
    return ok(", ".join(f"{name} {value}" for name, value in found.items()) + ".")


@check("database.memory", "connections are measured", proves="the server says what a connection holds")
def memory(examination: Examination) -> Finding:
    """Ask as the connections do that are to be recycled by what they hold."""
    limits = settings.DATABASES["default"]
    with examination.as_app() as conn:
        held = held_by(conn)
    if held is not None:
        return ok(f"A connection ends above {limits[MEGABYTES]} MB.")
    with examination.as_owner() as conn:
        owner = conn.info.user
    return warning(
        f"The server does not say what a connection holds, so each ends after {limits[FROM]} companies, even where"
        f" they are small. As a superuser run: GRANT pg_read_all_stats TO {owner};"
    )


@check("database.version", "server is new enough", proves="PostgreSQL is 18 or newer")
def version(examination: Examination) -> Finding:
    """Read the server's version."""
    with examination.as_app() as conn:
        number, text = conn.info.server_version, conn.execute("SHOW server_version").fetchall()[0][0]
    if number < OLDEST_SERVER:
        return failed(f"The server is PostgreSQL {text}; Porchlight needs 18 or newer. Upgrade it.")
    return ok(f"PostgreSQL {text}.")


@check("database.durability", "commits survive a crash", proves="the server writes before it says it has written")
def durability(examination: Examination) -> Finding:
    """Read the settings that trade safety for speed."""
    with examination.as_app() as conn:
        rows = conn.execute(
            "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
            " AND setting = 'off' ORDER BY name"
        ).fetchall()
    off = [name for (name,) in rows]
    if off and not examination.env.demo:
        return failed(
            f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} off: a crash of the server loses payments that"
            " were confirmed. Switch on and restart the server."
        )
    if off:
        return warning(f"{' and '.join(off)} off; that is for demonstrations and tests only.")
    return ok("Nothing is traded for speed.")


@check("database.clock", "clocks agree", proves="this machine and the database have the same time (OPS-10)")
def clock(examination: Examination) -> Finding:
    """Compare this machine's clock with the server's, the way there taken out."""
    with examination.as_app() as conn:
        before = time.time()
        theirs = float(conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchall()[0][0])
        after = time.time()
    skew = abs(theirs - (before + after) / 2)
    if skew > MOST_SKEW:
        return failed(
            f"This machine's clock and the database's are {skew:.0f} s apart. Set both by NTP: links and leases"
            " expire by them."
        )
    return ok(f"They differ by less than {max(skew, 0.1):.1f} s.")
