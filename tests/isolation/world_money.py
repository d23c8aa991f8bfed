"""The rows of Acme's money that the isolation tests try to reach from elsewhere."""

from __future__ import annotations

from datetime import timedelta

from infra.ids import uuid7
from portal.accounts.models import PortalUser
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments.models import (
    AutopayCharge,
    AutopayMandate,
    Credit,
    Payment,
    PaymentAllocation,
    PaymentAttempt,
    PaymentMethod,
    RefundProposal,
)
from tests.cast import NOW


def make_attempt(customer: Customer, user: PortalUser, invoice: Invoice) -> PaymentAttempt:
    """A payment that went through last month, with its receipt."""
    attempt = PaymentAttempt.objects.create(
        bill_to=customer,
        portal_user=user,
        form_key=uuid7(),
        plan=[{"invoice": str(invoice.pk), "amount_cents": 100}],
        plan_hash="zebra",
        request_hash="zebra",
        method_kind="card",
        amount_cents=100,
        currency="USD",
        state=PaymentAttempt.State.SUCCEEDED,
        created_at=NOW,
        submitted_at=NOW,
        expires_at=NOW,
        closed_at=NOW,
    )
    payment = Payment.objects.create(
        bill_to=customer,
        attempt=attempt,
        origin=Payment.Origin.PORTAL,
        status=Payment.Status.SUCCEEDED,
        amount_cents=100,
        currency="USD",
        received_cents=100,
        allocated_cents=100,
        method={"kind": "card", "brand": "visa", "last4": "4242"},
        receipt_no="ZEBRA-R1",
        initiated_at=NOW,
        succeeded_at=NOW,
        created_at=NOW,
    )
    PaymentAllocation.objects.create(payment=payment, invoice=invoice, amount_cents=100, created_at=NOW)
    Credit.objects.create(
        customer=customer,
        origin=Credit.Origin.OVERPAYMENT,
        payment=payment,
        amount_cents=765432,
        remaining_cents=765432,
        currency="USD",
        created_at=NOW,
    )
    return attempt


def make_proposal(payment: Payment) -> RefundProposal:
    """A refund that waits for a second person."""
    return RefundProposal.objects.create(
        payment=payment,
        amount_cents=100,
        currency="USD",
        lines=[{"invoice": None, "amount_cents": 100, "effect": "reopen"}],
        reason="other",
        note="zebra-proposal",
        form_key=uuid7(),
        proposed_by=uuid7(),
        proposed_by_name="zebra-proposer",
        created_at=NOW,
    )


def make_method(customer: Customer, user: PortalUser) -> PaymentMethod:
    """A card on file."""
    return PaymentMethod.objects.create(
        bill_to=customer,
        added_by=user,
        kind=PaymentMethod.Kind.CARD,
        brand="zebra",
        last4="4242",
        exp_month=12,
        exp_year=2034,
        state=PaymentMethod.State.ACTIVE,
        is_default=True,
        stripe_pm_id="pm_acct_acme",
        created_at=NOW,
        activated_at=NOW,
    )


def make_charge(method: PaymentMethod, user: PortalUser, invoice: Invoice) -> AutopayCharge:
    """Autopay that is going to charge the invoice."""
    mandate = AutopayMandate.objects.create(
        bill_to=method.bill_to,
        method=method,
        cap_cents=1_000_000,
        notice_days=5,
        text_version="zebra",
        agreed={"text": "zebra-text", "place": "zebra-place"},
        authorised_by=user,
        authorised_at=NOW,
        created_at=NOW,
    )
    return AutopayCharge.objects.create(
        mandate=mandate,
        invoice=invoice,
        amount_cents=765432,
        planned_on=(NOW + timedelta(days=3650)).date(),
        announced_at=NOW,
        created_at=NOW,
    )
