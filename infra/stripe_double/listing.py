"""Lists with cursors, filters and `expand`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from infra.stripe_double.double import Scope
from infra.stripe_double.errors import Json
from infra.stripe_double.store import PLATFORM

EXPANDABLE = {
    "application_fee": "application_fee",
    "balance_transaction": "balance_transaction",
    "charge": "charge",
    "customer": "customer",
    "failure_balance_transaction": "balance_transaction",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
}
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": int.__gt__,
    "gte": int.__ge__,
    "lt": int.__lt__,
    "lte": int.__le__,
}


def page(rows: list[Json], params: Json, *, url: str, equal: tuple[str, ...] = (), newest_first: bool = True) -> Json:
    """Cut one page out of rows given in the order of creation."""
    rows = [row for row in rows if all(params.get(key) in (None, row.get(key)) for key in equal)]
    created = params.get("created")
    if isinstance(created, dict):
        rows = [
            row for row in rows if all(COMPARE[name](row["created"], int(bound)) for name, bound in created.items())
        ]
    elif created is not None:
        rows = [row for row in rows if row["created"] == int(created)]
    if newest_first:
        rows = rows[::-1]
    limit = max(1, min(int(params.get("limit", 10)), 100))
    ids = [row["id"] for row in rows]
    if params.get("ending_before") in ids:
        end = ids.index(params["ending_before"])
        start = max(0, end - limit)
        return {"object": "list", "data": rows[start:end], "has_more": start > 0, "url": url}
    if params.get("starting_after") in ids:
        rows = rows[ids.index(params["starting_after"]) + 1 :]
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit, "url": url}


def expand(scope: Scope, document: Json, paths: list[str]) -> Json:
    """Return a copy in which the ids on these paths are replaced by their objects."""
    document = copy.deepcopy(document)
    for path in paths:
        _expand_path(scope, document, path.split("."))
    return document


def _expand_path(scope: Scope, node: Any, parts: list[str]) -> None:
    if isinstance(node, list):
        for item in node:
            _expand_path(scope, item, parts)
        return
    if not isinstance(node, dict) or not parts:
        return
    key, rest = parts[0], parts[1:]
    kind = EXPANDABLE.get(key)
    if kind and isinstance(node.get(key), str):
        # The fee object lives on the platform, though the connected account's charge names it.
        book = scope.store.books[PLATFORM] if kind == "application_fee" else scope.book
        node[key] = copy.deepcopy(book.kind(kind).get(node[key], node[key]))
    _expand_path(scope, node.get(key), rest)


def merge_metadata(current: Json, given: Json | str) -> Json:
    """Apply an update of metadata: an empty value removes a key, an empty string removes all."""
    if given == "":
        return {}
    assert isinstance(given, dict)
    return {key: value for key, value in {**current, **given}.items() if value != ""}
