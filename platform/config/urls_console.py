"""What the operators' host serves."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("ui/", include("portal.ui.urls")),
    path("", include("console.urls")),
]
