"""What stands on a pay page: invoices of one account, or the deposit on an estimate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypedDict
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.estimates.models import Estimate
from portal.estimates.policy import payable_deposit
from portal.invoices.models import Invoice
from portal.invoices.rows import address_of, title_of
from portal.payments.ledger import room_of
from portal.payments.models import PaymentAttempt
from portal.payments.payers import Payer
from portal.payments.services.submit import own_waiting
from portal.payments.tills import Till


class Targets(TypedDict, total=False):
    """What the service is told to have paid."""

    invoice_ids: list[UUID]
    estimate_id: UUID


@dataclass(frozen=True, slots=True)
class PayLine:
    """One part of what is paid."""

    label: str
    cents: int


class Bill(ABC):
    """What is to be paid on one page; `takes_parts` when less than the whole can be paid of its kind at all."""

    takes_parts: ClassVar[bool]
    bill_to_id: UUID
    currency: str
    ids: list[UUID]

    def payable(self, payer: Payer) -> dict[UUID, int]:
        """Return what this payer may pay of each part now: what they left at their bank's page is theirs again."""
        mine = dict.fromkeys(self.ids, 0)
        for attempt in own_waiting(self.ids, payer):
            for line in attempt.plan:
                target = UUID(line.get("invoice") or line["estimate"])
                if target in mine:
                    mine[target] += line["amount_cents"]
        room = self.room()
        return {pk: room[pk] + mine[pk] if pk in room else 0 for pk in self.ids}

    @abstractmethod
    def room(self) -> dict[UUID, int]:
        """Return what is due and not held of each part that takes money at all."""

    @abstractmethod
    def is_paid(self) -> bool:
        """Whether all of it has been paid, so that its own page says more than a pay page."""

    @abstractmethod
    def fresh(self) -> Bill:
        """Return the same, read anew."""

    @abstractmethod
    def targets(self) -> Targets:
        """Return what the service is told to have paid."""

    @abstractmethod
    def address(self, till: Till) -> str:
        """Return where it is paid at this till."""

    @abstractmethod
    def portal_address(self) -> str:
        """Return where it is paid by somebody who signs in."""

    @abstractmethod
    def back(self, till: Till) -> tuple[str, str]:
        """Return address and name of the page before."""

    @abstractmethod
    def title(self) -> str:
        """Return in a few words what is paid."""

    @abstractmethod
    def lines(self, payable: dict[UUID, int]) -> tuple[PayLine, ...]:
        """Return its parts."""


class InvoiceBill(Bill):
    """Invoices of one account."""

    takes_parts = True

    def __init__(self, invoices: Sequence[Invoice]) -> None:
        self.invoices = list(invoices)
        self.ids = [invoice.pk for invoice in self.invoices]
        self.bill_to_id = self.invoices[0].bill_to_id
        self.currency = self.invoices[0].currency

    def room(self) -> dict[UUID, int]:
        """Return what is due of the open invoices."""
        return room_of(self.invoices)

    def is_paid(self) -> bool:
        """Whether every invoice is paid."""
        return all(invoice.status == Invoice.Status.PAID for invoice in self.invoices)

    def fresh(self) -> InvoiceBill:
        """Return the invoices, read anew."""
        found = Invoice.objects.select_related("bill_to", "location").in_bulk(self.ids)
        return InvoiceBill([found[pk] for pk in self.ids])

    def targets(self) -> Targets:
        """Return the invoices."""
        return {"invoice_ids": self.ids}

    def address(self, till: Till) -> str:
        """Return where these invoices are paid."""
        return till.pay_address(self.ids)

    def portal_address(self) -> str:
        """Return where the first of them is paid in the portal."""
        return _in_portal("payments:pay", self.ids[0])

    def back(self, till: Till) -> tuple[str, str]:
        """Return the invoice's page, or the list of all."""
        if len(self.invoices) > 1:
            return till.list_address(), _("Invoices")
        return till.invoice_address(self.ids[0]), _("Invoice %(number)s") % {"number": self.invoices[0].number}

    def title(self) -> str:
        """Return what the invoice is for, or how many they are."""
        count = len(self.invoices)
        if count > 1:
            words = ngettext("%(counter)s invoice in one payment", "%(counter)s invoices in one payment", count)
            return words % {"counter": count}
        where = address_of(self.invoices[0].location)
        return " · ".join(part for part in (title_of(self.invoices[0]), where) if part)

    def lines(self, payable: dict[UUID, int]) -> tuple[PayLine, ...]:
        """Return the invoices with what is paid of each."""
        return tuple(
            PayLine(_("Invoice %(number)s") % {"number": invoice.number}, payable[invoice.pk])
            for invoice in self.invoices
        )


class DepositBill(Bill):
    """The deposit on one estimate."""

    takes_parts = False

    def __init__(self, estimate: Estimate) -> None:
        self.estimate = estimate
        self.ids = [estimate.pk]
        self.bill_to_id = estimate.customer_id
        self.currency = estimate.currency

    def room(self) -> dict[UUID, int]:
        """Return the deposit on an approved estimate."""
        is_open = self.estimate.status == Estimate.Status.APPROVED
        return {self.estimate.pk: payable_deposit(self.estimate)} if is_open else {}

    def is_paid(self) -> bool:
        """Whether the whole deposit has arrived, or none was agreed."""
        return bool(self.estimate.deposit_paid_cents >= self.estimate.deposit_cents)

    def fresh(self) -> DepositBill:
        """Return the deposit as it is now."""
        return DepositBill(Estimate.objects.select_related("location").get(pk=self.estimate.pk))

    def targets(self) -> Targets:
        """Return the estimate."""
        return {"estimate_id": self.estimate.pk}

    def address(self, till: Till) -> str:
        """Return where the deposit is paid."""
        return till.deposit_address(self.estimate.pk)

    def portal_address(self) -> str:
        """Return where the deposit is paid in the portal."""
        return _in_portal("payments:deposit", self.estimate.pk)

    def back(self, till: Till) -> tuple[str, str]:
        """Return the estimate's page."""
        name = _("Estimate %(number)s") % {"number": self.estimate.number}
        return till.estimate_address(self.estimate.pk), name

    def title(self) -> str:
        """Return what the estimate is for."""
        where = address_of(self.estimate.location)
        return " · ".join(part for part in (self.estimate.title, where) if part)

    def lines(self, payable: dict[UUID, int]) -> tuple[PayLine, ...]:
        """Return the deposit."""
        return (PayLine(deposit_words(self.estimate.number), payable[self.estimate.pk]),)


def _in_portal(name: str, pk: UUID) -> str:
    """Return an address of the portal; nothing while it is off."""
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


def deposit_words(number: str) -> str:
    """Return how a deposit is called on receipts and pay pages."""
    return _("Deposit on estimate %(number)s") % {"number": number}


def address_after(attempt: PaymentAttempt, till: Till) -> str:
    """Return where what an attempt was to pay can be paid again."""
    line = attempt.plan[0]
    if "estimate" in line:
        return till.deposit_address(UUID(line["estimate"]))
    return till.pay_address([each["invoice"] for each in attempt.plan])
