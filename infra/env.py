"""Reads the environment once, casts it strictly and hands it on as one frozen value.

No other module reads `os.environ`. An empty variable counts as unset; every variable may also be given as
`<NAME>_FILE`, the path of a file that holds the value (a mounted secret). `.env.example` lists them all and
is printed by `python -m infra.env`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit, urlunsplit

from infra.env_casts import (
    Expected,
    as_addresses,
    as_count,
    as_flag,
    as_host,
    as_list,
    as_one_of,
    as_optional_port,
    as_path,
    as_port,
    as_positive,
    as_secret_key,
    as_text,
    as_url,
)

T = TypeVar("T")

APP_LOGIN = "porchlight_app"


class EnvError(Exception):
    """One or more variables are missing or wrong; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def setting(
    convert: Callable[[str], T], default: str | None, explained: str, *, secret: bool = False, group: str = ""
) -> T:
    """Describe one variable; a default of None means that it must be given."""
    about = {"convert": convert, "default": default, "explained": explained, "secret": secret, "group": group}
    return cast(T, field(repr=not secret, metadata=about))


_postgres = as_url("postgresql", "postgres", optional=False)
_web = as_url("http", "https", optional=False)


@dataclass(frozen=True, kw_only=True)
class Env:
    """Everything the environment decides; a field is named like its variable, in lower case."""

    port: int = setting(as_port, "8000", "Port the web process listens on, on 127.0.0.1.", group="Web")
    secret_key: str = setting(as_secret_key, None, "Signs sessions, links and tokens.", secret=True)
    secret_key_fallbacks: tuple[str, ...] = setting(
        as_list, "", "Former keys that are still accepted, comma-separated, newest first.", secret=True
    )
    debug: bool = setting(as_flag, "false", "Django's debug pages; never in production.")
    demo: bool = setting(as_flag, "false", "Demo companies, /mailbox on the apex, cookies that work over http.")
    base_domain: str = setting(as_host, "portal.localhost", "The apex; companies live one label below it.")
    console_host: str = setting(as_host, "console.localhost", "The operators' host, not below BASE_DOMAIN.")
    usercontent_host: str = setting(
        as_host, "usercontent.localhost", "Serves what people uploaded, away from every cookie."
    )
    public_scheme: str = setting(as_one_of("http", "https"), "https", "Scheme of the links we send: http or https.")
    public_port: int | None = setting(as_optional_port, "", "Port shown in the links we send; empty for none.")
    trusted_proxy_hops: int = setting(
        as_count, "0", "How many proxies in front of us write X-Forwarded-For; 0 ignores the header."
    )
    database_url: str = setting(
        _postgres,
        None,
        "Login that owns the schemas and may create roles; used by the provisioner.",
        secret=True,
        group="Database and broker",
    )
    database_app_url: str = setting(
        as_url("postgresql", "postgres"),
        "",
        f"Login of web and workers (NOINHERIT); empty derives {APP_LOGIN} from DATABASE_URL and SECRET_KEY.",
        secret=True,
    )
    database_login: str = setting(
        as_one_of("app", "owner"), "app", "Which of the two logins this process uses: app or owner."
    )
    tenants_per_connection: int = setting(
        as_positive,
        "200",
        "From how many different companies on a database connection is asked what it holds; where the server does not"
        " tell, it is replaced then.",
    )
    most_tenants_per_connection: int = setting(
        as_positive, "2000", "How many different companies a database connection serves at most."
    )
    megabytes_per_connection: int = setting(
        as_positive, "200", "Memory of a database connection's server process above which it is replaced."
    )
    connections_kept: int = setting(
        as_positive,
        "1",
        "Database connections that a process keeps open from its start; the web keeps one for each of its threads.",
    )
    redis_url: str = setting(
        as_url("redis", "rediss", "unix", optional=False),
        None,
        "Redis or Valkey: queues and caches.",
        secret=True,
    )
    stripe_secret_key: str = setting(as_text, "", "Secret key of the platform's account.", secret=True, group="Stripe")
    stripe_publishable_key: str = setting(as_text, "", "Publishable key, sent to browsers.")
    stripe_api_base: str = setting(
        as_url("http", "https"), "", "Empty for Stripe itself; the demo points it at the Stripe double."
    )
    stripe_js_url: str = setting(
        _web, "https://js.stripe.com/endive/stripe.js", "The browser script; its release follows the SDK's."
    )
    stripe_element_origin: str = setting(
        _web, "https://js.stripe.com", "Origin of the frames that the script opens, for the CSP."
    )
    stripe_webhook_secrets_platform: tuple[str, ...] = setting(
        as_list, "", "Signing secrets of the platform's webhook, comma-separated.", secret=True
    )
    stripe_webhook_secrets_connect: tuple[str, ...] = setting(
        as_list, "", "Signing secrets of the connected accounts' webhook.", secret=True
    )
    stripe_webhook_secrets_v2: tuple[str, ...] = setting(
        as_list, "", "Signing secrets of the thin-event destination.", secret=True
    )
    stripe_sandbox_key: str = setting(
        as_text, "", "Only for tests (docs/sandbox.md): a test key of a Stripe sandbox; never a live one.", secret=True
    )
    stripe_sandbox_account: str = setting(as_text, "", "Only for tests: the connected account of that sandbox, acct_….")
    email_url: str = setting(
        as_url("smtp", "smtps"),
        "",
        "Outgoing mail, smtp://user:password@host:587 or smtps://…:465; empty keeps mail in the mailbox.",
        secret=True,
        group="Mail, files, operation",
    )
    email_from: str = setting(as_text, "Porchlight <hello@portal.localhost>", "Sender of the platform's own mail.")
    media_root: Path = setting(as_path, ".data/media", "Folder of uploaded files.")  # noqa: RUF009
    mailbox_dir: Path = setting(as_path, ".data/mailbox", "Folder of mail that is not sent.")  # noqa: RUF009
    sentry_dsn: str = setting(as_url("http", "https"), "", "Sentry or compatible; empty sends nothing.", secret=True)
    release: str = setting(as_text, "", "Name of the deployed release, for Sentry and /healthz.")
    log_level: str = setting(as_one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "DEBUG, INFO, WARNING or ERROR.")
    crash_at: str = setting(as_text, "", "Test hook: the process kills itself at this named point.")
    front_backends: tuple[str, ...] = setting(
        as_addresses,
        "127.0.0.1:8000",
        "The web processes behind the front door, host:port, comma-separated; read by `python -m infra.front`.",
        group="Front door",
    )
    front_certificates: Path = setting(  # noqa: RUF009
        as_path,
        "/etc/porchlight/certificates",
        "Folder of PEM files, key and chain in each: the base domain with *.BASE_DOMAIN, console, user content.",
    )
    front_http_port: int = setting(as_port, "80", "Port on which the front door redirects to https.")
    front_https_port: int = setting(as_port, "443", "Port on which the front door serves.")

    @property
    def is_demo(self) -> bool:
        """Tell whether demo companies, the mailbox page and http cookies are wanted."""
        return self.demo

    @property
    def active_database_url(self) -> str:
        """Return the address this process signs in with (DATABASE_LOGIN decides)."""
        return self.database_url if self.database_login == "owner" else self.database_app_url

    @property
    def database(self) -> dict[str, Any]:
        """Return NAME, USER, PASSWORD, HOST, PORT and OPTIONS as Django's DATABASES wants them."""
        return database_settings(self.active_database_url)

    def url_for_host(self, host: str, path: str = "") -> str:
        """Return the public address of a path on one of our hosts."""
        port = f":{self.public_port}" if self.public_port else ""
        return f"{self.public_scheme}://{host}{port}{path}"


def database_settings(url: str) -> dict[str, Any]:
    """Translate a libpq address into Django's keys; what Django has no key for goes to OPTIONS."""
    from psycopg.conninfo import conninfo_to_dict

    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }


def app_password(secret_key: str) -> str:
    """Derive the password of the application's login, so that it need not be stored anywhere."""
    return hmac.new(secret_key.encode(), b"database login " + APP_LOGIN.encode(), hashlib.sha256).hexdigest()


def derive_app_url(database_url: str, secret_key: str) -> str:
    """Return DATABASE_URL with the application's login in place of the owner's."""
    parts = urlsplit(database_url)
    address = parts.netloc.rpartition("@")[2]
    login = f"{APP_LOGIN}:{quote(app_password(secret_key))}"
    return urlunsplit(parts._replace(netloc=f"{login}@{address}"))


def read_env(environ: Mapping[str, str]) -> Env:
    """Cast a mapping to an Env; raises EnvError with one sentence for every variable that is wrong."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in fields(Env):
        name, about = item.name.upper(), item.metadata
        try:
            raw = _raw_value(environ, name)
        except Expected as error:
            problems.append(f"{error} {_explained(name)}")
            continue
        if not raw:
            if about["default"] is None:
                problems.append(f"{name} is not set; it is needed: {about['explained']} {_explained(name)}")
                continue
            raw = about["default"]
        try:
            values[item.name] = about["convert"](raw)
        except Expected as error:
            shown = "not what it should be" if about["secret"] else f'"{raw}"'
            problems.append(f"{name} is {shown}; expected {error}. {_explained(name)}")
    if problems:
        raise EnvError(problems)
    if not values["database_app_url"]:
        values["database_app_url"] = derive_app_url(values["database_url"], values["secret_key"])
    return Env(**values)


@lru_cache(maxsize=1)
def load_env() -> Env:
    """Return this process's Env, read once; raises EnvError."""
    return read_env(os.environ)


def example() -> str:
    """Return the text of `.env.example`: every variable, what it is for, and its default."""
    lines = [
        "# Every variable Porchlight reads, with its default. `./porchlight up` needs none of them;",
        "# to change one, copy this file to .env and take its # away, or set it in the environment (wins).",
        "# Empty means unset. NAME_FILE=/path reads the value from a file instead.",
    ]
    for item in fields(Env):
        about = item.metadata
        if about["group"]:
            lines += ["", f"# -- {about['group']}"]
        needed = "" if about["default"] is not None else " Required in production."
        lines += [f"# {about['explained']}{needed}", f"#{item.name.upper()}={about['default'] or ''}"]
    return "\n".join(lines) + "\n"


def _raw_value(environ: Mapping[str, str], name: str) -> str:
    raw, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if raw and file:
        raise Expected(f"{name} and {name}_FILE are both set; expected only one of them.")
    if not file:
        return raw
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Expected(
            f'{name}_FILE is "{file}", which cannot be read ({error.strerror}); expected a readable file.'
        ) from error


def _explained(name: str) -> str:
    return f"See {name} in .env.example."


if __name__ == "__main__":
    sys.stdout.write(example())
