"""What a company's host serves while it is held, closing or in maintenance: one page."""

from django.urls import URLPattern, URLResolver, re_path

from portal.settings.door import closed

urlpatterns: list[URLPattern | URLResolver] = [re_path(r"", closed)]

handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
