"""Addresses of the company's own files, included as `brand/`."""

from django.urls import path

from portal.settings import views

app_name = "brand"
urlpatterns = [path("logo/<str:key>", views.show_logo, name="logo")]
