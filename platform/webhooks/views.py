"""The address that Stripe calls."""

from __future__ import annotations

import logging

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from webhooks.services.receive import SCOPES, BadEvent, BadSignature, note_refused, receive_event

log = logging.getLogger("porchlight.webhooks")
BODY_LIMIT = 512 * 1024


@csrf_exempt
@require_POST
@transaction.non_atomic_requests
def stripe_event(request: HttpRequest, scope: str) -> HttpResponse:
    """Store the event, commit, then say 200; a bad signature is 400, audited, and nothing is stored (F12)."""
    if scope not in SCOPES:
        return HttpResponse(status=404)
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdigit() or int(length) > BODY_LIMIT:
        return HttpResponse(status=413)
    try:
        receive_event(
            scope=scope,
            body=request.body,
            signature=request.headers.get("Stripe-Signature", ""),
            now=timezone.now(),
        )
    except (BadSignature, BadEvent) as error:
        reason = type(error).__name__
        log.warning("webhook refused", extra={"scope": scope, "reason": reason})
        note_refused(scope=scope, reason=reason, now=timezone.now())
        return HttpResponse(status=400)
    return HttpResponse(status=200)
