"""Signing in and out as a customer."""

from django.urls import URLPattern

app_name = "accounts"
urlpatterns: list[URLPattern] = []
