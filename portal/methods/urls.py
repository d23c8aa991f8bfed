"""Addresses of methods on file on a tenant's host, included as `pay/methods/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.methods import views

app_name = "methods"

urlpatterns: list[URLPattern] = [
    path("", views.show_methods, name="list"),
    path("add", views.add, name="add"),
    path("added/<uuid:method_id>", views.added, name="added"),
    path("<uuid:method_id>/replace", views.replace, name="replace"),
    path("<uuid:method_id>/default", views.default, name="default"),
    path("<uuid:method_id>/remove", views.remove, name="remove"),
]
