"""Addresses of the office's autopay pages, included as `payments/autopay` by the office."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.autopay import office_views

urlpatterns: list[URLPattern] = [
    path("", office_views.mandate_list, name="payment_mandates"),
    path("/<uuid:mandate_id>", office_views.mandate, name="payment_mandate"),
    path("/<uuid:mandate_id>/change", office_views.act, name="payment_mandate_act"),
    path("/<uuid:mandate_id>/permission.pdf", office_views.permission, name="payment_mandate_pdf"),
]
