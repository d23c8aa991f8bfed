"""How many companies each web process meets with hosts hashed to processes, and who moves when one ends."""

from __future__ import annotations

import ssl
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection, socket
from statistics import mean
from typing import Any

from infra.env import Env
from infra.front.haproxy import find_program, render
from infra.ids import uuid7

HASHED, TURNS = "    balance hash var(txn.host)\n", "    balance roundrobin\n"


class StandIn(ThreadingHTTPServer):
    """A web process as the front door sees it: answers everything and remembers what it was asked."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.seen: dict[str, int] = defaultdict(int)
        self.headers: dict[str, dict[str, str]] = {}
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A health check hangs up as soon as it has seen the status; nobody needs to hear of it."""

    def end(self) -> None:
        """Stop listening, as a process that has died."""
        self.shutdown()
        self.server_close()


class Answer(BaseHTTPRequestHandler):
    """One request to a stand-in; a connection per request, so that an ended one is gone at once."""

    server: StandIn

    def do_GET(self) -> None:
        """Say who answers."""
        if self.path != "/healthz":
            host = self.headers["Host"]
            self.server.seen[host] += 1
            self.server.headers[host] = dict(self.headers.items())
            time.sleep(self.server.seconds)
        body = self.server.address.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: Any) -> None:
        """Say nothing."""


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass
class Front:
    """A running front door and the stand-ins behind it."""

    env: Env
    processes: list[StandIn] = field(default_factory=list)
    trusting: ssl.SSLContext = field(default_factory=_trusting)

    def get(self, host: str, path: str = "/", *, sni: str = "", headers: dict[str, str] | None = None) -> Any:
        """Ask through the front door; returns status, body and headers."""
        with closing(self.open(sni or host)) as visitor:
            return visitor.ask(host, path, headers)

    def open(self, name: str) -> Visitor:
        """Open a connection as a browser does for this name."""
        plain = create_connection(("127.0.0.1", self.env.front_https_port), timeout=10)
        return Visitor(self.trusting.wrap_socket(plain, server_hostname=name))

    def met(self) -> list[int]:
        """Return how many companies each process has met since the last call."""
        counts = [len(process.seen) for process in self.processes]
        for process in self.processes:
            process.seen.clear()
        return counts


class Visitor(HTTPConnection):
    """One connection through the front door."""

    def __init__(self, connected: socket) -> None:
        super().__init__("127.0.0.1")
        self.sock = connected

    def ask(self, host: str, path: str = "/", headers: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
        """Return status, body and headers."""
        self.request("GET", path, headers={"Host": host, **(headers or {})})
        answer = self.getresponse()
        return answer.status, answer.read().decode(), dict(answer.headers.items())


@contextmanager
def front_door(
    given: Env, program: str, *, processes: int, hashed: bool = True, seconds: float = 0.0
) -> Iterator[Front]:
    """Run HAProxy with the rendered configuration before stand-ins; `seconds` is how long an answer takes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="porchlight-front-")))
        stand_ins = [StandIn(seconds) for _ in range(processes)]
        for each in stand_ins:
            stack.callback(each.end)
        certificates = folder / "certificates"
        certificates.mkdir()
        make_certificate(certificates / "all.pem", [given.base_domain, f"*.{given.base_domain}", given.console_host])
        http, https = _free_ports(2)
        env = replace(
            given,
            front_backends=tuple(each.address for each in stand_ins),
            front_certificates=certificates,
            front_http_port=http,
            front_https_port=https,
        )
        text = render(env) if hashed else render(env).replace(HASHED, TURNS)
        (folder / "haproxy.cfg").write_text(text, encoding="utf-8")
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen([program, "-f", str(folder / "haproxy.cfg")], stdout=log, stderr=log)
            stack.callback(running.wait)
            stack.callback(running.terminate)
            front = Front(env, stand_ins)
            _wait_until_open(front, running, folder / "log")
        yield front


def make_certificate(path: Path, names: Sequence[str]) -> None:
    """Write key and self-signed certificate for some names into one file."""
    key, also = path.with_suffix(".key"), ",".join(f"DNS:{name}" for name in names)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=porchlight", "-addext", f"subjectAltName={also}"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(path)], check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    key.unlink()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_open(front: Front, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while running.poll() is None and time.monotonic() < deadline:
        try:
            if front.get(front.env.base_domain)[0] == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
    raise RuntimeError(f"The front door did not open:\n{log.read_text()}")


@dataclass(frozen=True, slots=True)
class Spread:
    """What was found: companies met by each process, and how the hosts moved when one ended."""

    companies: int
    met: list[int]
    met_under_load: list[int]
    on_the_lost: int
    moved: int
    moved_without_need: int


def measure(env: Env, *, hashed: bool, processes: int = 4, companies: int = 200, rounds: int = 5) -> Spread:
    """Visit every company's host several times, end one process, and visit all again."""
    program = find_program()
    if program is None:
        raise RuntimeError("HAProxy is not installed.")
    hosts = [f"c{uuid7().hex[-8:]}.{env.base_domain}" for _ in range(companies)]
    with front_door(env, program, processes=processes, hashed=hashed, seconds=0.01) as front:
        front.met()
        before = {}
        for host in hosts:
            with closing(front.open(host)) as visitor:
                (before[host], *_) = (visitor.ask(host)[1] for _ in range(rounds))
        met = front.met()
        with ThreadPoolExecutor(16) as crowd:
            list(crowd.map(front.get, hosts * rounds))
        under_load = front.met()
        lost = front.processes[0]
        lost.end()
        after = {host: front.get(host)[1] for host in hosts}
    moved = [host for host in hosts if after[host] != before[host]]
    return Spread(
        companies=companies,
        met=met,
        met_under_load=under_load,
        on_the_lost=sum(address == lost.address for address in before.values()),
        moved=len(moved),
        moved_without_need=sum(before[host] != lost.address for host in moved),
    )


def main() -> None:
    """Print both ways."""
    from infra.env import read_env

    given = {"SECRET_KEY": "x" * 40, "DATABASE_URL": "postgresql://x/x", "REDIS_URL": "redis://x"}
    env = read_env(given | {"BASE_DOMAIN": "portal.example", "TRUSTED_PROXY_HOPS": "1"})
    for hashed in (True, False):
        found = measure(env, hashed=hashed)
        print("hashed" if hashed else "taking turns", found, f"on average {mean(found.met):.0f} companies a process")


if __name__ == "__main__":
    main()
