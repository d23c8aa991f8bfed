"""Cuts Stripe's OpenAPI document down to the operations of the double: `python -m infra.stripe_double.spec.prune`.

Stripe publishes the document in the repository stripe/openapi under the MIT licence (`latest/openapi.spec3.json`), and
some Python packages carry it as JSON or as one Python literal. Give one or more files; of an operation or schema that
several describe, the first counts. Without files it only says what the kept document lacks.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.stripe_double.spec.document import KEPT, SCHEMA, anonymous, operation
from infra.stripe_double.spec.operations import NEXT, Operation, served

# Words for people and for generators of libraries; a check has no use for them.
LEFT_OUT = (
    "description",
    "title",
    "summary",
    "operationId",
    "encoding",
    "externalDocs",
    "security",
    "style",
    "explode",
)


def prune(documents: list[dict[str, Any]], wanted: set[Operation]) -> dict[str, Any]:
    """Return the document of the wanted operations; raises KeyError for one that no document has."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path in sorted(wanted, key=lambda operation: operation[::-1]):
        published, found = _find(documents, method.lower(), path)
        paths.setdefault(published, {})[method.lower()] = _operation(found)
    known: dict[str, Any] = {}
    for document in reversed(documents):
        known |= document["components"]["schemas"]
    handed_out = set(_references([answer for path in paths.values() for answer in path.values()])) | {"event"}
    schemas: dict[str, Any] = {}
    waiting = [*handed_out, *(name for name in known if name.removeprefix("deleted_") in handed_out)]
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = _slim(known[name], handed_out)
            waiting.extend(_references(schemas[name]))
    return {"paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}


def _find(documents: list[dict[str, Any]], method: str, path: str) -> tuple[str, dict[str, Any]]:
    """Return the path as Stripe writes it, and the operation there."""
    for document in documents:
        for published, item in document["paths"].items():
            if anonymous(published) == anonymous(path) and method in item:
                return published, item[method]
    raise KeyError(f"{method.upper()} {path}")


def _operation(given: dict[str, Any]) -> dict[str, Any]:
    """Keep an operation's parameters, body and answers."""
    answers = {}
    for status, answer in given["responses"].items():
        contents: list[dict[str, Any]] = list(answer.get("content", {}).values())
        answers[status] = {"content": {"application/json": {"schema": contents[0]["schema"] if contents else {}}}}
    kept = {key: given[key] for key in ("parameters", "requestBody") if key in given}
    return {**_without_words(kept), "responses": _without_words(answers)}


def _slim(schema: Any, handed_out: set[str]) -> Any:
    """Leave out words, and what an id could be expanded to when the double hands out nothing of the kind."""
    return _without_words(_unexpanded(schema, handed_out))


def _unexpanded(node: Any, handed_out: set[str]) -> Any:
    if isinstance(node, list):
        return [_unexpanded(item, handed_out) for item in node]
    if not isinstance(node, dict):
        return node
    ways = node.get("anyOf")
    if isinstance(ways, list) and "x-expansionResources" in node:
        kept = [
            way
            for way in ways
            if way.get("$ref", SCHEMA).removeprefix(SCHEMA).removeprefix("deleted_") in ("", *handed_out)
        ]
        node = {**node, "anyOf": kept}
    return {key: _unexpanded(item, handed_out) for key, item in node.items()}


def _without_words(node: Any, *, names: bool = False) -> Any:
    """Drop what is for people; `names` says that the keys are names of Stripe's and all stay."""
    if isinstance(node, list):
        return [_without_words(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_words(item, names=not names and key in ("properties", "paths", "schemas"))
        for key, item in node.items()
        if names or not (key in LEFT_OUT or key.startswith("x-"))
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key == "$ref" and isinstance(item, str):
                yield item.removeprefix(SCHEMA)
            elif key != "discriminator":
                yield from _references(item)


def read_source(path: Path) -> dict[str, Any]:
    """Read a document from JSON or from the one literal of a Python module, which is not run."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return dict(json.loads(text))
    literals = [node.value for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    return dict(ast.literal_eval(literals[0]))


def as_lines(document: dict[str, Any]) -> str:
    """Write a line for each operation and each schema, so that a difference between two versions can be read."""

    def block(entries: dict[str, Any]) -> str:
        lines = (f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'), sort_keys=True)}" for k, v in entries.items())
        return "{\n" + ",\n".join(lines) + "\n}"

    paths, schemas = block(document["paths"]), block(document["components"]["schemas"])
    about = json.dumps(document["info"])
    return f'{{"openapi":"3.0.0",\n"info":{about},\n"paths":{paths},\n"components":{{"schemas":{schemas}}}}}\n'


def main(arguments: list[str] | None = None) -> int:
    """Cut the given documents and keep the result; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.stripe_double.spec.prune", description=__doc__)
    parser.add_argument("sources", nargs="*", type=Path, help="Stripe's documents, the newest first")
    given = parser.parse_args(arguments)
    wanted = served() | set(NEXT)
    if not given.sources:
        lacking = sorted(f"{method} {path}" for method, path in wanted if operation(method, path) is None)
        print("\n".join(lacking) or "The kept document has every operation.")  # noqa: T201
        return 1 if lacking else 0
    documents = [read_source(path) for path in given.sources]
    try:
        document = prune(documents, wanted)
    except KeyError as error:
        print(f"No document has {error.args[0]}.", file=sys.stderr)  # noqa: T201
        return 1
    document["info"] = {
        "title": "Stripe API, cut down to the operations of the double",
        "license": {"name": "MIT, Copyright (c) 2011- Stripe, Inc. (https://stripe.com); see LICENSE"},
        "version": documents[0]["info"]["version"],
        "sources": [
            {"version": each["info"]["version"], "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for each, path in zip(documents, given.sources, strict=True)
        ],
    }
    KEPT.write_text(as_lines(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
