"""Reads the kept document with what Stripe has changed since: parameters and objects of the version the SDK speaks."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from infra.stripe_double.spec.overlay import CHANGES, Change

SCHEMA = "#/components/schemas/"
KEPT = Path(__file__).parent / "openapi.json"
Schema = dict[str, Any]


@functools.cache
def load() -> Schema:
    """Return the document, brought up to the SDK's version."""
    document: Schema = json.loads(KEPT.read_text(encoding="utf-8"))
    for name, schema in document["components"]["schemas"].items():
        if name.startswith("v2."):
            _allow_null(schema)
    for change in CHANGES:
        _apply(document, change)
    return document


def _allow_null(schema: Schema) -> None:
    """Let what v2 does not promise be null: v2 sends null where v1 would, but its descriptions do not say so."""
    for name, given in schema.get("properties", {}).items():
        _allow_null(given)
        if name not in schema.get("required", ()):
            given["nullable"] = True
    if "items" in schema:
        _allow_null(schema["items"])


def _apply(document: Schema, change: Change) -> None:
    """Make one change; raises KeyError for a change of something that the document does not have."""
    for place in change.places:
        if place.startswith("/"):
            (content,) = document["paths"][place]["post"]["requestBody"]["content"].values()
            target = content["schema"]
        else:
            target = document["components"]["schemas"][place]
        for step in change.inside:
            target = target["properties"][step]
        for name in change.removed:
            del target["properties"][name]
        if "required" in target:
            target["required"] = [name for name in target["required"] if name not in change.removed]
        target.get("properties", {}).update(change.added)
        for name, values in change.values.items():
            enum_of(target["properties"][name]).extend(values)


@functools.cache
def operation(method: str, template: str) -> Schema | None:
    """Return the description of an operation, whatever its placeholders are called; None for one not kept."""
    for path, item in load()["paths"].items():
        if anonymous(path) == anonymous(template) and method.lower() in item:
            found: Schema = item[method.lower()]
            return found
    return None


def anonymous(path: str) -> str:
    """Return a path without the names of its placeholders."""
    return re.sub(r"{\w+}", "{}", path)


def enum_of(schema: Schema) -> list[Any]:
    """Return the list of choices of a value or of an array's items; raises KeyError."""
    if "items" in schema:
        return enum_of(schema["items"])
    for way in (schema, *schema.get("anyOf", [])):
        if "enum" in way and way["enum"] != [""]:
            found: list[Any] = way["enum"]
            return found
    raise KeyError("enum")


def body_of(operation: Schema) -> Schema:
    """Return the schema of what a request carries in its body; an operation without a body takes nothing."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        return resolve(content["schema"])
    return {"type": "object", "properties": {}, "additionalProperties": False}


def parameters_of(operation: Schema) -> Schema:
    """Return one schema of everything that a request may carry, in its query or in its body."""
    asked = [each for each in operation.get("parameters", []) if each["in"] == "query"]
    body = body_of(operation)
    return {
        **body,
        "properties": {**body.get("properties", {}), **{each["name"]: each["schema"] for each in asked}},
        "required": [*body.get("required", []), *(each["name"] for each in asked if each.get("required"))],
        "additionalProperties": False,
    }


def answer_of(operation: Schema, status: int) -> Schema | None:
    """Return the schema of an answer; None where Stripe publishes none."""
    answers = operation["responses"]
    found: Schema | None = answers.get(str(status)) or answers.get("default")
    if found is None:
        return None
    schema: Schema = found["content"]["application/json"]["schema"]
    return schema


def resolve(schema: Schema) -> Schema:
    """Follow a reference."""
    if "$ref" in schema:
        return named(schema["$ref"].removeprefix(SCHEMA))
    return schema


def named(name: str) -> Schema:
    """Return a schema by its name; raises KeyError."""
    found: Schema = load()["components"]["schemas"][name]
    return found
