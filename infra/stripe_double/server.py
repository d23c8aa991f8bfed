"""The two HTTP servers (API and element origin), bound to the loopback only."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.stripe_double.api import Answer, Request, answer_request
from infra.stripe_double.control import run_control
from infra.stripe_double.double import Double
from infra.stripe_double.errors import Json, StripeError
from infra.stripe_double.pages import Page, api_page, element_page

BIND_ADDRESS = "127.0.0.1"
BODY_LIMIT = 1_000_000
# No form-action: both forms answer with a redirect to the shop, which that directive would block.
PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'"


class DoubleServer(ThreadingHTTPServer):
    """A threading server that knows its double."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], double: Double) -> None:
        self.double = double
        super().__init__((BIND_ADDRESS, port), handler)


class _Handler(BaseHTTPRequestHandler):
    """What both origins share."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; waiting for an acknowledgement between them costs 40 ms a request.
    disable_nagle_algorithm = True
    server_version = "StripeDouble"

    @property
    def double(self) -> Double:
        """Return the double this server belongs to."""
        assert isinstance(self.server, DoubleServer)
        return self.server.double

    def do_GET(self) -> None:
        """Answer a GET."""
        self.handle_request("GET")

    def do_POST(self) -> None:
        """Answer a POST."""
        self.handle_request("POST")

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self.handle_request("DELETE")

    def do_OPTIONS(self) -> None:
        """Answer a browser's preflight: any page may use a publishable key."""
        allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Max-Age": "600"}
        self.send_body(204, b"", "text/plain", allowed)

    def handle_request(self, method: str) -> None:
        """Answer one request; each origin has its own."""
        raise NotImplementedError

    def read_body(self) -> bytes | None:
        """Read the body, or refuse it and return None."""
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_LIMIT:
            self.close_connection = True
            self.send_json(413, {"error": {"type": "invalid_request_error", "message": "Body refused."}})
            return None
        return self.rfile.read(length)

    def send_body(self, status: int, body: bytes, content_type: str, headers: dict[str, str]) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.headers.get("Origin"):
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*, Authorization")
            self.send_header("Access-Control-Expose-Headers", "Request-Id")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        """Send a JSON answer."""
        self.send_body(status, json.dumps(body, indent=2).encode(), "application/json", headers or {})

    def send_page(self, page: Page) -> None:
        """Send a page with its content security policy."""
        headers = {
            "Content-Security-Policy": f"{PAGE_POLICY}; connect-src {self.double.base_url}",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            **page.headers,
        }
        self.send_body(page.status, page.body.encode(), f"{page.content_type}; charset=utf-8", headers)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class has it)
        """Stay silent: requests are recorded at `/_double/state`."""


class ApiHandler(_Handler):
    """The API, the browser script, the control plane, onboarding and receipts."""

    def handle_request(self, method: str) -> None:
        """Answer one request on the API's origin."""
        raw = self.read_body()
        if raw is None:
            return
        if self.path.startswith("/_double/"):
            try:
                self.send_json(200, run_control(self.double, method, self.path, raw))
            except StripeError as error:
                self.send_json(error.status, error.body)
            return
        page = api_page(self.double, method, self.path, raw)
        if page is not None:
            self.send_page(page)
            return
        self._send_answer(answer_request(self.double, Request(method, self.path, self.headers, raw)))

    def _send_answer(self, answer: Answer) -> None:
        if answer.abort:
            self.close_connection = True
            self.connection.close()
            return
        self.send_json(answer.status, answer.body, answer.headers)


class ElementHandler(_Handler):
    """The origin on which card numbers are typed and authentication happens."""

    def handle_request(self, method: str) -> None:
        """Answer one request on the element's origin."""
        raw = self.read_body()
        if raw is None:
            return
        page = element_page(self.double, method, self.path, raw)
        self.send_page(page or Page(404, "Not found.", "text/plain"))


class RunningDouble:
    """Both servers, the webhook sender and the snapshot writer, started together."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self._servers = [
            DoubleServer(double.port, ApiHandler, double),
            DoubleServer(double.element_port, ElementHandler, double),
        ]
        # Port 0 asks the system for a free one; pages and links need the real numbers.
        double.port, double.element_port = (server.server_address[1] for server in self._servers)
        self._stopped = threading.Event()
        targets = [server.serve_forever for server in self._servers]
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (*targets, double.deliverer.run, self._write_snapshots)
        ]

    def start(self) -> None:
        """Start serving."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop serving, and write the last snapshot."""
        self._stopped.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.double.deliverer.stop()
        for thread in self._threads:
            thread.join(timeout=5)
        self.double.save_if_changed()

    def _write_snapshots(self) -> None:
        while not self._stopped.wait(1.0):
            self.double.save_if_changed()
