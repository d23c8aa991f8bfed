"""The SDK's types and Stripe's document agree, but for what is known: a new version of either one shows here."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

import pytest
from stripe import StripeObject

import infra.stripe_double.resources  # noqa: F401  (registers the operations)
from infra.stripe_double.sdk_types import OBJECT_TYPES
from infra.stripe_double.spec import drift
from infra.stripe_double.spec.document import load
from infra.stripe_double.templates import NAMES


@pytest.fixture(scope="module")
def found() -> list[str]:
    """Every difference there is."""
    return [*drift.differences_of_requests(), *drift.differences_of_objects(OBJECT_TYPES, NAMES)]


def test_every_difference_between_the_sdk_and_stripes_document_is_known(found: list[str]) -> None:
    new = drift.unexplained(found)
    assert new == [], (
        "The SDK and Stripe's document differ in a way nobody has looked at. What the double uses belongs into "
        "infra/stripe_double/spec/overlay.py, anything else as a line into known_differences.txt:\n" + "\n".join(new)
    )


def test_every_known_difference_is_still_one(found: list[str]) -> None:
    gone = drift.outlived(found)
    assert gone == [], "No longer different; take out of known_differences.txt:\n" + "\n".join(gone)


def test_the_sdk_was_really_compared(found: list[str]) -> None:
    """The differences that the last versions brought are among those found."""
    assert "dispute.status: only the SDK has the choice appeal_needs_response" in found
    assert "POST /v1/payment_intents/{intent}/confirm: only the document has client_secret" in found
    assert len(found) > 300


Mode = Literal["fast", "slow"]


class Item(TypedDict):
    """Nested parameters, as the SDK writes them."""

    price: str
    colour: NotRequired[str]


class Params(TypedDict):
    """Parameters, as the SDK writes them."""

    amount: int
    items: NotRequired[list[Item]]
    mode: NotRequired[Mode]


def test_a_name_a_kind_and_a_choice_that_only_one_side_has_are_named() -> None:
    schema = {
        "properties": {
            "amount": {"type": "string"},
            "mode": {"type": "string", "enum": ["fast", "steady"]},
            "items": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "string"}}}},
            "note": {"type": "string"},
        }
    }
    assert list(drift._compare_params("POST /x", Params, schema)) == [
        "POST /x: only the document has note",
        "POST /x amount: the SDK has number, the document string",
        "POST /x items[]: only the SDK has colour",
        "POST /x mode: only the document has the choice steady",
        "POST /x mode: only the SDK has the choice slow",
    ]


class Part(StripeObject):
    """A part of an object, as the SDK writes it."""

    size: int


class Thing(StripeObject):
    """An object, as the SDK writes it."""

    id: str
    part: Part
    parts: list[Part]


def test_the_parts_of_objects_are_compared_too() -> None:
    part = {"type": "object", "properties": {"size": {"type": "integer"}, "age": {"type": "integer"}}}
    schema = {"properties": {"id": {"type": "string"}, "part": part, "parts": {"type": "array", "items": part}}}
    assert list(drift._compare_object("thing", Thing, schema, set())) == [
        "thing.part: only the document has age",
        "thing.parts[]: only the document has age",
    ]


def test_a_new_difference_is_told_and_one_that_went_is_too() -> None:
    assert drift.unexplained(["customer: only the SDK has a_new_field"]) == ["customer: only the SDK has a_new_field"]
    assert "charge: only the SDK has level3" in drift.outlived([])


def test_the_overlay_is_applied() -> None:
    body = load()["paths"]["/v1/payment_intents"]["post"]["requestBody"]["content"]
    assert "payment_method_types" not in body["application/x-www-form-urlencoded"]["schema"]["properties"]
