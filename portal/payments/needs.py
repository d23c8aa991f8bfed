"""What about money and estimates waits for somebody in the office, most urgent first (F-17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.estimates.models import Estimate
from portal.payments.dispute_words import state_words
from portal.payments.ledger import PAYABLE
from portal.payments.models import AutopayCharge, Dispute, Refund, RefundProposal
from portal.payments.services.reconcile import open_differences
from portal.ui.formats import format_money, format_weekday_date

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do, with where to do it."""

    url: str
    icon: str
    title: str
    sub: str


def needs() -> list[Need]:
    """Return disputes, autopay that failed twice, refunds to decide, estimates to change, differences to Stripe."""
    return [*_disputes(), *_autopay(), *_proposals(), *_refunds(), *_estimates(), *_differences()]


def _estimates() -> list[Need]:
    """Return the estimates that customers want to be different."""
    wanted = Estimate.objects.filter(status=Estimate.Status.CHANGES_REQUESTED).select_related("customer")
    return [
        Need(
            reverse("office:estimate", args=[each.pk]),
            "file-text",
            _("%(name)s asks for changes of estimate %(number)s") % {"name": each.customer.name, "number": each.number},
            each.title,
        )
        for each in wanted.order_by("decided_at")[:SHOWN]
    ]


def _autopay() -> list[Need]:
    failed = AutopayCharge.objects.filter(
        state=AutopayCharge.State.HANDED_OVER, invoice__status__in=PAYABLE
    ).select_related("mandate__bill_to", "invoice")
    return [
        Need(
            reverse("office:payment_mandate", args=[charge.mandate_id]),
            "triangle-alert",
            _("Autopay of %(name)s failed twice: %(amount)s")
            % _names(charge.mandate.bill_to.name, charge.amount_cents, charge.invoice.currency),
            _("Invoice %(number)s is to be paid by hand") % {"number": charge.invoice.number},
        )
        for charge in failed.order_by("id")[:SHOWN]
    ]


def _disputes() -> list[Need]:
    waiting = Dispute.objects.filter(status__endswith="needs_response").select_related("payment__bill_to")
    return [
        Need(
            _url(dispute.payment_id),
            "triangle-alert",
            _("%(name)s: %(amount)s") % _names(dispute.payment.bill_to.name, dispute.amount_cents, dispute.currency),
            f"{state_words(dispute)}{_until(dispute.due_by)}",
        )
        for dispute in waiting.order_by("due_by")[:SHOWN]
    ]


def _proposals() -> list[Need]:
    waiting = RefundProposal.objects.filter(state=RefundProposal.State.WAITING).select_related("payment__bill_to")
    return [
        Need(
            reverse("office:payment_proposal", args=[each.pk]),
            "users",
            _("%(name)s: %(amount)s") % _names(each.payment.bill_to.name, each.amount_cents, each.currency),
            _("%(who)s asks for a refund. A second person decides.") % {"who": each.proposed_by_name},
        )
        for each in waiting.order_by("created_at")[:SHOWN]
    ]


def _refunds() -> list[Need]:
    """Return refunds that came back and that nothing has replaced yet."""
    failed = Refund.objects.filter(state=Refund.State.FAILED, stripe_refund_id__isnull=False)
    rows = failed.filter(payment__refunded_cents=0, payment__disputed_out_cents=0).select_related("payment__bill_to")
    return [
        Need(
            _url(refund.payment_id),
            "rotate-ccw",
            _("%(name)s: %(amount)s") % _names(refund.payment.bill_to.name, refund.amount_cents, refund.currency),
            _("The refund came back. Find another way to pay it."),
        )
        for refund in rows.order_by("-created_at")[:SHOWN]
    ]


def _differences() -> list[Need]:
    count = len(open_differences())
    if not count:
        return []
    title = ngettext("%(n)s difference to Stripe", "%(n)s differences to Stripe", count) % {"n": count}
    return [Need(reverse("office:payment_differences"), "circle-alert", title, _("Look into it and write down why."))]


def _names(name: str, cents: int, currency: str) -> dict[str, str]:
    return {"name": name, "amount": format_money(cents, currency)}


def _until(due_by: datetime | None) -> str:
    return " · " + _("by %(date)s") % {"date": format_weekday_date(due_by)} if due_by else ""


def _url(payment_id: object) -> str:
    return reverse("office:payment_detail", args=[payment_id])
