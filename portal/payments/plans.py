"""What an amount pays: which invoices, in which order, and which amounts are too small to be left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.amounts import MINIMUM_CENTS
from portal.payments.ledger import Share, payable_cents
from tenants.config.registry import (
    CARDS_ALLOW_ADD,
    METHODS_SECTION,
    PAY_METHODS,
    PAY_MULTI,
    PAY_PARTIAL,
    PAY_PARTIAL_MIN,
)
from tenants.config.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PayRules:
    """What the company lets its customers pay at once (PAY-02…08, C-10, C-11)."""

    partial: str = "off"
    minimum_cents: int = 0
    several: bool = False
    methods: tuple[str, ...] = ("card", "ach")
    lets_save: bool = False

    def lets_pay_part_of(self, count: int) -> bool:
        """Whether a part may be paid of so many invoices."""
        return self.partial == "any" or (self.partial == "single_invoice" and count == 1)


def rules_of(settings: Snapshot) -> PayRules:
    """Return the company's rules."""
    methods = settings.get(PAY_METHODS)
    return PayRules(
        settings.get(PAY_PARTIAL),
        settings.get(PAY_PARTIAL_MIN),
        settings.get(PAY_MULTI),
        tuple(methods),
        lets_save=settings.get(METHODS_SECTION) == "show" and settings.get(CARDS_ALLOW_ADD),
    )


def plan_of(invoices: Sequence[Invoice], amount_cents: int) -> list[Share]:
    """Spread an amount over invoices, the one that is due first first (PAY-07). Pure."""
    plan, left = [], amount_cents
    for invoice in sorted(invoices, key=lambda each: (each.due_on, each.number)):
        part = min(left, payable_cents(invoice))
        if part > 0:
            plan.append(Share(invoice.pk, part))
            left -= part
    return plan


def check_part(invoices: Sequence[Invoice], amount_cents: int, rules: PayRules) -> None:
    """Raise PaymentRefused for a part that may not be paid; the whole amount always may (PAY-05, PAY-06).

    What a part leaves of an invoice must be nothing or large enough to be paid by card one day.
    """
    payable = {invoice.pk: payable_cents(invoice) for invoice in invoices}
    total = sum(payable.values())
    if amount_cents == total:
        return
    if not rules.lets_pay_part_of(len(invoices)):
        raise errors.PartNotAllowed
    if amount_cents > total:
        raise errors.PartTooLarge(total)
    if amount_cents < min(rules.minimum_cents, total):
        raise errors.PartTooSmall(min(rules.minimum_cents, total))
    smallest = MINIMUM_CENTS.get(invoices[0].currency, 50)
    for share in plan_of(invoices, amount_cents):
        left = payable[share.invoice_id] - share.amount_cents
        if 0 < left < smallest:
            raise errors.LeavesTooLittle(left, smallest)
