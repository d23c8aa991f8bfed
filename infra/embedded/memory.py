"""Remembers what an earlier `./porchlight up` already did, so that the next one is quick."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_ROOTS = ("infra", "tenants", "portal", "provisioning", "platform")


class Memory:
    """A small JSON file; losing it costs time, never data."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}

    def get(self, name: str) -> Any:
        """Return what was kept under a name, or None."""
        return self.known.get(name)

    def keep(self, **facts: Any) -> None:
        """Keep facts for the next run."""
        self.known |= facts
        self.path.write_text(json.dumps(self.known, indent=2), encoding="utf-8")

    def forget(self) -> None:
        """Start afresh: the database it spoke of is gone."""
        self.known = {}
        self.path.unlink(missing_ok=True)


def schema_fingerprint(root: Path) -> str:
    """Digest all that decides what migrating would do: our code and the libraries' versions."""
    digest = hashlib.sha256()
    files = [root / "requirements" / "run.txt"]
    for name in _ROOTS:
        files += sorted((root / name).rglob("*.py"))
    for file in files:
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
