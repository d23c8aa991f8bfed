"""The product's own programs and the Stripe double as processes of a benchmark, against the place that is open."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import string
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import split
from subprocess import Popen
from time import perf_counter
from typing import Any

from infra.embedded.processes import end, start_tied

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_benchmarks"
LONGEST = 120.0


@dataclass
class Programs:
    """Programs that run until the block ends; the ports are free ones."""

    web_port: int
    double_port: int
    element_port: int
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a program of the Procfile, or "stripe"."""
        env = os.environ | {
            "PORT": str(self.web_port),
            "PUBLIC_PORT": str(self.web_port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        }
        env.pop("DATABASE_LOGIN", None)
        command = self._double() if name == "stripe" else split(string.Template(_line(name)).safe_substitute(env))
        self.processes[name] = start_tied(command, death_signal=signal.SIGKILL, cwd=ROOT, env=env)

    def _double(self) -> list[str]:
        hook = f"http://portal.localhost:{self.web_port}/webhooks/stripe/connect/"
        ports = ["--port", str(self.double_port), "--element-port", str(self.element_port)]
        webhooks = ["--webhook-url-connect", hook, "--webhook-secret-connect", SECRET]
        return [sys.executable, "-m", "infra.stripe_double", *ports, *webhooks]

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        """Use the double's control plane; without a body it is a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.double_port, timeout=30)
        try:
            connection.request("POST" if body else "GET", f"/_double/{action}", json.dumps(body) if body else None)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()

    def is_ready(self) -> bool:
        """Whether the web's front door answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=10)
        try:
            connection.request("GET", "/readyz", headers={"Host": "portal.localhost"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def programs_with_stripe() -> Iterator[Programs]:
    """Point the environment at a double of Stripe and end every started program afterwards; enter before the place."""
    web, double, element = _free_ports(3)
    programs = Programs(web, double, element)
    os.environ.update(
        {
            "STRIPE_SECRET_KEY": "sk_test_benchmarks",
            "STRIPE_PUBLISHABLE_KEY": "pk_test_benchmarks",
            "STRIPE_API_BASE": f"http://127.0.0.1:{programs.double_port}",
            "STRIPE_JS_URL": f"http://localhost:{programs.double_port}/endive/stripe.js",
            "STRIPE_ELEMENT_ORIGIN": f"http://localhost:{programs.element_port}",
            "STRIPE_WEBHOOK_SECRETS_CONNECT": SECRET,
        }
    )
    try:
        yield programs
    finally:
        for process in reversed(programs.processes.values()):
            end(process, signal.SIGTERM, wait=5)


def wait_for(ready: Callable[[], object], *, pause: float = 0.01) -> None:
    """Call `ready` until it is true; raises TimeoutError."""
    until = perf_counter() + LONGEST
    while not ready():
        if perf_counter() > until:
            raise TimeoutError("The product did not get there.")
        time.sleep(pause)


def _line(name: str) -> str:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    return lines[name]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
