"""Addresses of a customer's invoices, included as `invoices/`."""

from django.urls import path

from portal.invoices import views

app_name = "invoices"
urlpatterns = [
    path("", views.show_list, name="list"),
    path("<uuid:invoice_id>", views.show_invoice, name="detail"),
    path("<uuid:invoice_id>/pdf", views.download_invoice, name="pdf"),
]
