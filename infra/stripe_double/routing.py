"""The table of API operations, filled by the modules in `resources`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json
from infra.stripe_double.sdk_types import known_paths, pattern_of

Handler = Callable[[Call], Json]


@dataclass(frozen=True)
class Route:
    """One operation: `params` is the SDK's parameter type, None where the SDK has none (browser calls)."""

    method: str
    template: str
    pattern: re.Pattern[str]
    handler: Handler
    params: type | None
    publishable: bool


ROUTES: list[Route] = []


def route(
    method: str, template: str, params: type | None = None, *, publishable: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler; `publishable` opens it to pk_ keys as well."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template, pattern_of(template), handler, params, publishable))
        # A literal path such as /search must win over the one with a placeholder.
        ROUTES.sort(key=lambda entry: entry.template.count("{"))
        return handler

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the operation for a request, with the values in its path."""
    for entry in ROUTES:
        found = entry.pattern.fullmatch(path) if entry.method == method else None
        if found:
            return entry, found.groupdict()
    return None


def exists_in_stripe(method: str, path: str) -> bool:
    """Tell whether the SDK could send this request, so that it is merely unwritten here."""
    return any(known == method and pattern.fullmatch(path) for known, pattern in known_paths())
