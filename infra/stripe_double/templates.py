"""Objects as Stripe's document describes them before anything is known: what it requires, and null where it may be."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Iterator
from typing import Any, get_origin

from stripe import StripeObject

from infra.stripe_double.errors import Json
from infra.stripe_double.sdk_types import CLASS_VAR, OBJECT_TYPES, options_of
from infra.stripe_double.spec.document import Schema, named, resolve

# Kinds whose name here is not the one of the document's schema.
NAMES = {"application_fee_refund": "fee_refund"}
EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}


def blank(kind: str) -> Json:
    """Return an object of this kind with every key that Stripe always sends."""
    return copy.deepcopy(_blank(kind))


def shaped(kind: str, given: Json) -> Json:
    """Return an object of this kind with what of the given one it can hold."""
    known = named(kind)["properties"]
    return {**blank(kind), **{key: copy.deepcopy(value) for key, value in given.items() if key in known}}


@functools.cache
def _blank(kind: str) -> Json:
    schema = named(NAMES.get(kind, kind))
    promised = set(_promised(OBJECT_TYPES[kind])) if kind in OBJECT_TYPES else set()
    return _object({**schema, "required": [*schema.get("required", ()), *promised]})


def _promised(cls: type[StripeObject]) -> Iterator[str]:
    """Name what the SDK takes for granted, though the document calls it optional."""
    for name, annotation in inspect.get_annotations(cls).items():
        if get_origin(annotation) is not CLASS_VAR and type(None) not in options_of(annotation, cls.__module__):
            yield name


def _object(schema: Schema) -> Json:
    required = schema.get("required", ())
    return {
        name: _value(given)
        for name, given in schema.get("properties", {}).items()
        if given.get("nullable") or name in required
    }


def _value(schema: Schema) -> Any:
    """Return null where Stripe allows it, else the emptiest value."""
    if schema.get("nullable"):
        return None
    found = resolve(schema)
    while "anyOf" in found:
        found = resolve(found["anyOf"][0])
    if "enum" in found:
        return found["enum"][0]
    if "properties" in found:
        return _object(found)
    return {**EMPTY, "array": [], "object": {}}[found["type"]]
