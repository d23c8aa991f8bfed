"""The addresses of the apex site: landing, sign-up, progress."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "signup"

urlpatterns: list[URLPattern] = []
