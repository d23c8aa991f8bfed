"""From the Host header to a proven tenant, once per request; everything unsure ends in the same neutral answer."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import connection
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.utils import timezone

from infra.ids import uuid7
from infra.observability import tag
from tenants import neutral
from tenants.activity import note_activity
from tenants.backend.refusals import ScopeNotApplied
from tenants.context import (
    IdentityMismatch,
    Place,
    TenantContext,
    UnknownTenant,
    find_place,
    forget_place,
    prove_and_read,
    prove_tenant,
)
from tenants.first_read import keep_first_read, reader_for
from tenants.hosts import Host, HostNames, UnknownHost, read_host
from tenants.scope import Scope, control_scope, enter, make_tenant_scope

log = logging.getLogger("porchlight.tenants")
GetResponse = Callable[[HttpRequest], HttpResponseBase]

request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestMiddleware:
    """Names the request and answers the health checks, which need no tenant (ISO-17, OPS-06)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = request_id.set(uuid7().hex)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id.get())
        try:
            if request.path == "/healthz":
                return JsonResponse({"status": "ok", "release": settings.ENV.release})
            if request.path == "/readyz":
                return _ready()
            response = self.get_response(request)
            response["X-Request-Id"] = request_id.get()
            # Here and not further in: refusals, redirects and files carry them too (WEB-05).
            response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(self)"
            response["Cross-Origin-Resource-Policy"] = "same-origin"
            return response
        finally:
            request_id.reset(token)


def _ready() -> HttpResponse:
    try:
        with control_scope(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tenants_epoch")
            cursor.fetchone()
    except Exception:
        log.exception("not ready")
        return JsonResponse({"status": "database unavailable"}, status=503)
    return JsonResponse({"status": "ready"})


def host_names() -> HostNames:
    """Return the names of this installation."""
    env = settings.ENV
    also = frozenset({"localhost", "127.0.0.1"}) if env.demo else frozenset()
    default_port = "443" if env.public_scheme == "https" else "80"
    return HostNames(env.base_domain, env.console_host, env.usercontent_host, also, default_port)


class HostMiddleware:
    """Resolves the host, opens the scope, proves it, and picks the URL map that the door allows."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.names = host_names()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            host = read_host(request.META.get("HTTP_HOST", ""), self.names)
        except UnknownHost as error:
            if error.suspicious:
                log.warning("suspicious host", extra={"host": error.host})
            return neutral.not_found()
        if not host.canonical and request.method in ("GET", "HEAD"):
            address = settings.ENV.url_for_host(host.name, request.get_full_path())
            return HttpResponsePermanentRedirect(address, preserve_request=True)
        self._set_host(request, host)
        if host.kind == "tenant":
            return self._serve_tenant(request, host)
        request.urlconf = f"config.urls_{host.kind}"
        with control_scope() as scope:
            touch_database()
            return keep_scope(self.get_response(request), scope)

    def _set_host(self, request: HttpRequest, host: Host) -> None:
        """Fix the one spelling of the host for everything that asks the request for it.

        Browsers leave the scheme's own port out of Origin, so it must not stand here either.
        """
        _, colon, port = request.META["HTTP_HOST"].partition(":")
        named = f"{colon}{port}" if port != self.names.default_port else ""
        request.META["HTTP_HOST"] = f"{host.name}{named}"
        request.host = host  # type: ignore[attr-defined]

    def _serve_tenant(self, request: HttpRequest, host: Host) -> HttpResponseBase:
        assert host.slug
        try:
            place = find_place(host.slug)
        except UnknownTenant:
            return neutral.not_found()
        scope = make_tenant_scope(place.tenant_id, place.schema_name)
        with enter(scope):
            context = self._prove(request, place, host.slug)
            if context.access.door == "unknown":
                forget_place(host.slug)  # who never opens gives the address back; only opened ones have it for ever
            if request.path == PROBE_PATH:
                return answer_probe(request, context)
            urlconf = URLCONF_BY_DOOR.get(context.access.door)
            if urlconf is None:
                log.warning("tenant is not routable", extra={"reasons": context.access.reasons})
                return neutral.not_found() if context.access.door == "unknown" else neutral.broken()
            name = str(place.tenant_id)
            tag(tenant=name)
            structlog.contextvars.bind_contextvars(tenant=name)
            request.urlconf = urlconf
            request.context = context  # type: ignore[attr-defined]
            request.tenant = context.tenant  # type: ignore[attr-defined]
            request.settings = context.settings  # type: ignore[attr-defined]
            response = keep_scope(self.get_response(request), scope)
        note_activity(place.tenant_id)
        return response

    def _prove(self, request: HttpRequest, place: Place, slug: str) -> TenantContext:
        """Prove the place and read along what pages of this path begin with; forget a place that proves wrong."""
        now = timezone.now()
        reader = reader_for(request.path)
        try:
            if reader is None:
                return prove_tenant(place.tenant_id, now)
            context, answer = prove_and_read(place.tenant_id, now, lambda: reader(request, place.tenant_id, now))
        except ScopeNotApplied:
            forget_place(slug)
            raise
        except IdentityMismatch:
            forget_place(slug)
            log.critical("tenant identity mismatch", extra={"tenant": str(place.tenant_id)})
            raise
        keep_first_read(request, reader, answer)
        return context


def touch_database() -> None:
    """Enter the scope outside any transaction, where a dead connection is replaced unnoticed."""
    connection.cursor().close()


URLCONF_BY_DOOR = {
    "open": "config.urls_tenant",
    "portal_off": "config.urls_office",
    "held": "config.urls_closed",
    "maintenance": "config.urls_closed",
    "closing": "config.urls_closed",
}


def keep_scope(response: HttpResponseBase, scope: Scope) -> HttpResponseBase:
    """Run a streamed body in the scope of its request, however late it is consumed (ISO-18, D34)."""
    if isinstance(response, StreamingHttpResponse) and not response.is_async:
        body = iter(response.streaming_content)  # type: ignore[arg-type]
        response.streaming_content = _scoped(body, scope)
    return response


def _scoped(body: Iterator[bytes], scope: Scope) -> Iterator[bytes]:
    while True:
        with enter(scope):
            try:
                chunk = next(body)
            except StopIteration:
                return
        yield chunk


class OriginMiddleware:
    """Refuses unsafe requests that another site sent, siblings included (WEB-01, WEB-02)."""

    SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in self.SAFE:
            if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
                return HttpResponse(status=405)
            if self._is_foreign(request):
                return neutral.forbidden_origin()
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    def _is_foreign(self, request: HttpRequest) -> bool:
        if request.META.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
            return True
        origin = request.META.get("HTTP_ORIGIN")
        if origin is None:
            # Browsers older than the two headers still say which page the form stood on; programs say nothing.
            page = urlsplit(request.META.get("HTTP_REFERER", ""))
            origin = f"{page.scheme}://{page.netloc}" if page.netloc else None
        scheme = "https" if request.is_secure() else "http"
        return origin is not None and bool(origin != f"{scheme}://{request.META['HTTP_HOST']}")


# -- the probe: the front door answers for a tenant that is not open yet, to us alone (platform.md 3.5, step 9) --
PROBE_PATH = "/_probe"
PROBE_SECONDS = 60


def sign_probe(tenant_id: str, at: int) -> str:
    """Return the signature that a probe for this tenant carries."""
    message = f"probe:{tenant_id}:{at}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()


def answer_probe(request: HttpRequest, context: TenantContext) -> HttpResponse:
    """Answer our own probe with the tenant that was reached; to anybody else this path does not exist."""
    at, _, signature = request.META.get("HTTP_X_PORCHLIGHT_PROBE", "").partition(":")
    tenant_id = str(context.tenant.id)
    fresh = at.isdigit() and abs(time.time() - int(at)) < PROBE_SECONDS
    if not fresh or not hmac.compare_digest(signature, sign_probe(tenant_id, int(at))):
        return neutral.not_found()
    return JsonResponse(
        {
            "tenant": tenant_id,
            "schema": context.tenant.schema_name,
            "release": settings.ENV.release,
            "process": os.getpid(),
            "config_version": context.tenant.config_version,
            "flag_epoch": context.tenant.flag_epoch,
        }
    )
