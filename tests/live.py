"""Starts the whole product for one test: own database, queue, mailbox, Stripe double; the Procfile's programs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import split
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from django.conf import settings
from honcho.environ import parse_procfile

from infra.embedded.processes import end, last_lines, start_tied
from infra.embedded.valkey import RunningValkey, temporary_valkey
from tests import databases
from tests.mail import Mail, read_mailbox

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("web", "worker", "provisioner", "clock")
START_LIMIT = 120.0
BASE = "portal.localhost"


@dataclass
class LiveProduct:
    """A running product; its programs are real processes that can be killed and started again."""

    name: str
    folder: Path
    port: int
    double_port: int
    element_port: int
    environ: dict[str, str]
    valkey: RunningValkey
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # -- addresses -----------------------------------------------------------------------------------------
    def url(self, host: str = "", path: str = "/") -> str:
        """Return an address: host "" is the apex, "acme" a company, anything with a dot is taken as it is."""
        return f"http://{self.host(host)}:{self.port}{path}"

    @staticmethod
    def host(name: str) -> str:
        """Return the full host name."""
        if not name:
            return BASE
        if name == "console":
            return "console.localhost"
        return name if "." in name else f"{name}.{BASE}"

    @property
    def stripe_url(self) -> str:
        """The API's origin of the Stripe double."""
        return f"http://localhost:{self.double_port}"

    @property
    def element_url(self) -> str:
        """The origin on which card numbers are typed."""
        return f"http://localhost:{self.element_port}"

    # -- programs ------------------------------------------------------------------------------------------
    def start(self, program: str, **extra: str) -> None:
        """Start a program of the Procfile, or "stripe"; `extra` is added to its environment."""
        with self.log(program).open("ab") as output:
            self.processes[program] = start_tied(
                self._command(program),
                death_signal=signal.SIGKILL,
                cwd=ROOT,
                env=self.environ | extra,
                output=output,
            )

    def kill(self, program: str) -> None:
        """End a program at once, as a crash would, with everything it started."""
        process = self.processes.pop(program)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait_for_exit(self, program: str, *, seconds: float = 30) -> int:
        """Wait until a program has ended by itself (a crash hook) and return its exit status."""
        return self.processes.pop(program).wait(timeout=seconds)

    def log(self, program: str) -> Path:
        """Return the file that holds what a program said."""
        return self.folder / f"{program}.log"

    def _command(self, program: str) -> list[str]:
        if program == "stripe":
            hook = f"http://127.0.0.1:{self.port}/webhooks/stripe"
            command = [sys.executable, "-m", "infra.stripe_double", "--port", str(self.double_port)]
            command += ["--element-port", str(self.element_port), "--state-file", str(self.folder / "stripe.json")]
            command.append("--held-to-stripe")
            for kind in ("connect", "platform"):
                command += [f"--webhook-url-{kind}", f"{hook}/{kind}/"]
                command += [f"--webhook-secret-{kind}", self.environ[f"STRIPE_WEBHOOK_SECRETS_{kind.upper()}"]]
            return command
        line = parse_procfile((ROOT / "Procfile").read_text()).processes[program]
        return split(string.Template(line).safe_substitute(self.environ))

    def wait_until_ready(self, *, seconds: float = START_LIMIT) -> None:
        """Wait until the web answers through its database."""
        self.wait_for("the web to answer", self._is_ready, seconds=seconds)

    def _is_ready(self) -> bool:
        web = self.processes.get("web")
        if web is not None and web.poll() is not None:
            raise AssertionError(f"The web process ended:\n{last_lines(self.log('web'), 20)}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            for path in ("/healthz", "/readyz"):
                connection.request("GET", path, headers={"Host": BASE})
                answer = connection.getresponse()
                answer.read()
                if answer.status != http.HTTPStatus.OK:
                    return False
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def end_all(self) -> None:
        """End every program, gently first; what it started ends with it."""
        for program in reversed(list(self.processes)):
            process = self.processes.pop(program)
            end(process, signal.SIGTERM, wait=5)
            # The leader is gone; its workers must not outlive it.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    # -- looking at it -------------------------------------------------------------------------------------
    def wait_for(self, what: str, ready: Any, *, seconds: float = 90) -> Any:
        """Call `ready` until it returns something true; raises AssertionError with the end of every log."""
        deadline = time.monotonic() + seconds
        while not (found := ready()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {seconds:.0f} s for {what}.\n{self.last_words()}")
            time.sleep(0.05)
        return found

    def last_words(self) -> str:
        """Return the end of every program's log."""
        return "\n".join(f"--- {path.name}\n{last_lines(path, 12)}" for path in sorted(self.folder.glob("*.log")))

    def mails(self, *, to: str = "", subject: str = "") -> list[Mail]:
        """Return the stored mails, oldest first; `subject` is searched, `to` is compared."""
        return [
            mail
            for mail in read_mailbox(self.mailbox)
            if (not to or to in mail.to) and subject.lower() in mail.subject.lower()
        ]

    def wait_for_mail(self, *, to: str = "", subject: str = "", count: int = 1, seconds: float = 90) -> Mail:
        """Wait for the `count`-th matching mail and return the newest."""
        found = self.wait_for(
            f"mail {count} to {to or 'anybody'} about {subject or 'anything'}",
            lambda: len(mails := self.mails(to=to, subject=subject)) >= count and mails,
            seconds=seconds,
        )
        return found[-1]  # type: ignore[no-any-return]

    @property
    def mailbox(self) -> Path:
        """The folder of the mails."""
        return self.folder / "mailbox"

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a superuser's connection to the product's database."""
        with psycopg.connect(
            host=databases.connection_host(), user="postgres", dbname=self.name, autocommit=True
        ) as connection:
            yield connection

    def rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Run a statement as superuser and return its rows."""
        with self.database() as connection:
            cursor = connection.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    def schema_of(self, slug: str) -> str:
        """Return a company's schema name."""
        ((schema,),) = self.rows("SELECT schema_name FROM public.tenants_tenant WHERE slug = %s", slug)
        return str(schema)

    def double(self, word: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Use the Stripe double's control address; without a body it is a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.double_port, timeout=10)
        try:
            method, sent = ("GET", None) if body is None else ("POST", json.dumps(body))
            connection.request(method, f"/_double/{word}", sent)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


@contextmanager
def live_product(tmp_path: Path, *, name: str, programs: Sequence[str] = PROGRAMS) -> Iterator[LiveProduct]:
    """Run the product on a fresh copy of the cast's database until the block ends.

    `name` names the database; `programs` may leave out what a test does not need ("stripe" always runs).
    Needs the django_db_setup fixture, which makes the template that is copied.
    """
    name = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    databases.clone(name)
    web, double, element = free_ports(3)
    with ExitStack() as stack:
        valkey = stack.enter_context(temporary_valkey())
        environ = _environ(tmp_path, name, valkey, web, double, element)
        product = LiveProduct(name, tmp_path, web, double, element, environ, valkey)
        product.mailbox.mkdir()
        try:
            product.start("stripe")
            for program in programs:
                product.start(program)
            if "web" in programs:
                product.wait_until_ready()
            product.wait_for("the Stripe double", lambda: _listens(double) and _listens(element))
            yield product
            if "stripe" in product.processes:
                assert product.double("state")["violations"] == []
        finally:
            product.end_all()


def _environ(folder: Path, name: str, valkey: RunningValkey, web: int, double: int, element: int) -> dict[str, str]:
    folders = f"{ROOT}{os.pathsep}{ROOT / 'platform'}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        "PATH": path,
        "PYTHONPATH": folders,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PORT": str(web),
        "PUBLIC_PORT": str(web),
        "PUBLIC_SCHEME": "http",
        "BASE_DOMAIN": BASE,
        "DEMO": "true",
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": _on(settings.ENV.database_url, name),
        "DATABASE_APP_URL": _on(settings.ENV.database_app_url, name),
        "REDIS_URL": valkey.url(),
        "MEDIA_ROOT": str(folder / "media"),
        "MAILBOX_DIR": str(folder / "mailbox"),
        "STRIPE_SECRET_KEY": "sk_test_porchlight_tests",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_porchlight_tests",
        "STRIPE_API_BASE": f"http://127.0.0.1:{double}",
        "STRIPE_JS_URL": f"http://localhost:{double}/endive/stripe.js",
        "STRIPE_ELEMENT_ORIGIN": f"http://localhost:{element}",
        "STRIPE_WEBHOOK_SECRETS_CONNECT": "whsec_connect_tests",
        "STRIPE_WEBHOOK_SECRETS_PLATFORM": "whsec_platform_tests",
        "STRIPE_WEBHOOK_SECRETS_V2": "whsec_v2_tests",
    }


def _on(url: str, database: str) -> str:
    """Return the address of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{quote(database)}").geturl()


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback on which nobody listens, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
