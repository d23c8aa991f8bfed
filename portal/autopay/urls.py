"""Addresses of autopay on a tenant's host, included as `pay/autopay/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.autopay import views

app_name = "autopay"

urlpatterns: list[URLPattern] = [
    path("", views.show, name="show"),
    path("set-up", views.set_up, name="set_up"),
    path("change", views.change, name="change"),
    path("skip/<uuid:charge_id>", views.skip, name="skip"),
]
