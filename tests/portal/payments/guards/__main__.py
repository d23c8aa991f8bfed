"""Takes the guard of each payment failure out of a copy of the product and sees its test fail.

`python -m tests.portal.payments.guards` goes through all of them, with names of rows through those, and writes what it
saw to docs/payment-failures.md. A guard that is not found ends it; one that no test misses makes it end with 1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services import ensure_servers

from .page import ROOT, write_page
from .table import GUARDS, Guard

# Longer than any of the tests: whoever waits for ever has said nothing.
SECONDS = 300
# What a test says of a product that cannot run; what it says of one that runs and is wrong is everything else.
BROKEN = re.compile(r"(Name|UnboundLocal|Import|ModuleNotFound|Syntax|Indentation|Attribute|Type)Error\b")
# What follows a test that has failed is told before it, but says less.
SUMMARIES = [re.compile(rf"^{word} .+? - (.+)$", re.M) for word in ("FAILED", "ERROR")]
IDS = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b|\b(?:pi|re|ch|evt|acct|cus|txn)_\w+")


class Unclear(Exception):
    """What was seen says nothing about the guard."""


def copy_product(target: Path) -> None:
    """Copy what stands in the working tree, as far as git knows it."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def run_tests(tests: list[str], copy: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Run tests in the copy up to the first that fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    # Wide enough for the summary to tell all of a failure.
    wide = {**os.environ, "COLUMNS": "1000"}
    return subprocess.run(command, cwd=copy, env=wide, capture_output=True, text=True, check=False, timeout=seconds)


def find_miss(guard: Guard, copy: Path) -> str | None:
    """Take the guard out, run its test, put the guard back; return what the test said, None when it passed.

    Raises Unclear for a guard that is not there, a test that did not run and a product that could not.
    """
    path = copy / guard.path
    text = path.read_text("utf-8")
    if text.count(guard.old) != 1:
        raise Unclear(f"{guard.path} has the guard of {guard.row} {text.count(guard.old)} times.")
    path.write_text(text.replace(guard.old, guard.new), encoding="utf-8")
    try:
        ended = run_tests([guard.test], copy, SECONDS)
    finally:
        path.write_text(text, encoding="utf-8")
    if ended.returncode == 0 and re.search(r"\d+ passed", ended.stdout):
        return None
    said = next(filter(None, (summary.search(ended.stdout) for summary in SUMMARIES)), None)
    if ended.returncode != 1 or not said or BROKEN.match(said[1]) or "ERROR at setup" in ended.stdout:
        raise Unclear(f"The test of {guard.row} did not judge.\n{ended.stdout[-3000:]}{ended.stderr[-2000:]}")
    return IDS.sub("…", said[1]).replace("|", "¦").replace("`", "'")[:160]


def main(rows: list[str]) -> int:
    """Go through the guards; returns the exit status."""
    chosen = [guard for guard in GUARDS if not rows or guard.row in rows]
    if unknown := set(rows) - {guard.row for guard in GUARDS}:
        print(f"No such rows: {', '.join(sorted(unknown))}")
        return 1
    ensure_servers()
    said: dict[Guard, str | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_product(copy)
        # What fails with every guard in its place misses none of them.
        whole = run_tests(list(dict.fromkeys(guard.test for guard in chosen)), copy, SECONDS * len(chosen))
        if whole.returncode:
            print(whole.stdout[-3000:])
            return 1
        for guard in chosen:
            said[guard] = find_miss(guard, copy)
            print(f"{guard.row:4} {guard.words}: {said[guard] or 'NOT MISSED'}", flush=True)
            write_page(GUARDS, said)
    return 0 if all(said.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
