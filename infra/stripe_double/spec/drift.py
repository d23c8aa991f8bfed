"""Compares the SDK's types with Stripe's document: which names, kinds of values and choices only one of them has."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from stripe import ListObject, StripeObject

from infra.stripe_double.sdk_types import CLASS_VAR, is_params, options_of, params_of
from infra.stripe_double.spec.document import SCHEMA, Schema, operation, parameters_of, resolve

KINDS: dict[Any, str] = {str: "string", int: "number", float: "number", bool: "boolean"}


def differences_of_requests() -> Iterator[str]:
    """Compare what each served operation takes."""
    from infra.stripe_double.routing import ROUTES

    for route in ROUTES:
        described = operation(route.method, route.template)
        if route.params is not None and described is not None:
            where = f"{route.method} {route.template}"
            yield from _compare_params(where, route.params, parameters_of(described))


def differences_of_objects(kinds: dict[str, type[StripeObject]], names: dict[str, str]) -> Iterator[str]:
    """Compare what the SDK says an object has, for every kind the double hands out."""
    seen: set[tuple[str, type]] = set()
    for kind, cls in kinds.items():
        yield from _compare_object(kind, cls, {"$ref": SCHEMA + names.get(kind, kind)}, seen)


def _compare_params(where: str, cls: type, schema: Schema) -> Iterator[str]:
    known, published = params_of(cls), schema.get("properties", {})
    yield from _compare_names(where, set(known), set(published))
    for name in sorted(set(known) & set(published)):
        options = options_of(known[name], cls.__module__)
        ways = _ways(published[name])
        yield from _compare_values(f"{where} {name}", options, ways)
        yield from _inside(f"{where} {name}", options, ways, cls.__module__)


def _inside(where: str, options: list[Any], ways: list[Schema], module: str) -> Iterator[str]:
    lists = [get_args(option)[0] for option in options if get_origin(option) is list]
    items = [way["items"] for way in ways if "items" in way]
    if lists and items:
        inner, shapes = options_of(lists[0], module), _ways(items[0])
        yield from _compare_values(f"{where}[]", inner, shapes)
        yield from _inside(f"{where}[]", inner, shapes, module)
    params = [option for option in options if is_params(option)]
    objects = [way for way in ways if "properties" in way]
    if params and objects:
        yield from _compare_params(where, params[0], objects[0])


def _compare_object(where: str, cls: type[StripeObject], schema: Schema, seen: set[tuple[str, type]]) -> Iterator[str]:
    if "$ref" in schema:
        mark = (schema["$ref"], cls)
        if mark in seen:
            return
        seen.add(mark)
    published = resolve(schema).get("properties", {})
    known = {
        name: options_of(annotation, cls.__module__)
        for name, annotation in inspect.get_annotations(cls).items()
        if get_origin(annotation) is not CLASS_VAR and not name.startswith("_")
    }
    yield from _compare_names(where, set(known), set(published))
    for name in sorted(set(known) & set(published)):
        yield from _compare_field(f"{where}.{name}", known[name], published[name], seen, cls.__module__)


def _compare_field(
    where: str, options: list[Any], schema: Schema, seen: set[tuple[str, type]], module: str
) -> Iterator[str]:
    ways = _ways(schema)
    yield from _compare_values(where, options, ways)
    items = [way["items"] for way in ways if "items" in way]
    for option in options:
        if get_origin(option) is list and items:
            yield from _compare_field(f"{where}[]", options_of(get_args(option)[0], module), items[0], seen, module)
    classes = [option for option in options if inspect.isclass(option) and issubclass(option, StripeObject)]
    objects = [
        way for way in ([schema] if "$ref" in schema else schema.get("anyOf", ways)) if "properties" in resolve(way)
    ]
    if len(classes) == 1 and len(objects) == 1 and not issubclass(classes[0], ListObject):
        yield from _compare_object(where, classes[0], objects[0], seen)


def _compare_names(where: str, known: set[str], published: set[str]) -> Iterator[str]:
    for name in sorted(published - known):
        yield f"{where}: only the document has {name}"
    for name in sorted(known - published):
        yield f"{where}: only the SDK has {name}"


def _compare_values(where: str, options: list[Any], ways: list[Schema]) -> Iterator[str]:
    """Compare choices where both have them, else the kinds of values."""
    ours = {str(choice) for option in options if get_origin(option) is Literal for choice in get_args(option)} - {""}
    theirs = {str(choice) for way in ways for choice in way.get("enum", [])} - {""}
    if ours and theirs:
        for choice in sorted(theirs - ours):
            yield f"{where}: only the document has the choice {choice}"
        for choice in sorted(ours - theirs):
            yield f"{where}: only the SDK has the choice {choice}"
        return
    known = {kind for option in options if (kind := _kind(option))}
    published = {kind for way in ways if (kind := _published_kind(way))}
    if known and published and not known & published:
        yield f"{where}: the SDK has {'/'.join(sorted(known))}, the document {'/'.join(sorted(published))}"


def _kind(option: Any) -> str | None:
    origin = get_origin(option)
    if origin is Literal:
        return "string"
    if origin in (list, dict):
        return {list: "array", dict: "object"}[origin]
    if is_params(option) or (inspect.isclass(option) and issubclass(option, StripeObject)):
        return "object"
    return KINDS.get(option)


def _published_kind(way: Schema) -> str | None:
    kind = way.get("type")
    return "number" if kind == "integer" else kind


def _ways(schema: Schema) -> list[Schema]:
    """Flatten the alternatives of a value."""
    found = resolve(schema)
    if "anyOf" in found:
        return [way for each in found["anyOf"] for way in _ways(each)]
    return [found]


def unexplained(found: list[str]) -> list[str]:
    """Return the differences that nobody has looked at yet."""
    patterns = [pattern for _, pattern in known_differences()]
    return [each for each in found if not any(pattern.fullmatch(each) for pattern in patterns)]


def outlived(found: list[str]) -> list[str]:
    """Return the known differences that are none any more."""
    return [line for line, pattern in known_differences() if not any(pattern.fullmatch(each) for each in found)]


def known_differences() -> list[tuple[str, re.Pattern[str]]]:
    """Read the known differences: each line and what it matches."""
    lines = (Path(__file__).parent / "known_differences.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    return [(line, re.compile(".*".join(map(re.escape, line.split("*"))))) for line in kept]
