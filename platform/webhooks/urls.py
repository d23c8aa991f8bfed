"""Addresses at which other services report to the apex."""

from __future__ import annotations

from django.urls import URLPattern, path

from webhooks import views

app_name = "webhooks"

urlpatterns: list[URLPattern] = [path("stripe/<slug:scope>/", views.stripe_event, name="stripe")]
