"""Command line of the double: `python -m infra.stripe_double`."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from infra.stripe_double.double import Double, Endpoint, Witness
from infra.stripe_double.server import RunningDouble


def build_double(arguments: list[str] | None = None) -> Double:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.stripe_double", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="API, browser script and hosted pages")
    parser.add_argument("--element-port", type=int, default=8002, help="the card form's own origin")
    parser.add_argument("--public-host", default="localhost", help="host name in the links it hands out")
    parser.add_argument("--state-file", type=Path, help="JSON snapshot kept over restarts")
    parser.add_argument("--held-to-stripe", action="store_true", help="check every message against Stripe's document")
    for scope in ("connect", "platform"):
        parser.add_argument(f"--webhook-url-{scope}", help=f"where {scope} events are sent")
        parser.add_argument(f"--webhook-secret-{scope}", help=f"what {scope} events are signed with")
    given = parser.parse_args(arguments)
    endpoints = []
    for scope in ("connect", "platform"):
        url, secret = getattr(given, f"webhook_url_{scope}"), getattr(given, f"webhook_secret_{scope}")
        if bool(url) != bool(secret):
            parser.error(f"--webhook-url-{scope} and --webhook-secret-{scope} belong together")
        if url:
            endpoints.append(Endpoint(url=url, secret=secret, connect=scope == "connect"))
    return Double(
        public_host=given.public_host,
        port=given.port,
        element_port=given.element_port,
        endpoints=tuple(endpoints),
        state_file=given.state_file,
        witness=_witness() if given.held_to_stripe else None,
    )


def _witness() -> Witness:
    from infra.stripe_double.spec.conformity import Conformity

    return Conformity()


def main() -> None:
    """Serve until interrupted or terminated."""
    running = RunningDouble(build_double())
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    running.start()
    print(f"Stripe double (not Stripe) on {running.double.base_url}", flush=True)  # noqa: T201
    stop.wait()
    running.stop()


if __name__ == "__main__":
    main()
