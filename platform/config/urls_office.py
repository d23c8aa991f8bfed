"""What a company's host serves while the portal is switched off: the office, links, and one page for its customers."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from portal.settings.door import portal_off

office_patterns: list[URLPattern | URLResolver] = [
    path("ui/", include("portal.ui.urls")),
    path("brand/", include("portal.settings.urls")),
    path("office/plan/", include("billing.urls")),
    path("office/", include("portal.office.urls")),
    path("check/", include("portal.invoices.check_urls")),
    path("s/", include("portal.sharing.urls")),
]
urlpatterns = [*office_patterns, re_path(r"^(?!office(?:/|$)|ui/|static/).*$", portal_off)]

handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
