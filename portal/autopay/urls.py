"""Addresses of autopay on a tenant's host, included as `pay/autopay/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.autopay import views

app_name = "autopay"

urlpatterns: list[URLPattern] = [
    path("", views.show, name="show"),
    path("set-up", views.set_up, name="set_up"),
    path("<uuid:mandate_id>/terms", views.terms, name="terms"),
    path("<uuid:mandate_id>/change", views.change, name="change"),
    path("<uuid:mandate_id>/permission.pdf", views.permission, name="permission"),
    path("skip/<uuid:charge_id>", views.skip, name="skip"),
]
