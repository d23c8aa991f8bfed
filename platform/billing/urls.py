"""Addresses of the company's own plan, below its office."""

from django.urls import URLPattern, path

from billing import views

app_name = "billing"

urlpatterns: list[URLPattern] = [
    path("", views.plan, name="plan"),
    path("subscribe", views.subscribe, name="subscribe"),
    path("manage", views.manage, name="manage"),
    path("return", views.come_back, name="return"),
]
