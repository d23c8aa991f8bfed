"""Holds requests, answers and events to Stripe's document; needs jsonschema-rs, which only the tests install."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from jsonschema_rs import Draft202012Validator, Registry, ValidationError

from infra.stripe_double.errors import Json
from infra.stripe_double.spec.document import (
    SCHEMA,
    Schema,
    answer_of,
    body_of,
    enum_of,
    load,
    operation,
    parameters_of,
)
from infra.stripe_double.spec.operations import UNPUBLISHED

ROOT = "urn:stripe"
SHOWN = 160


class Conformity:
    """Says in which respects something is not as Stripe describes it; the same one may serve several threads."""

    def __init__(self) -> None:
        self._registry = Registry([(ROOT, as_json_schema({"components": load()["components"]}))])
        self._named = functools.cache(self._of_name)
        self._requests = functools.cache(self._of_request)
        self._answers = functools.cache(self._of_answer)
        events = body_of(_operation("POST", "/v1/webhook_endpoints"))["properties"]["enabled_events"]
        self._event_types = frozenset(enum_of(events))

    def of_exchange(self, method: str, template: str, params: Json, status: int, body: Json) -> Iterator[str]:
        """Check a request that was carried out, and its answer."""
        where = f"{method} {template}"
        if (method, template) in UNPUBLISHED:
            return
        if operation(method, template) is None:
            yield f"{where}: Stripe's document has no such operation, or it was cut off (spec/prune.py)"
            return
        yield from self.of_request(method, template, params)
        answers = self._answers(method, template, status)
        if answers is not None:
            yield from _told(f"{where}, answer {status}", answers, body)

    def of_request(self, method: str, template: str, params: Json) -> Iterator[str]:
        """Check what a request carries, whatever became of it."""
        if (method, template) not in UNPUBLISHED and operation(method, template) is not None:
            yield from _told(f"{method} {template}, request", self._requests(method, template), params)

    def of_error(self, path: str, body: Json) -> Iterator[str]:
        """Check a refusal: v1 has one shape for all of them, v2 one for each code it names and one for the others."""
        name = "error"
        if path.startswith("/v2/"):
            told = body.get("error")
            code = told.get("code") if isinstance(told, dict) else None
            name = f"v2.error.{code}" if f"v2.error.{code}" in load()["components"]["schemas"] else "v2.error"
        yield from _told(f"{name} of {path}", self._named(name), body)

    def of_event(self, event: Json) -> Iterator[str]:
        """Check an event and the object in it."""
        yield from _told(f"event {event['type']}", self._named("event"), event)
        if event["type"] not in self._event_types:
            yield f"event {event['type']}: Stripe has no such type"
        subject = event["data"]["object"]
        name = str(subject.get("object"))
        if name not in load()["components"]["schemas"]:
            yield f"event {event['type']}: Stripe's document has no object {name}"
        else:
            yield from _told(f"event {event['type']}, {name}", self._named(name), subject)

    def _of_name(self, name: str) -> Draft202012Validator:
        return self._validator({"$ref": SCHEMA + name})

    def _of_request(self, method: str, template: str) -> Draft202012Validator:
        return self._validator(parameters_of(_operation(method, template)))

    def _of_answer(self, method: str, template: str, status: int) -> Draft202012Validator | None:
        schema = answer_of(_operation(method, template), status)
        return None if schema is None else self._validator(schema)

    def _validator(self, schema: Schema) -> Draft202012Validator:
        return Draft202012Validator(as_json_schema(schema), registry=self._registry)


def _operation(method: str, template: str) -> Schema:
    found = operation(method, template)
    if found is None:
        raise LookupError(f"{method} {template}")
    return found


def as_json_schema(node: Any, *, names: bool = False) -> Any:
    """Turn OpenAPI 3.0 into JSON Schema: `nullable` becomes a choice, and an object has no keys but the named ones.

    `names` says that the keys of the node are names of Stripe's and not words of the schema's language.
    """
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: as_json_schema(item) for key, item in node.items()}
    made = {
        key: ROOT + item if key == "$ref" else as_json_schema(item, names=key in ("properties", "schemas"))
        for key, item in node.items()
        if key not in ("nullable", "discriminator")
    }
    if "properties" in node:
        made.setdefault("additionalProperties", False)
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") else made


def _told(where: str, validator: Draft202012Validator, instance: Json) -> Iterator[str]:
    for error in validator.iter_errors(instance):
        yield from _deepest(where, error)


def _deepest(where: str, error: ValidationError) -> Iterator[str]:
    """Name the place; of several ways in which a value could be right, the one of the right kind says why not."""
    ways = getattr(error.kind, "context", None) or []
    fitting = [way for way in ways if not any(_is_of_other_kind(each, error) for each in way)]
    if len(fitting) == 1:
        for each in fitting[0]:
            yield from _deepest(where, each)
        return
    place = ".".join(map(str, error.instance_path)) or "(all of it)"
    yield f"{where}: {place}: {error.message[:SHOWN]}"


def _is_of_other_kind(inner: ValidationError, outer: ValidationError) -> bool:
    return inner.kind.name == "type" and len(inner.instance_path) == len(outer.instance_path)
