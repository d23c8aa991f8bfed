"""Addresses of payments and their set-up, included as `payments/` by the office."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.payments import office_money, office_views

urlpatterns: list[URLPattern] = [
    path("", office_views.setup, name="payments_setup"),
    path("connect", office_views.connect, name="payments_connect"),
    path("return", office_views.come_back, name="payments_return"),
    path("received", office_money.payment_list, name="payment_list"),
    path("received/<uuid:payment_id>", office_money.payment, name="payment_detail"),
    path("received/<uuid:payment_id>/refund", office_money.refund, name="payment_refund"),
]
