"""What somebody pays: invoices, or the deposit on an estimate; locked, priced and held in one way (PAY-03, F6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import F

from portal.estimates.models import Estimate
from portal.estimates.policy import payable_deposit
from portal.invoices.models import Invoice
from portal.payments import deposits, errors, ledger, plans
from portal.payments.amounts import is_chargeable
from portal.payments.deposits import targets_of
from portal.payments.models import PaymentAttempt
from portal.payments.plans import PayRules, plan_of
from portal.payments.services.posting import lock_invoices
from portal.payments.services.settle import UNSETTLED


class Claim(ABC):
    """What is to be paid; `ids` are those of the invoices, or of the estimate, `called` is its name in the audit."""

    called: ClassVar[str]
    bill_to_id: UUID
    currency: str
    numbers: list[str]

    def __init__(self, ids: Sequence[UUID]) -> None:
        self.ids = list(ids)

    def decide_amount(self, seen_cents: int, part_cents: int | None, rules: PayRules) -> int:
        """Return what is paid now; raises PaymentRefused when what is due is not what the payer saw (PAY-03, F6)."""
        due = self.due()
        if len(due) > 1 and not rules.several:
            raise errors.PartNotAllowed
        amount = sum(due.values())
        if amount < seen_cents and (since := busy_since(self.bill_to_id, self.ids)):
            raise errors.SomebodyIsPaying(since)
        if not all(due.values()):
            raise errors.NotPayable
        if amount != seen_cents:
            raise errors.AmountChanged(amount)
        if part_cents is not None:
            self.check_part(part_cents, rules)
            amount = part_cents
        if not is_chargeable(amount, self.currency):
            raise errors.AmountOutOfRange
        return amount

    @abstractmethod
    def lock(self, bill_to_id: UUID) -> None:
        """Lock what is paid; raises NotPayable for what is not this customer's."""

    @abstractmethod
    def due(self) -> dict[UUID, int]:
        """Return what each locked part can take now."""

    @abstractmethod
    def check_part(self, part_cents: int, rules: PayRules) -> None:
        """Raise PaymentRefused for a part that may not be paid."""

    @abstractmethod
    def reserve(self, amount_cents: int) -> list[dict[str, Any]]:
        """Hold the amount and return the plan that says of what."""

    @abstractmethod
    def describe(self, plan: list[dict[str, Any]]) -> str:
        """Return what a plan pays, as the company reads it at Stripe."""


class InvoiceClaim(Claim):
    """Invoices of one account."""

    called = "invoices"
    invoices: list[Invoice]

    def lock(self, bill_to_id: UUID) -> None:
        """Lock the invoices."""
        self.invoices = [each for each in lock_invoices(self.ids) if each.bill_to_id == bill_to_id]
        if not self.invoices or len(self.invoices) != len(set(self.ids)):
            raise errors.NotPayable
        self.bill_to_id = bill_to_id
        self.currency = self.invoices[0].currency
        self.numbers = [invoice.number for invoice in self.invoices]

    def due(self) -> dict[UUID, int]:
        """Return what is due of the invoices."""
        room = ledger.room_of(self.invoices)
        return {invoice.pk: room.get(invoice.pk, 0) for invoice in self.invoices}

    def check_part(self, part_cents: int, rules: PayRules) -> None:
        """Refuse what the company's rules do not let be paid of these invoices."""
        plans.check_part(self.invoices, part_cents, rules)

    def reserve(self, amount_cents: int) -> list[dict[str, Any]]:
        """Hold the amount, the invoice that is due first first."""
        shares = plan_of(self.invoices, amount_cents)
        ledger.hold(shares, reserved=+1)
        return [{"invoice": str(share.invoice_id), "amount_cents": share.amount_cents} for share in shares]

    def describe(self, plan: list[dict[str, Any]]) -> str:
        """Return the numbers of the invoices that a plan pays."""
        numbers = {str(invoice.pk): invoice.number for invoice in self.invoices}
        return ", ".join(f"Invoice {numbers[line['invoice']]}" for line in plan)


class DepositClaim(Claim):
    """The deposit on one approved estimate, whole."""

    called = "deposit"
    estimate: Estimate

    def lock(self, bill_to_id: UUID) -> None:
        """Lock the estimate."""
        found = deposits.lock_estimates(self.ids).get(self.ids[0])
        if found is None or found.customer_id != bill_to_id:
            raise errors.NotPayable
        self.estimate = found
        self.bill_to_id = bill_to_id
        self.currency = found.currency
        self.numbers = [found.number]

    def due(self) -> dict[UUID, int]:
        """Return the deposit."""
        return {self.estimate.pk: payable_deposit(self.estimate)}

    def check_part(self, part_cents: int, rules: PayRules) -> None:
        """Refuse every part: a deposit is never paid in parts."""
        if part_cents != payable_deposit(self.estimate):
            raise errors.PartNotAllowed

    def reserve(self, amount_cents: int) -> list[dict[str, Any]]:
        """Hold the deposit."""
        Estimate.objects.filter(pk=self.estimate.pk).update(
            deposit_reserved_cents=F("deposit_reserved_cents") + amount_cents
        )
        return [{"estimate": str(self.estimate.pk), "amount_cents": amount_cents}]

    def describe(self, plan: list[dict[str, Any]]) -> str:
        """Return the estimate's number."""
        return f"Deposit on estimate {self.estimate.number}"


def busy_since(bill_to_id: UUID, ids: Iterable[UUID]) -> datetime | None:
    """Return since when somebody has been paying some of these; None when nobody is."""
    wanted = set(ids)
    holding = PaymentAttempt.objects.filter(bill_to_id=bill_to_id, state__in=UNSETTLED).order_by("-created_at")
    return next((attempt.created_at for attempt in holding if wanted & targets_of(attempt)), None)
