"""Removes a method, chooses the default, and follows what Stripe tells of methods (CARD-03, PAY-20)."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from portal.customers.models import Customer
from portal.methods import errors, setups
from portal.methods.services.adding import adopt_method, settle_method
from portal.payments.models import PaymentMethod
from portal.payments.services.on_file import (
    choose_default,
    end_method,
    is_needed,
    lock_customer,
    pause_mandates_of,
    tell,
)
from portal.payments.services.settle import account_of
from tenants.audit import SYSTEM, Actor, record
from tenants.context import TenantContext

log = logging.getLogger("porchlight.methods")
State = PaymentMethod.State


@transaction.atomic
def remove_method(*, customer_id: UUID, method_id: UUID, by: Actor, now: datetime) -> PaymentMethod:
    """Take a method off file; raises UnknownMethod, StillNeeded. It is unusable from now on, Stripe forgets it next."""
    row = _lock(customer_id, method_id, PaymentMethod.LIVE)
    if is_needed(row.pk):
        raise errors.StillNeeded
    was_default = row.is_default
    end_method(row, now=now)
    if was_default:
        choose_default(customer_id, None)
    tell(row, "removed", by=by, now=now)
    return row


@transaction.atomic
def make_default(*, customer_id: UUID, method_id: UUID, by: Actor, now: datetime) -> PaymentMethod:
    """Have the pay page offer this method first; raises UnknownMethod."""
    row = _lock(customer_id, method_id, (State.ACTIVE,))
    if not row.is_default:
        choose_default(customer_id, row.pk)
        row.is_default = True
        tell(row, "default", by=by, now=now)
    return row


def _lock(customer_id: UUID, method_id: UUID, states: tuple[str, ...]) -> PaymentMethod:
    lock_customer(customer_id)
    row = PaymentMethod.objects.filter(pk=method_id, bill_to_id=customer_id, state__in=states).first()
    if row is None:
        raise errors.UnknownMethod
    return row


def forget_at_stripe(*, context: TenantContext, method_id: UUID, now: datetime) -> bool:
    """Detach an ended method; True when it is gone. Raises AnswerUnknown. Must run outside any transaction.

    Whose it is is asked of Stripe, not believed: a row that names a stranger's method detaches nothing (PAY-20).
    """
    row = PaymentMethod.objects.select_related("bill_to").get(pk=method_id)
    account_id = account_of(context)
    facts = setups.retrieve_method(account_id, row.stripe_pm_id) if row.stripe_pm_id else None
    if facts is None or not facts.customer:
        return True
    if facts.customer != row.bill_to.stripe_customer_id:
        log.critical("a method on file belongs to somebody else", extra={"method": str(row.pk)})
        with transaction.atomic():
            record("payment_method.not_ours", by=SYSTEM, now=now, target=row)
        return False
    setups.detach_method(account_id, facts.id)
    return True


def look_at_method(*, context: TenantContext, account_id: str, method_id: str, now: datetime) -> None:
    """Make our row equal to a payment method that an event named; raises AnswerUnknown.

    A method of a customer who is not ours concerns nobody here: the company may use its Stripe account for more.
    """
    facts = setups.retrieve_method(account_id, method_id)
    row = PaymentMethod.objects.filter(stripe_pm_id=method_id).first()
    if row is None:
        customer = Customer.objects.filter(stripe_customer_id=facts.customer).first() if facts else None
        if facts and facts.customer and customer:
            adopt_method(customer_id=customer.pk, facts=facts, portal_user_id=None, now=now)
        return
    with transaction.atomic():
        lock_customer(row.bill_to_id)
        row.refresh_from_db()
        if row.state not in PaymentMethod.LIVE:
            return
        if facts is None or (not facts.customer and row.state != State.VERIFYING):
            was_default = row.is_default
            end_method(row, now=now)
            pause_mandates_of(row, now=now)
            if was_default:
                choose_default(row.bill_to_id, None)
            tell(row, "ended", by=SYSTEM, now=now)
            return
        changed = {"exp_month": facts.exp_month, "exp_year": facts.exp_year, "last4": facts.last4[:4]}
        if any(getattr(row, name) != value for name, value in changed.items()):
            PaymentMethod.objects.filter(pk=row.pk).update(**changed)
            record("payment_method.updated", by=SYSTEM, now=now, target=row, after={"last4": facts.last4})


def look_at_setup(*, context: TenantContext, intent_id: str, now: datetime) -> None:
    """Settle the addition whose SetupIntent an event named; one that is not ours is nobody's here."""
    row = PaymentMethod.objects.filter(stripe_si_id=intent_id).first()
    if row:
        settle_method(context=context, method_id=row.pk, now=now)


def has_unsettled_methods() -> bool:
    """Whether an addition of the tenant in scope waits for its end."""
    return PaymentMethod.objects.filter(state__in=PaymentMethod.UNSETTLED).exists()


def resume_methods(*, context: TenantContext, now: datetime) -> int:
    """Look at every addition that has no end yet; return how many."""
    waiting = list(PaymentMethod.objects.filter(state__in=PaymentMethod.UNSETTLED).order_by("id"))
    for row in waiting:
        settle_method(context=context, method_id=row.pk, now=now)
    return len(waiting)
