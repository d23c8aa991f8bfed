"""Addresses of a customer's estimates, included as `estimates/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.estimates import views

app_name = "estimates"

urlpatterns: list[URLPattern] = [
    path("", views.show_list, name="list"),
    path("<uuid:estimate_id>", views.show_estimate, name="detail"),
    path("<uuid:estimate_id>/approve", views.approve, name="approve"),
    path("<uuid:estimate_id>/answer", views.answer, name="answer"),
    path("<uuid:estimate_id>/again", views.again, name="again"),
    path("<uuid:estimate_id>/pdf", views.download, name="pdf"),
]
