"""Error answers in Stripe's wire format, raised by handlers and rendered by the server."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """An answer other than 200.

    `executed` marks an error that follows a real attempt (a decline): Stripe saves and replays it under
    the idempotency key, whereas a validation error leaves the key free for a corrected request.
    """

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
        **extra: object,
    ) -> None:
        fields: Json = {"type": type_, "message": message, "code": code, "param": param, **extra}
        self.status = status
        self.executed = executed
        self.body: Json = {"error": {key: value for key, value in fields.items() if value is not None}}
        super().__init__(message)

    def body_for(self, path: str) -> Json:
        """Return the answer as the API of this path writes it: v2 has no parameter, and names the type of few."""
        if not path.startswith("/v2/"):
            return self.body
        told: Json = self.body["error"]
        if self.status == 429:
            kind = {"code": "account_rate_limit_exceeded", "type": "rate_limit"}
        elif told["type"] == "idempotency_error":
            kind = {"code": told.get("code") or told["type"], "type": told["type"]}
        else:
            kind = {"code": told.get("code") or told["type"]}
        return {"error": {**kind, "message": told["message"]}}


def invalid(
    message: str, *, code: str | None = None, param: str | None = None, status: int = 400, **extra: Any
) -> StripeError:
    """Build an invalid_request_error."""
    return StripeError(status, "invalid_request_error", message, code=code, param=param, **extra)


def missing(label: str, object_id: str, *, param: str = "id") -> StripeError:
    """Build the 404 for an object this account does not have."""
    return invalid(f"No such {label}: '{object_id}'", code="resource_missing", param=param, status=404)


def no_access(account: str, key: str) -> StripeError:
    """Build the 403 for an account the platform is not connected to."""
    return invalid(
        f"The provided key '{key[:11]}***' does not have access to account '{account}' (or that account does "
        "not exist). Application access may have been revoked.",
        code="account_invalid",
        status=403,
    )


def unexpected_state(message: str, intent: Json) -> StripeError:
    """Build the refusal of an operation the PaymentIntent's status does not allow."""
    return invalid(message, code="payment_intent_unexpected_state", payment_intent=public(intent))


def public(value: Any) -> Any:
    """Copy a stored object without the double's private fields, whose names begin with an underscore."""
    if isinstance(value, list):
        return [public(item) for item in value]
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if not key.startswith("_")}
    return value
