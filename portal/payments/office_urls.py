"""Addresses of the payment set-up, included as `payments/` by the office."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.payments import office_views

urlpatterns: list[URLPattern] = [
    path("", office_views.setup, name="payments_setup"),
    path("connect", office_views.connect, name="payments_connect"),
    path("return", office_views.come_back, name="payments_return"),
]
