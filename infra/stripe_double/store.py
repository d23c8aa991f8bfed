"""What the double remembers: one book of objects per account, idempotency records, clock and log."""

from __future__ import annotations

import json
import os
import random
import string
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.stripe_double.errors import Json
from infra.stripe_double.templates import blank

PLATFORM = "acct_1Platform00000"
LOG_LIMIT = 2000


@dataclass
class Book:
    """The objects of one account by kind and id, and what the clock still has to do with them."""

    objects: dict[str, dict[str, Json]] = field(default_factory=dict)
    jobs: list[Json] = field(default_factory=list)

    def kind(self, name: str) -> dict[str, Json]:
        """Return the objects of one kind, by id, in the order of creation."""
        return self.objects.setdefault(name, {})


class Store:
    """All state; the caller holds the double's lock around every use."""

    def __init__(self, *, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311  (test ids, reproducible on purpose)
        self.clear()

    def clear(self) -> None:
        """Forget everything but the platform account itself."""
        self.books: dict[str, Book] = {PLATFORM: Book()}
        self.idempotency: dict[str, Json] = {}
        self.links: dict[str, Json] = {}
        self.clock_offset = 0
        self.requests: list[Json] = []
        self.deliveries: list[Json] = []
        self.violations: list[str] = []
        self.dirty = True
        self.books[PLATFORM].kind("account")[PLATFORM] = {
            **blank("account"),
            "id": PLATFORM,
            "charges_enabled": True,
            "payouts_enabled": True,
            "details_submitted": True,
            "type": "standard",
            "country": "US",
            "default_currency": "usd",
            "metadata": {},
        }

    def new_id(self, prefix: str, length: int = 24) -> str:
        """Return a fresh id in Stripe's shape."""
        return prefix + "".join(self._random.choices(string.ascii_letters + string.digits, k=length))

    def now(self) -> int:
        """Return the double's time in whole seconds, which `/_double/advance` moves."""
        return int(time.time()) + self.clock_offset

    def log(self, target: list[Json], entry: Json) -> None:
        """Append to a bounded log."""
        target.append(entry)
        del target[:-LOG_LIMIT]

    def save(self, path: Path) -> None:
        """Write a snapshot atomically, so that a crash leaves the previous one."""
        document = {
            "books": {name: {"objects": book.objects, "jobs": book.jobs} for name, book in self.books.items()},
            "idempotency": self.idempotency,
            "links": self.links,
            "clock_offset": self.clock_offset,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(json.dumps(document), encoding="utf-8")
        os.replace(partial, path)
        self.dirty = False

    def load(self, path: Path) -> None:
        """Read a snapshot back."""
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self.books = {
            name: Book(objects=book["objects"], jobs=book["jobs"]) for name, book in document["books"].items()
        }
        self.idempotency = document["idempotency"]
        self.links = document["links"]
        self.clock_offset = document["clock_offset"]
        self.dirty = False
