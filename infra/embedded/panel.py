"""The short panel that `./porchlight up` ends with: where to look and how to sign in."""

from __future__ import annotations

import sys

from infra.env import Env

_DEMO_COMPANY = "acme"


def panel(env: Env, *, sign_ins: list[str], took: float, mail_is_sent: bool, data: str, logs: str) -> str:
    """Return the lines to print once everything answers."""
    company = f"{_DEMO_COMPANY}.{env.base_domain}"
    rows = [
        ("Sign up", env.url_for_host(env.base_domain, "/")),
        ("A company's portal", env.url_for_host(company, "/")),
        ("Its office", env.url_for_host(company, "/office/")),
        ("Operators' console", env.url_for_host(env.console_host, "/")),
        (
            "Mail it sends",
            "through EMAIL_URL" if mail_is_sent else env.url_for_host(env.base_domain, "/mailbox"),
        ),
    ]
    lines = ["", f"Porchlight is ready ({took:.1f} s).", ""]
    lines += [f"  {name:<20}{address}" for name, address in rows]
    if sign_ins:
        lines += ["", "  Sign in as", *(f"    {line}" for line in sign_ins)]
    if sys.platform == "darwin" and env.base_domain.endswith(".localhost"):
        hosts = f"{env.base_domain} {company} {env.console_host} {env.usercontent_host}"
        lines += ["", "  Safari needs this line in /etc/hosts (Chrome, Edge and Firefox do not):"]
        lines += [f"    127.0.0.1 {hosts}"]
    lines += ["", f"Ctrl-C stops everything; the data stays in {data}. Logs: {logs}/", ""]
    return "\n".join(lines)
