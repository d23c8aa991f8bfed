"""Addresses of the payment pages on a tenant's host."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.payments import views

app_name = "payments"

urlpatterns: list[URLPattern] = [
    path("pay/", views.pay_several, name="pay_several"),
    path("pay/<uuid:invoice_id>", views.pay, name="pay"),
    path("pay/deposit/<uuid:estimate_id>", views.pay_deposit, name="deposit"),
    path("pay/result/<uuid:attempt_id>", views.result, name="result"),
    path("pay/result/<uuid:attempt_id>/status", views.status, name="status"),
]
