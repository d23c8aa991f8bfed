"""Serves the company's logo: a re-encoded picture from our own list of types, sandboxed (UPL-02, UPL-03)."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.settings.models import CompanyProfile

YEAR = 365 * 24 * 60 * 60


@require_safe
def show_logo(request: HttpRequest, key: str) -> HttpResponse:
    """Answer with the company's present logo; its key changes with its content, so it may be kept for ever."""
    profile = CompanyProfile.objects.select_related("logo").filter(pk=1, logo__kind="logo").first()
    if profile is None or profile.logo is None:
        raise Http404
    logo = profile.logo
    if logo.storage_key.rpartition("/")[2] != key or logo.content_type != "image/png":
        raise Http404
    try:
        with default_storage.open(logo.storage_key) as file:
            response = HttpResponse(file.read(), content_type="image/png")
    except FileNotFoundError as error:
        raise Http404 from error
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
