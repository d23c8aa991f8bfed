"""What a company's host serves while its door is open: portal and office."""

from django.urls import URLPattern, URLResolver, include, path

from config.urls_office import office_patterns

urlpatterns: list[URLPattern | URLResolver] = [
    *office_patterns,
    path("", include("portal.home.urls")),
    path("", include("portal.accounts.urls")),
    path("invoices/statement", include("portal.statements.urls")),
    path("invoices/", include("portal.invoices.urls")),
    path("estimates/", include("portal.estimates.urls")),
    path("pay/autopay/", include("portal.autopay.urls")),
    path("pay/methods/", include("portal.methods.urls")),
    path("", include("portal.payments.urls")),
]

handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
