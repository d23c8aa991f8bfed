"""What the apex serves: landing, sign-up, the demo's mailbox, Stripe's webhooks."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("ui/", include("portal.ui.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("", include("signup.urls")),
]

handler403 = "portal.ui.errors.forbidden"
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.server_error"
