"""What several pages read about credit and about bank payments that brought nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from portal.invoices.models import Invoice
from portal.payments.declines import words_for
from portal.payments.dispute_words import reason_words
from portal.payments.ledger import PAYABLE
from portal.payments.models import Credit, Payment
from portal.payments.services.posting import shares_of

# After this long a failed debit is history; the invoice itself says that it is due.
SHOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FailedDebit:
    """A bank payment that brought nothing, or was taken back, while what it was for is still open."""

    invoice_id: UUID
    number: str
    amount_cents: int
    currency: str
    at: datetime
    returned: bool
    reason: str


def failed_debits(customer_ids: Sequence[UUID], now: datetime) -> list[FailedDebit]:
    """Return each open invoice's last bank payment if it failed or came back; the newest first (F16, F17)."""
    recent = Payment.objects.filter(
        bill_to_id__in=customer_ids, attempt__isnull=False, attempt__method_kind="us_bank_account"
    ).filter(initiated_at__gte=now - SHOWN_FOR)
    last: dict[UUID, Payment] = {}
    for payment in recent.select_related("attempt").order_by("-initiated_at", "-id"):
        for share in shares_of(payment.attempt):  # type: ignore[arg-type]
            last.setdefault(share.invoice_id, payment)
    failed = {pk: p for pk, p in last.items() if p.status in (Payment.Status.FAILED, Payment.Status.LOST)}
    still_open = Invoice.objects.filter(pk__in=failed, status__in=PAYABLE, pending_cents=0)
    return [_failed(invoice, failed[invoice.pk]) for invoice in still_open.order_by("due_on", "number")]


def _failed(invoice: Invoice, payment: Payment) -> FailedDebit:
    returned = payment.status == Payment.Status.LOST
    if returned:
        dispute = payment.disputes.order_by("-id").first()
        reason = reason_words(dispute.reason) if dispute else _("The bank took it back")
    else:
        reason = words_for(payment.failure_code, "", "us_bank_account")[0]
    return FailedDebit(
        invoice.pk, invoice.number, payment.amount_cents, payment.currency, payment.initiated_at, returned, reason
    )


def credits_of(customer_id: UUID) -> list[Credit]:
    """Return the credits of a customer of which something is left, oldest first."""
    return list(Credit.objects.filter(customer_id=customer_id, remaining_cents__gt=0).order_by("id"))


def count_credits() -> int:
    """Return how many credits wait to be applied or given back."""
    return Credit.objects.filter(remaining_cents__gt=0).count()
