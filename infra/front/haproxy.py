"""Renders HAProxy's configuration from the typed environment and has HAProxy check it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from string import Template
from zlib import crc32

from infra.env import Env, EnvError

# The largest upload is a file for the import; a little more for what a form puts around it.
LARGEST_BODY = 26 * 1024 * 1024
CONNECTIONS = 4_000
# A little less than a web process lets wait (--backpressure), so that the queue stands here, where it can be seen.
PER_PROCESS = 60
_TEMPLATE = Path(__file__).with_name("haproxy.cfg.template")


class Refused(Exception):
    """HAProxy does not accept the configuration; the text is its own."""


def render(env: Env) -> str:
    """Return the configuration; raises EnvError when the web processes would not believe what the front door says."""
    problems = []
    if env.public_scheme != "https":
        problems.append('PUBLIC_SCHEME is "http"; behind the front door it must be https.')
    if env.trusted_proxy_hops < 1:
        problems.append("TRUSTED_PROXY_HOPS is 0; the front door is one hop, so it must be 1 or more.")
    if problems:
        raise EnvError(problems)
    values = {
        "connections": CONNECTIONS,
        "largest_body": LARGEST_BODY,
        "per_process": PER_PROCESS,
        "http_port": env.front_http_port,
        "https_port": env.front_https_port,
        "https_suffix": "" if env.front_https_port == 443 else f":{env.front_https_port}",
        "certificates": env.front_certificates,
        "base_domain": env.base_domain,
        "console_host": env.console_host,
        "usercontent_host": env.usercontent_host,
        "companies": _servers(env, ""),
        "everybody": _servers(env, " track companies/{name}"),
    }
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def _servers(env: Env, extra: str) -> str:
    lines = []
    for address in sorted(env.front_backends):
        name = address.replace(":", "_")
        # The place on the ring follows the number, and the number the address: a longer list moves only what it must.
        number = crc32(address.encode()) % 2**31 or 1
        lines.append(f"    server {name} {address} id {number}{extra.format(name=name)}")
    return "\n".join(lines)


def find_program() -> str | None:
    """Return HAProxy's path if it is installed."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def check(text: str, program: str) -> None:
    """Have HAProxy read a configuration without starting; raises Refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, "-c", "-f", file.name], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Refused(done.stderr.strip())
