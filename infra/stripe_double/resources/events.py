"""Events and the endpoints they are sent to."""

from __future__ import annotations

from fnmatch import fnmatchcase

from stripe.params import (
    EventListParams,
    EventRetrieveParams,
    WebhookEndpointCreateParams,
    WebhookEndpointDeleteParams,
    WebhookEndpointListParams,
    WebhookEndpointRetrieveParams,
)

from infra.stripe_double.double import Call
from infra.stripe_double.errors import Json
from infra.stripe_double.listing import page
from infra.stripe_double.routing import route

KEPT_SECONDS = 30 * 86_400


@route("GET", "/v1/events", EventListParams)
def list_events(call: Call) -> Json:
    """List the events of the last 30 days, newest first."""
    wanted, types = call.params.get("type"), call.params.get("types")
    delivered = call.params.get("delivery_success")
    rows = [
        row
        for row in call.book.kind("event").values()
        if row["created"] > call.store.now() - KEPT_SECONDS
        and (not wanted or fnmatchcase(row["type"], wanted))
        and (not types or row["type"] in types)
        and (delivered is None or (row["pending_webhooks"] == 0) == delivered)
    ]
    return page(rows, call.params, url="/v1/events")


@route("GET", "/v1/events/{id}", EventRetrieveParams)
def retrieve_event(call: Call) -> Json:
    """Return an event."""
    return call.find("event", call.path["id"])


@route("POST", "/v1/webhook_endpoints", WebhookEndpointCreateParams)
def create_endpoint(call: Call) -> Json:
    """Create an endpoint; its secret is shown in this answer only."""
    secret = call.store.new_id("whsec_", 32)
    endpoint = call.create(
        "webhook_endpoint",
        "we_1",
        api_version=call.params.get("api_version"),
        description=call.params.get("description"),
        enabled_events=call.params["enabled_events"],
        metadata=call.params.get("metadata") or {},
        status="enabled",
        url=call.params["url"],
        _connect=bool(call.params.get("connect")),
        _secret=secret,
    )
    return {**endpoint, "secret": secret}


@route("GET", "/v1/webhook_endpoints", WebhookEndpointListParams)
def list_endpoints(call: Call) -> Json:
    """List the endpoints, newest first."""
    return page(list(call.book.kind("webhook_endpoint").values()), call.params, url="/v1/webhook_endpoints")


@route("GET", "/v1/webhook_endpoints/{webhook_endpoint}", WebhookEndpointRetrieveParams)
def retrieve_endpoint(call: Call) -> Json:
    """Return an endpoint without its secret."""
    return call.find("webhook_endpoint", call.path["webhook_endpoint"])


@route("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", WebhookEndpointDeleteParams)
def delete_endpoint(call: Call) -> Json:
    """Delete an endpoint."""
    endpoint = call.find("webhook_endpoint", call.path["webhook_endpoint"])
    del call.book.kind("webhook_endpoint")[endpoint["id"]]
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
