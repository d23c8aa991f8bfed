"""Pages of the product in a process of its own, with the login that serves requests, through WSGI without a socket."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any


class Pages:
    """The process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, path: str, numbers: Iterable[int]) -> list[float]:
        """Ask for a page of the companies with these numbers; returns the seconds of each. Raises RuntimeError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([path, list(numbers)]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The pages ended with {self._process.wait()}.")
        took: list[float] = json.loads(line)
        return took


@contextmanager
def running_pages() -> Iterator[Pages]:
    """Run the product's WSGI application beside this process."""
    env = os.environ | {"DATABASE_LOGIN": "app"}
    command = [sys.executable, "-m", "bench.pages"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Pages(process)
        finally:
            process.kill()


def main() -> None:
    """Answer every line of JSON until standard input ends."""
    from config.wsgi import application

    for line in sys.stdin:
        path, numbers = json.loads(line)
        print(json.dumps([_get(application, path, number) for number in numbers]), flush=True)


def _get(application: Any, path: str, number: int) -> float:
    """Get a page; returns seconds. Raises RuntimeError unless it was served."""
    status: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": f"company-{number}.portal.localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    began = perf_counter()
    response = application(environ, lambda text, _headers: status.append(text))
    b"".join(response)
    response.close()
    took = perf_counter() - began
    if not status[0].startswith("200"):
        raise RuntimeError(f"{path} of company {number} was answered with {status[0]}.")
    return took


if __name__ == "__main__":
    main()
