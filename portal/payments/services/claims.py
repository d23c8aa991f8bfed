"""What somebody pays: invoices, or the deposit on an estimate; locked, priced and held in one way (PAY-03, F6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F

from portal.estimates.models import Estimate
from portal.estimates.policy import payable_deposit
from portal.invoices.models import Invoice
from portal.payments import deposits, errors
from portal.payments.amounts import is_chargeable
from portal.payments.deposits import targets_of
from portal.payments.ledger import PAYABLE, payable_cents
from portal.payments.models import PaymentAttempt
from portal.payments.plans import PayRules, check_part, plan_of
from portal.payments.services.posting import lock_invoices

if TYPE_CHECKING:
    from portal.payments.services.submit import Submission

State = PaymentAttempt.State


class Claim(ABC):
    """What is to be paid; `ids` are those of the invoices, or of the estimate."""

    currency: str
    description: str
    numbers: list[str]

    def __init__(self, ids: Sequence[UUID]) -> None:
        self.ids = list(ids)

    @abstractmethod
    def lock(self, bill_to_id: UUID) -> None:
        """Lock what is paid; raises NotPayable for what is not this customer's."""

    @abstractmethod
    def decide_amount(self, submission: Submission, rules: PayRules) -> int:
        """Return what is paid now; raises PaymentRefused when what is due is not what the payer saw (PAY-03, F6)."""

    @abstractmethod
    def reserve(self, amount_cents: int) -> list[dict[str, Any]]:
        """Hold the amount and return the plan that says of what."""


class InvoiceClaim(Claim):
    """Invoices of one account."""

    invoices: list[Invoice]

    def lock(self, bill_to_id: UUID) -> None:
        """Lock the invoices."""
        self.invoices = [each for each in lock_invoices(self.ids) if each.bill_to_id == bill_to_id]
        if len(self.invoices) != len(set(self.ids)):
            raise errors.NotPayable
        self.currency = self.invoices[0].currency
        self.numbers = [invoice.number for invoice in self.invoices]
        self.description = ""

    def decide_amount(self, submission: Submission, rules: PayRules) -> int:
        """Return what is due of the invoices, or the part that was asked for."""
        invoices, seen_cents = self.invoices, submission.seen_cents
        if len(invoices) > 1 and not rules.several:
            raise errors.PartNotAllowed
        amount = sum(payable_cents(invoice) for invoice in invoices if invoice.status in PAYABLE)
        held = [invoice for invoice in invoices if invoice.reserved_cents or invoice.pending_cents]
        if held and amount < seen_cents:
            raise errors.SomebodyIsPaying(_started_at(held[0].bill_to_id, {invoice.pk for invoice in held}))
        if amount == 0 or any(payable_cents(invoice) == 0 for invoice in invoices):
            raise errors.NotPayable
        if amount != seen_cents:
            raise errors.AmountChanged(amount)
        if submission.part_cents is not None:
            amount = submission.part_cents
            check_part(invoices, amount, rules)
        if not is_chargeable(amount, self.currency):
            raise errors.AmountOutOfRange
        return amount

    def reserve(self, amount_cents: int) -> list[dict[str, Any]]:
        """Hold the amount, the invoice that is due first first."""
        shares = plan_of(self.invoices, amount_cents)
        for share in shares:
            Invoice.objects.filter(pk=share.invoice_id).update(reserved_cents=F("reserved_cents") + share.amount_cents)
        numbers = {invoice.pk: invoice.number for invoice in self.invoices}
        self.description = ", ".join(f"Invoice {numbers[share.invoice_id]}" for share in shares)
        return [{"invoice": str(share.invoice_id), "amount_cents": share.amount_cents} for share in shares]


class DepositClaim(Claim):
    """The deposit on one approved estimate, whole."""

    estimate: Estimate

    def lock(self, bill_to_id: UUID) -> None:
        """Lock the estimate."""
        found = deposits.lock_estimates(self.ids).get(self.ids[0])
        if found is None or found.customer_id != bill_to_id:
            raise errors.NotPayable
        self.estimate = found
        self.currency = found.currency
        self.numbers = [found.number]
        self.description = f"Deposit on estimate {found.number}"

    def decide_amount(self, submission: Submission, rules: PayRules) -> int:
        """Return the deposit; it is never paid in parts."""
        estimate, amount = self.estimate, payable_deposit(self.estimate)
        if (estimate.deposit_reserved_cents or estimate.deposit_pending_cents) and amount < submission.seen_cents:
            raise errors.SomebodyIsPaying(_started_at(estimate.customer_id, {estimate.pk}))
        if amount == 0:
            raise errors.NotPayable
        if amount != submission.seen_cents:
            raise errors.AmountChanged(amount)
        if submission.part_cents not in (None, amount):
            raise errors.PartNotAllowed
        if not is_chargeable(amount, estimate.currency):
            raise errors.AmountOutOfRange
        return amount

    def reserve(self, amount_cents: int) -> list[dict[str, Any]]:
        """Hold the deposit."""
        Estimate.objects.filter(pk=self.estimate.pk).update(
            deposit_reserved_cents=F("deposit_reserved_cents") + amount_cents
        )
        return [{"estimate": str(self.estimate.pk), "amount_cents": amount_cents}]


def _started_at(bill_to_id: UUID, wanted: set[UUID]) -> datetime:
    holding = PaymentAttempt.objects.filter(bill_to_id=bill_to_id, state__in=[*PaymentAttempt.OPEN, State.PROCESSING])
    return max(attempt.created_at for attempt in holding if wanted & targets_of(attempt))
