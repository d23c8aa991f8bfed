"""Knocks at the product's real front door, as browsers do."""

from __future__ import annotations

import http.client
import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.live import BASE, LiveProduct


def knock(product: LiveProduct, host: str, path: str = "/") -> int:
    """Return the status that a company's host answers with."""
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": f"{host}.{BASE}:{product.port}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def press(product: LiveProduct, path: str) -> tuple[int, str]:
    """Open a page of the apex and press its button; returns the status and where it leads."""
    host = f"{BASE}:{product.port}"
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        page = answer.read().decode()
        cookies = SimpleCookie()
        for value in answer.headers.get_all("Set-Cookie") or []:
            cookies.load(value)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if found is None:
            return answer.status, ""
        headers = {
            "Host": host,
            "Origin": f"http://{host}",
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", path, urlencode({"csrfmiddlewaretoken": found[1]}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()
