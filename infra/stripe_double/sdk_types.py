"""Request checks derived from the installed SDK's types, and the types of the objects the double hands out."""

from __future__ import annotations

import functools
import re
import sys
import types
import typing
from pathlib import Path
from typing import Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

import stripe
from stripe import RequestOptions, StripeObject
from stripe.v2.core import Account as V2Account
from stripe.v2.core import AccountLink as V2AccountLink

from infra.stripe_double.errors import Json, invalid

API_VERSION = stripe.api_version
CLASS_VAR: Any = typing.ClassVar
REQUEST_OPTIONS = frozenset(RequestOptions.__annotations__)

OBJECT_TYPES: dict[str, type[StripeObject]] = {
    "account": stripe.Account,
    "application_fee": stripe.ApplicationFee,
    "application_fee_refund": stripe.ApplicationFeeRefund,
    "balance_transaction": stripe.BalanceTransaction,
    "billing_portal.session": stripe.billing_portal.Session,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "confirmation_token": stripe.ConfirmationToken,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "mandate": stripe.Mandate,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
    "subscription_item": stripe.SubscriptionItem,
    "setup_intent": stripe.SetupIntent,
    "v2.core.account": V2Account,
    "v2.core.account_link": V2AccountLink,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


class _Names(dict[str, Any]):
    """Module names, with anything imported for type checking only read as Any."""

    def __missing__(self, key: str) -> Any:
        builtin = __builtins__.get(key) if isinstance(__builtins__, dict) else getattr(__builtins__, key, None)
        return Any if builtin is None else builtin


def _resolve(annotation: Any, module: str) -> Any:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        names = _Names(vars(typing) | vars(sys.modules[module]))
        return eval(annotation, {}, names)  # noqa: S307  (annotations of an installed package, no input)
    return annotation


def options_of(annotation: Any, module: str) -> list[Any]:
    """Flatten unions and markers to the list of types a value may have."""
    annotation = _resolve(annotation, module)
    origin = get_origin(annotation)
    if origin in (NotRequired, Required):
        return options_of(get_args(annotation)[0], module)
    if origin in (Union, types.UnionType):
        return [option for part in get_args(annotation) for option in options_of(part, module)]
    return [annotation]


def is_params(option: Any) -> bool:
    # The SDK builds its parameter types with typing_extensions, which typing.is_typeddict does not know.
    return isinstance(option, type) and hasattr(option, "__required_keys__")


def params_of(schema: type) -> dict[str, Any]:
    """Return the parameters of a type without the options that the SDK turns into headers."""
    return {name: given for name, given in schema.__annotations__.items() if name not in REQUEST_OPTIONS}


def check_params(schema: type, given: Json, *, path: str = "") -> Json:
    """Coerce a parsed request to the SDK's parameter type.

    Raises StripeError 400 for an unknown, missing or ill-typed parameter, naming it as Stripe does.
    """
    annotations = params_of(schema)
    unknown = [key for key in given if key not in annotations]
    if unknown:
        name = f"{path}[{unknown[0]}]" if path else unknown[0]
        if unknown[0] == "payment_method_types":
            raise invalid(
                "The `payment_method_types` parameter is no longer supported on this API version. Use "
                "dynamic payment methods, `allowed_payment_method_types` or `excluded_payment_method_types`.",
                code="payment_method_types_no_longer_supported",
                param=name,
            )
        raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    for key in sorted(getattr(schema, "__required_keys__", ())):
        if key not in given:
            name = f"{path}[{key}]" if path else key
            raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return {
        key: _coerce(
            options_of(annotations[key], schema.__module__),
            value,
            f"{path}[{key}]" if path else key,
            schema.__module__,
        )
        for key, value in given.items()
    }


def _coerce(options: list[Any], value: Any, name: str, module: str) -> Any:
    containers = [option for option in options if is_params(option) or get_origin(option) in (list, dict)]
    if isinstance(value, dict | list) and containers:
        return _coerce_container(containers[0], value, name, module)
    if isinstance(value, dict | list):
        if Any in options:
            return value
        raise invalid(f"Invalid value for {name}: a single value is expected.", param=name)
    literals = [choice for option in options if get_origin(option) is Literal for choice in get_args(option)]
    if value in literals:
        return value
    if bool in options and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if str in options or Any in options:
        return value
    if int in options:
        if re.fullmatch(r"-?\d+", str(value)):
            return int(value)
        raise invalid(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    if float in options and re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        return float(value)
    if literals:
        allowed = ", ".join(str(choice) for choice in literals)
        raise invalid(f"Invalid {name}: must be one of {allowed}", param=name)
    raise invalid(f"Invalid value for {name}.", param=name)


def _coerce_container(option: Any, value: Json | list[Any], name: str, module: str) -> Any:
    if is_params(option):
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {name}", param=name)
        return check_params(option, value, path=name)
    if get_origin(option) is dict:
        return {str(key): str(item) for key, item in dict(value).items()}
    items = list(value.values()) if isinstance(value, dict) else value
    inner = options_of(get_args(option)[0], module)
    return [_coerce(inner, item, f"{name}[{index}]", module) for index, item in enumerate(items)]


@functools.cache
def known_paths() -> list[tuple[str, re.Pattern[str]]]:
    """List every (method, path) the installed SDK can call, to tell "not written here" from "not Stripe"."""
    call = re.compile(r'"(get|post|delete)",\s+"(/v[12]/[^"]+)"')
    found: set[tuple[str, str]] = set()
    for source in Path(stripe.__file__).parent.rglob("*_service.py"):
        found.update(call.findall(source.read_text(encoding="utf-8")))
    return [(method.upper(), pattern_of(path)) for method, path in sorted(found)]


def pattern_of(path: str) -> re.Pattern[str]:
    """Compile a path with {placeholders} to a pattern with named groups."""
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
