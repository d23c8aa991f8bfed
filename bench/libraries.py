"""Fetches the peers that the product does not use, once, into a folder of their own below .tools."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".tools" / "bench"
LOCK = ROOT / "requirements" / "bench.txt"


class PeersMissing(RuntimeError):
    """The peers could not be fetched; the text says why."""


def fetch_peers(*, only_look: bool = False) -> Path:
    """Return the folder that holds the peers, filled on first use unless it is only looked for. Raises PeersMissing.

    Not an environment: whatever else they need is what the product's tenant applications need anyway.
    """
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = FOLDER / "lock.sha256"
    if stamp.exists() and stamp.read_text() == digest:
        return FOLDER
    if only_look:
        raise PeersMissing("it has not been fetched")
    own = ROOT / ".tools" / "bin" / "uv"
    uv = str(own) if own.exists() else shutil.which("uv")
    if uv is None:
        raise PeersMissing("there is no uv to fetch it with")
    shutil.rmtree(FOLDER, ignore_errors=True)
    # django-pgschemas declares Python 3.12 or newer and runs on 3.11 as it is; it is plain Python.
    command = [uv, "--quiet", "pip", "install", "--python", sys.executable, "--target", str(FOLDER), "--no-deps"]
    command += ["--python-version", "3.12", "--require-hashes", "-r", str(LOCK)]
    env = os.environ | {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeersMissing((done.stderr.strip().splitlines() or ["the installer said nothing"])[-1])
    stamp.write_text(digest)
    return FOLDER
