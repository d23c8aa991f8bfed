"""Addresses of the payment pages on a tenant's host."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "payments"

urlpatterns: list[URLPattern] = []
