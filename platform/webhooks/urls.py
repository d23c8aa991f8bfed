"""Addresses at which other services report to the apex."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "webhooks"

urlpatterns: list[URLPattern] = []
