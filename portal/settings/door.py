"""Pages of a closed door."""

from django.http import HttpRequest, HttpResponse


def portal_off(request: HttpRequest) -> HttpResponse:
    """Say that the portal is switched off."""
    return HttpResponse(status=503)


def closed(request: HttpRequest) -> HttpResponse:
    """Say that nothing is served on this host now."""
    return HttpResponse(status=503)
