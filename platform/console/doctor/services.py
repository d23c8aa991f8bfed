"""Everything beside the database: the broker, mail, Stripe, certificates, room for files."""

from __future__ import annotations

import shutil
import smtplib
import socket
import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import redis
import stripe
from django.conf import settings

from console.doctor.base import Examination, Finding, check, failed, not_applicable, ok, warning
from infra.mail import SmtpBackend
from infra.stripe_client import WrongStripeSetup, is_live, platform_stripe

SOON_DAYS, LAST_DAYS = 21, 7
LEAST_FREE_BYTES = 1_000_000_000
LEAST_FREE_SHARE = 0.05
FULL_SHARE = 0.8


@check(
    "services.broker", "broker answers", proves="Redis or Valkey is there and throws nothing away", needs_database=False
)
def broker(examination: Examination) -> Finding:
    """Ping the broker and read what it does when its memory is full (scale.md rule 12)."""
    try:
        with redis.Redis.from_url(examination.env.redis_url, socket_timeout=5, socket_connect_timeout=5) as client:
            client.ping()
            memory = client.info("memory")
    except redis.RedisError as error:
        return failed(
            f"The broker of REDIS_URL does not answer ({error}). Start it; until then the clock does its work, late."
        )
    policy = memory["maxmemory_policy"]
    if policy != "noeviction":
        return failed(f"The broker's maxmemory-policy is {policy}: it may drop tasks. Set it to noeviction.")
    limit, used = memory["maxmemory"], memory["used_memory"]
    if limit and used > FULL_SHARE * limit:
        return failed(f"The broker has used {used / limit:.0%} of its memory. Give it more, or find what fills it.")
    return ok(f"It answers, keeps everything ({policy}) and uses {used / 1_000_000:.0f} MB.")


@check(
    "services.mail",
    "mail can leave",
    proves="the mail server takes our login, or the mailbox can be written",
    needs_database=False,
)
def mail(examination: Examination) -> Finding:
    """Greet the mail server without sending, or write into the mailbox folder."""
    if not examination.env.email_url:
        return _mailbox(examination)
    backend = SmtpBackend()
    try:
        backend.open()
        assert backend.connection is not None, "open() raises when it cannot connect"
        code, said = backend.connection.noop()
    except (OSError, smtplib.SMTPException) as error:
        return failed(f"The mail server of EMAIL_URL does not take us ({error}). Correct EMAIL_URL or start it.")
    finally:
        backend.close()
    if code != 250:
        return failed(f"The mail server answers {code} {said!r} to NOOP. Look at its log.")
    return ok("The mail server takes our login.")


def _mailbox(examination: Examination) -> Finding:
    folder = examination.env.mailbox_dir
    problem = _unwritable(folder)
    if problem:
        return failed(f"The mailbox folder {folder} cannot be written ({problem}). Correct MAILBOX_DIR or its rights.")
    if not examination.env.demo:
        return warning(f"EMAIL_URL is empty: mail stays in {folder} and reaches nobody.")
    return ok(f"Mail is kept in {folder}.")


def _unwritable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"porchlight")
    except OSError as error:
        return str(error.strerror)
    return ""


@check(
    "services.stripe",
    "Stripe answers",
    proves="our key is taken, and money moves only where it should",
    needs_database=False,
)
def payments(examination: Examination) -> Finding:
    """Read one event with the platform's key."""
    env = examination.env
    if not env.stripe_secret_key:
        return (warning if env.demo else failed)("STRIPE_SECRET_KEY is not set: nobody can pay by card. Set it.")
    mode = "live" if is_live(env) else "test"
    where = f"the stand-in at {env.stripe_api_base}" if env.stripe_api_base else "Stripe"
    if env.demo and mode == "live":
        return failed("DEMO is on with a live key: demonstrations would charge real cards. Use a test key.")
    try:
        platform_stripe().v1.events.list({"limit": 1})
    except WrongStripeSetup as error:
        return failed(f"{error} Correct it in the environment.")
    except stripe.AuthenticationError:
        return failed(f"{where} refuses our {mode} key. Set STRIPE_SECRET_KEY anew.")
    except stripe.StripeError as error:
        return failed(f"{where} does not answer ({error.user_message or error}). Payments wait until it does.")
    if not env.demo and mode == "test":
        return warning(f"{where} answers, with a test key: no real money moves.")
    return ok(f"{where} answers, with a {mode} key.")


@check(
    "services.certificate",
    "certificates are valid",
    proves="the edge shows valid certificates for every kind of host",
    needs_database=False,
)
def certificate(examination: Examination) -> Finding:
    """Shake hands as a browser would, for a company's host, the apex, the console and the files' host."""
    env = examination.env
    if env.public_scheme != "https":
        return not_applicable("PUBLIC_SCHEME is http.")
    port = env.public_port or 443
    left: dict[str, int] = {}
    for name, at in (
        (env.base_domain, env.base_domain),
        (f"doctor.{env.base_domain}", env.base_domain),
        (env.console_host, env.console_host),
        (env.usercontent_host, env.usercontent_host),
    ):
        try:
            left[name] = (_valid_until(at, port, name) - examination.now).days
        except ssl.SSLCertVerificationError as error:
            return failed(
                f"The certificate for {name} is refused ({error.verify_message}). Renew it; it must fit the name."
            )
        except OSError as error:
            return failed(f"No TLS connection to {at}:{port} for {name} ({error}). Start the edge, or correct its DNS.")
    name, days = min(left.items(), key=lambda item: item[1])
    if days <= LAST_DAYS:
        return failed(f"The certificate for {name} ends in {days} days. Renew it now; see the edge's log.")
    if days <= SOON_DAYS:
        return warning(f"The certificate for {name} ends in {days} days; it should have been renewed by now.")
    return ok(f"The first to end is {name}'s, in {days} days.")


def _valid_until(at: str, port: int, name: str) -> datetime:
    """Return the end of the certificate that is shown for a name at an address; raises OSError."""
    context = ssl.create_default_context()
    raw = socket.create_connection((at, port), timeout=10)
    with raw, context.wrap_socket(raw, server_hostname=name) as wrapped:
        shown = wrapped.getpeercert()
    assert shown is not None, "a context that verifies returns what it verified"
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


@check(
    "services.disk",
    "there is room for files",
    proves="uploads can be written and will go on fitting",
    needs_database=False,
)
def disk(examination: Examination) -> Finding:
    """Write into the folder of uploads and look at what is left of its disk."""
    folder = Path(settings.MEDIA_ROOT)
    problem = _unwritable(folder)
    if problem:
        return failed(
            f"The folder of uploads {folder} cannot be written ({problem}). Correct MEDIA_ROOT or its rights."
        )
    usage = shutil.disk_usage(folder)
    room = f"{usage.free / 1_000_000_000:.1f} GB ({usage.free / usage.total:.0%})"
    if usage.free < LEAST_FREE_BYTES or usage.free < LEAST_FREE_SHARE * usage.total:
        return failed(f"Only {room} are left on the disk of {folder}. Make room.")
    return ok(f"{room} are left.")
