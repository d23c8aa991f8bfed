"""One API request from bytes to answer: key, account, parameters, idempotency, handler, expansion."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import traceback
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qsl, urlsplit

import infra.stripe_double.resources  # noqa: F401  (registers the operations)
from infra.stripe_double import idempotency
from infra.stripe_double.double import Call, Double
from infra.stripe_double.errors import Json, StripeError, invalid, no_access, public
from infra.stripe_double.faults import ApiFault
from infra.stripe_double.listing import expand
from infra.stripe_double.methods import refuse_raw_cards
from infra.stripe_double.routing import exists_in_stripe, find_route
from infra.stripe_double.sdk_types import API_VERSION, check_params
from infra.stripe_double.store import PLATFORM

SECRET_KEY = re.compile(r"(sk|rk)_test_\w+")
PUBLISHABLE_KEY = re.compile(r"pk_test_\w+")
# Refused for what was asked and not for how: the request itself is one that Stripe would have read.
WELL_FORMED = (402, 404, 409, 429)
FAULT_ERRORS = {
    "500": ("api_error", None),
    "503": ("api_error", None),
    "429": ("invalid_request_error", "rate_limit"),
    "409": ("idempotency_error", "idempotency_key_in_use"),
}


@dataclass(frozen=True)
class Request:
    """What arrived on the wire."""

    method: str
    target: str
    headers: Message
    raw: bytes

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return urlsplit(self.target).path


@dataclass(frozen=True)
class Answer:
    """What goes back; `abort` means closing the connection without a word."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)
    abort: bool = False


@dataclass(frozen=True)
class Caller:
    """Who asks, for which account, with which parameters."""

    api_key: str
    publishable: bool
    account: str
    params: Json


def answer_request(double: Double, request: Request) -> Answer:
    """Answer an API request, with the fault that waits for it, and log it."""
    with double.lock:
        request_id = double.store.new_id("req_", 14)
        fault = double.faults.take_api(request.method, request.path)
    headers = {"Request-Id": request_id, "Stripe-Version": request.headers.get("Stripe-Version", API_VERSION)}
    if fault and fault.kind in (*FAULT_ERRORS, "reset"):
        with double.lock:
            answer = _refused_by_fault(double, request, fault)
    else:
        with double.lock:
            answer = _executed(double, request, request_id, fault)
    with double.lock:
        _log(double, request, request_id, answer, fault)
    if fault and fault.kind == "timeout_after":
        time.sleep(fault.seconds)
        return Answer(0, {}, abort=True)
    return Answer(answer.status, answer.body, {**headers, **answer.headers}, abort=answer.abort)


def _refused_by_fault(double: Double, request: Request, fault: ApiFault) -> Answer:
    if fault.kind == "reset":
        return Answer(0, {}, abort=True)
    type_, code = FAULT_ERRORS[fault.kind]
    error = StripeError(int(fault.kind), type_, "Injected fault, before anything happened.", code=code)
    return _refusal(double, request, error)


def _refusal(double: Double, request: Request, error: StripeError) -> Answer:
    """Answer with an error as this API writes it."""
    answer = Answer(error.status, error.body_for(request.path))
    if double.witness:
        double.store.violations.extend(double.witness.of_error(request.path, answer.body))
    return answer


def _executed(double: Double, request: Request, request_id: str, fault: ApiFault | None) -> Answer:
    try:
        answer = _run(double, request, request_id, save_500=bool(fault and fault.kind == "500_saved"))
    except StripeError as error:
        answer = _refusal(double, request, error)
    except Exception as error:
        # A defect of the double must show as one: in the answer, in the log and in the recorded violations.
        traceback.print_exc()
        double.store.violations.append(f"defect in {request.method} {request.path}: {error!r}")
        answer = _refusal(double, request, StripeError(500, "api_error", f"Defect in the double: {error!r}"))
    if request.method != "GET":
        double.store.dirty = True
    if fault and fault.kind in ("500_after", "500_saved"):
        return _refusal(double, request, StripeError(500, "api_error", "Injected fault, after it was carried out."))
    return answer


def _run(double: Double, request: Request, request_id: str, *, save_500: bool) -> Answer:
    caller = identify(double, request)
    found = find_route(request.method, request.path)
    if found is None:
        raise _no_route(request)
    operation, path = found
    if caller.publishable and not operation.publishable:
        message = "This API call cannot be made with a publishable API key. Please use a secret API key."
        raise invalid(message, status=401)
    if not caller.publishable:
        _refuse_raw_cards(double, request, caller)
    params = caller.params if operation.params is None else check_params(operation.params, caller.params)
    carried_out = dict(params)
    paths = params.pop("expand", [])
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    slot = key and idempotency.slot_of(account=caller.account, api_key=caller.api_key, idempotency_key=key)
    print_ = idempotency.fingerprint(request.path, caller.params)
    echo = {"Idempotency-Key": key} if key else {}
    if slot and (saved := idempotency.find_saved(double.store, slot, print_)):
        return Answer(saved[0], saved[1], {**echo, "Idempotent-Replayed": "true"})
    call = Call(double, caller.account, request_id, key, params, path, caller.publishable)
    try:
        answer = Answer(200, public(expand(call, operation.handler(call), list(paths))), echo)
    except StripeError as error:
        if not error.executed:
            if double.witness and error.status in WELL_FORMED:
                told = double.witness.of_request(operation.method, operation.template, carried_out)
                double.store.violations.extend(told)
            raise
        answer = Answer(error.status, error.body, echo)
    if double.witness:
        told = double.witness.of_exchange(operation.method, operation.template, carried_out, answer.status, answer.body)
        double.store.violations.extend(told)
    if save_500:
        lost = StripeError(500, "api_error", "Injected fault, saved under the idempotency key.")
        answer = Answer(500, lost.body_for(request.path), echo)
    if slot:
        idempotency.save(double.store, slot, print_, answer.status, answer.body)
    return answer


def identify(double: Double, request: Request) -> Caller:
    """Read key, account and raw parameters.

    Raises StripeError 401 for a missing, malformed or live key, 403 for an unknown account.
    """
    params = parse_params(request)
    header = request.headers.get("Authorization", "")
    api_key = _bearer(header) or str(params.pop("key", ""))
    params.pop("key", None)
    if re.match(r"(sk|rk|pk)_live_", api_key):
        raise invalid("This is the local double, not Stripe: it refuses live keys.", status=401)
    publishable = bool(PUBLISHABLE_KEY.fullmatch(api_key))
    if not publishable and not SECRET_KEY.fullmatch(api_key):
        shown = f"Invalid API Key provided: {api_key[:8]}***" if api_key else "You did not provide an API key."
        raise invalid(shown, status=401)
    from_browser = params.pop("_stripe_account", None)
    account = request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context") or from_browser
    if account and account not in double.store.books:
        raise no_access(str(account), api_key)
    return Caller(api_key, publishable, str(account or PLATFORM), params)


def _bearer(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme == "Bearer":
        return value.strip()
    if scheme == "Basic":
        try:
            return base64.b64decode(value).decode().split(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def parse_params(request: Request) -> Json:
    """Parse query and body: bracketed form fields for v1, JSON for v2."""
    try:
        pairs = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
        if request.path.startswith("/v2/") and request.method == "POST":
            body = json.loads(request.raw or b"{}")
            if not isinstance(body, dict):
                raise invalid("The request body must be a JSON object.")
            return body
        pairs += parse_qsl(request.raw.decode("utf-8"), keep_blank_values=True)
    except ValueError as error:
        raise invalid("The request could not be parsed.") from error
    return nest(pairs)


def nest(pairs: list[tuple[str, str]]) -> Json:
    """Turn `a[b][0]=c` into nested dictionaries.

    Raises StripeError 400 when a name is used both as a value and as a container.
    """
    document: Json = {}
    for name, value in pairs:
        parts = [name.split("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        node = document
        for part in parts[:-1]:
            node = node.setdefault(part or str(len(node)), {})
            if not isinstance(node, dict):
                raise invalid(f"Invalid parameter name: {name}", param=name)
        node[parts[-1] or str(len(node))] = value
    return document


def _no_route(request: Request) -> StripeError:
    if exists_in_stripe(request.method, request.path):
        message = f"NOT IMPLEMENTED BY THE DOUBLE: {request.method} {request.path} (it exists in Stripe)."
        return StripeError(501, "api_error", message)
    return invalid(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)


def _refuse_raw_cards(double: Double, request: Request, caller: Caller) -> None:
    try:
        refuse_raw_cards(caller.params)
    except StripeError:
        place = f"{request.method} {request.path}"
        double.store.violations.append(f"card number sent with a secret key: {place}")
        raise


def _log(double: Double, request: Request, request_id: str, answer: Answer, fault: ApiFault | None) -> None:
    entry = {
        "id": request_id,
        "at": double.store.now(),
        "method": request.method,
        "path": request.path,
        "account": request.headers.get("Stripe-Account"),
        "idempotency_key": request.headers.get("Idempotency-Key"),
        "from_browser": bool(request.headers.get("Origin")),
        "status": answer.status or "no answer",
        "replayed": "Idempotent-Replayed" in answer.headers,
        "fault": fault.kind if fault else None,
    }
    double.store.log(double.store.requests, entry)
