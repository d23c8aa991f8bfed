"""`python -m infra.front [--check]`: prints HAProxy's configuration for this environment."""

from __future__ import annotations

import argparse
import sys

from infra.env import EnvError, load_env
from infra.front.haproxy import Refused, check, find_program, render


def main(arguments: list[str]) -> int:
    """Print the configuration; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.front", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="also have HAProxy read it; nothing is printed if it fails"
    )
    asked = parser.parse_args(arguments)
    try:
        text = render(load_env())
        if asked.check:
            program = find_program()
            if program is None:
                raise Refused("HAProxy is not installed, so it cannot check the configuration.")
            check(text, program)
    except (EnvError, Refused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
