"""Composes the environment of `./porchlight up`'s processes: the person's own values first, then ours."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.errors import ServiceError
from infra.env import EnvError, read_env
from infra.env_casts import Expected, as_port

# Enough for read_env to judge the rest before the servers run; nothing connects to them.
_PLACEHOLDERS = {"DATABASE_URL": "postgresql://localhost/-", "REDIS_URL": "redis://localhost"}
_SECRETS = ("secret_key", "webhook_platform", "webhook_connect", "webhook_v2")


@dataclass(frozen=True)
class Plan:
    """What is embedded and what is the person's own."""

    port: int
    embedded_postgres: bool
    embedded_valkey: bool
    stripe_double: bool
    environ: dict[str, str]

    @property
    def double_port(self) -> int:
        """Return the port of the Stripe double's API."""
        return self.port + 1

    @property
    def element_port(self) -> int:
        """Return the port of the card form's own origin."""
        return self.port + 2

    def own_services(self) -> list[str]:
        """Return a sentence for each real service that is used instead of ours."""
        given = {
            "DATABASE_URL": (not self.embedded_postgres, "Database: yours, from DATABASE_URL."),
            "REDIS_URL": (not self.embedded_valkey, "Redis: yours, from REDIS_URL."),
            "STRIPE_SECRET_KEY": (not self.stripe_double, "Payments: Stripe itself, with your STRIPE_ keys."),
            "EMAIL_URL": (_given(self.environ, "EMAIL_URL"), "Mail: really sent, through EMAIL_URL."),
            "SENTRY_DSN": (_given(self.environ, "SENTRY_DSN"), "Errors: reported to your SENTRY_DSN."),
        }
        return [sentence for used, sentence in given.values() if used]


def make_plan(environ: Mapping[str, str], data: Path) -> Plan:
    """Decide what runs here and with which values; raises EnvError and ServiceError with what to change."""
    try:
        port = as_port(environ.get("PORT", "").strip() or "8000")
    except Expected as error:
        raise EnvError([f'PORT is "{environ["PORT"]}"; expected {error}. See PORT in .env.example.']) from error
    if port > 65533:
        raise ServiceError(f"PORT is {port}; the two ports above it are needed too. Choose a smaller one.")
    kept = _kept_secrets(data / "secrets.json")
    double = not _given(environ, "STRIPE_SECRET_KEY")
    ours = {
        "PORT": str(port),
        "DEMO": "true",
        "SECRET_KEY": kept["secret_key"],
        "PUBLIC_SCHEME": "http",
        "PUBLIC_PORT": str(port),
        "MEDIA_ROOT": str(data / "media"),
        "MAILBOX_DIR": str(data / "mailbox"),
    }
    values = {name: value for name, value in environ.items() if value.strip()}
    for name, value in ours.items():
        if not _given(environ, name):
            values[name] = value
    if double:
        values |= _double_env(port, kept)
    plan = Plan(
        port=port,
        embedded_postgres=not _given(environ, "DATABASE_URL"),
        embedded_valkey=not _given(environ, "REDIS_URL"),
        stripe_double=double,
        environ=values,
    )
    read_env(_PLACEHOLDERS | values)
    return plan


def double_command(plan: Plan, data: Path) -> list[str]:
    """Return the arguments of `python -m infra.stripe_double`."""
    kept = _kept_secrets(data / "secrets.json")
    site = f"http://127.0.0.1:{plan.port}/webhooks/stripe"
    command = ["--port", str(plan.double_port), "--element-port", str(plan.element_port)]
    command += ["--state-file", str(data / "stripe_double.json")]
    for kind in ("connect", "platform"):
        command += [f"--webhook-url-{kind}", f"{site}/{kind}/"]
        command += [f"--webhook-secret-{kind}", kept[f"webhook_{kind}"]]
    return command


def _double_env(port: int, kept: Mapping[str, str]) -> dict[str, str]:
    return {
        "STRIPE_SECRET_KEY": "sk_test_porchlight_demo",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_porchlight_demo",
        "STRIPE_API_BASE": f"http://127.0.0.1:{port + 1}",
        "STRIPE_JS_URL": f"http://localhost:{port + 1}/endive/stripe.js",
        "STRIPE_ELEMENT_ORIGIN": f"http://localhost:{port + 2}",
        "STRIPE_WEBHOOK_SECRETS_PLATFORM": kept["webhook_platform"],
        "STRIPE_WEBHOOK_SECRETS_CONNECT": kept["webhook_connect"],
        "STRIPE_WEBHOOK_SECRETS_V2": kept["webhook_v2"],
    }


def _given(environ: Mapping[str, str], name: str) -> bool:
    return bool(environ.get(name, "").strip() or environ.get(f"{name}_FILE", "").strip())


def _kept_secrets(path: Path) -> dict[str, str]:
    # Made once: links and sessions must survive a restart.
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(found.get(name), str) for name in _SECRETS):
            return {name: found[name] for name in _SECRETS}
    made = {
        name: secrets.token_urlsafe(48) if name == "secret_key" else f"whsec_{secrets.token_hex(24)}"
        for name in _SECRETS
    }
    write_private(path, json.dumps(made, indent=2))
    return made


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, in one step."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
