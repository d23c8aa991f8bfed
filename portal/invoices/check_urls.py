"""Addresses of the check whether an invoice is genuine, included as `check/`; open while the portal is off."""

from django.urls import path

from portal.invoices import check_views

app_name = "genuine"
urlpatterns = [
    path("", check_views.ask, name="ask"),
    path("<str:code>", check_views.check, name="check"),
]
