"""Addresses at which the office ends an estimate, included by the office."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.payments import estimate_office

urlpatterns: list[URLPattern] = [
    path("estimates/<uuid:estimate_id>/cancel", estimate_office.cancel, name="estimate_cancel"),
    path("estimates/<uuid:estimate_id>/invoice", estimate_office.make_invoice, name="estimate_invoice"),
]
