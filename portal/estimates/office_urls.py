"""Addresses of the office's lists and forms of estimates, included by the office."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.estimates import office_views

urlpatterns: list[URLPattern] = [
    path("estimates", office_views.estimate_list, name="estimates"),
    path("customers/<uuid:customer_id>/estimate", office_views.new, name="estimate_new"),
    path("estimates/<uuid:estimate_id>/edit", office_views.edit, name="estimate_edit"),
]
