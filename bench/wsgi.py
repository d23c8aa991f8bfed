"""Gets pages from a WSGI application without a socket, and says how long each took."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any


def environ_of(path: str, host: str, cookie: str = "") -> dict[str, Any]:
    """Return what a server would hand over for a GET."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        "HTTP_COOKIE": cookie,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def get_page(application: Callable[..., Any], path: str, host: str, cookie: str = "") -> tuple[float, bytes]:
    """Get a page; returns seconds and body. Raises RuntimeError unless it was served."""
    status: list[str] = []
    environ = environ_of(path, host, cookie)
    began = perf_counter()
    response = application(environ, lambda text, _headers: status.append(text))
    body = b"".join(response)
    response.close()
    took = perf_counter() - began
    if not status[0].startswith("200"):
        raise RuntimeError(f"{path} of {host} was answered with {status[0]}.")
    return took, body
