"""Pages of the product in a process of its own, with the login that serves requests, through WSGI without a socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bench.wsgi import get_page


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
        took = [get_page(application, path, f"company-{number}.portal.localhost")[0] for number in numbers]
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()
