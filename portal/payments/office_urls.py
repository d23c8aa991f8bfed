"""Addresses of payments and their set-up, included as `payments/` by the office."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.payments import (
    office_credits,
    office_differences,
    office_money,
    office_proposals,
    office_recording,
    office_rules,
    office_views,
)

urlpatterns: list[URLPattern] = [
    path("", office_views.setup, name="payments_setup"),
    path("connect", office_views.connect, name="payments_connect"),
    path("bank", office_views.ask_for_bank, name="payments_bank"),
    path("return", office_views.come_back, name="payments_return"),
    path("rules", office_rules.rules, name="payments_rules"),
    path("received", office_money.payment_list, name="payment_list"),
    path("received/<uuid:payment_id>", office_money.payment, name="payment_detail"),
    path("received/<uuid:payment_id>/reverse", office_recording.reverse_recorded, name="payment_reverse"),
    path("refunds/<uuid:proposal_id>", office_proposals.proposal, name="payment_proposal"),
    path("record/<uuid:customer_id>", office_recording.record, name="payment_record"),
    path("differences", office_differences.differences, name="payment_differences"),
    path("differences/settle", office_differences.settle, name="payment_difference_settle"),
    path("credits", office_credits.credit_list, name="credits"),
    path("credits/<uuid:credit_id>", office_credits.credit, name="credit"),
    path("credits/<uuid:credit_id>/apply", office_credits.apply, name="credit_apply"),
    path("credits/<uuid:credit_id>/refund", office_credits.refund_credit, name="credit_refund"),
    path("received/<uuid:payment_id>/refund", office_money.refund, name="payment_refund"),
]
