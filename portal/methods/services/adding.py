"""Keeps a card or bank account on file: row first, Stripe without a transaction, then the answer (PAY-05, PAY-12)."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from infra.ids import uuid7
from portal.methods import errors, setups
from portal.methods.setups import MethodFacts, SetupFacts
from portal.payments.errors import PaymentsOff, TooManyDeclines
from portal.payments.intents import AnswerUnknown, NotExecuted, NotSent
from portal.payments.models import PaymentMethod
from portal.payments.payers import Payer
from portal.payments.services.card_testing import ADDED, refuse_card_testing
from portal.payments.services.on_file import choose_default, end_method, lock_customer, move_mandates, tell
from portal.payments.services.settle import account_of
from portal.payments.services.stripe_customers import ensure_stripe_customer
from tenants.audit import SYSTEM, Actor, record
from tenants.context import TenantContext

log = logging.getLogger("porchlight.methods")
State = PaymentMethod.State
TENANT_URLS = "config.urls_tenant"
TOKEN = re.compile(r"ctoken_\w{1,57}")
# Stripe forgets a key after a day: until then the same call can be repeated to the letter (PAY-06).
KEY_LIVES = timedelta(hours=23)
DEPOSITS_LIVE = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Addition:
    """What the browser sent; `replaces` is the method whose place the new one takes."""

    form_key: UUID
    token: str
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A method as it is now; the secret only when the payer's bank wants an answer."""

    row: PaymentMethod
    client_secret: str = field(default="", repr=False)
    account_id: str = ""


def add_method(
    *,
    context: TenantContext,
    customer_id: UUID,
    portal_user_id: UUID,
    addition: Addition,
    excluded: list[str],
    by: Actor,
    now: datetime,
) -> Added:
    """Keep what the form's token stands for; raises MethodRefused before Stripe is asked.

    Must run outside any transaction. The same form key, however often and however parallel, is one method (F5).
    """
    account = context.tenant.payment_account
    if account is None or not account.can_charge:
        raise errors.MethodsOff
    if not TOKEN.fullmatch(addition.token):
        raise errors.FormReused
    try:
        stripe_customer = ensure_stripe_customer(context=context, customer_id=customer_id, now=now)
    except PaymentsOff as error:
        raise errors.MethodsOff from error
    row_id = uuid7()
    request = setups.build_setup(
        row_id=row_id,
        tenant_id=context.tenant.id,
        customer=stripe_customer,
        token=addition.token,
        return_url=context.tenant.url(reverse("methods:added", args=[row_id], urlconf=TENANT_URLS)),
        excluded=excluded,
    )
    with transaction.atomic():
        lock_customer(customer_id)
        known = PaymentMethod.objects.filter(form_key=addition.form_key).first()
        if known:
            if (known.bill_to_id, known.added_by_id) != (customer_id, portal_user_id):
                raise errors.FormReused
            return Added(known)
        try:
            refuse_card_testing(payer=Payer(portal_user_id=portal_user_id), bill_to_id=customer_id, ip=by.ip, now=now)
        except TooManyDeclines as error:
            raise errors.TooManyDeclines from error
        old = _replaced(customer_id, addition.replaces)
        row = PaymentMethod.objects.create(
            id=row_id,
            bill_to_id=customer_id,
            added_by_id=portal_user_id,
            replaces=old,
            form_key=addition.form_key,
            request=request,
            created_at=now,
        )
        record(ADDED, by=by, now=now, target=row)
    try:
        return _ask(context, row, now)
    except NotSent:
        # Stripe went away in this moment: the first call of this addition was never sent, so nothing can come of it.
        return Added(_fail(row.pk, "not_now", "", now))


def _replaced(customer_id: UUID, method_id: UUID | None) -> PaymentMethod | None:
    if method_id is None:
        return None
    old = PaymentMethod.objects.filter(pk=method_id, bill_to_id=customer_id, state__in=PaymentMethod.LIVE).first()
    if old is None:
        raise errors.UnknownMethod
    return old


def _ask(context: TenantContext, row: PaymentMethod, now: datetime) -> Added:
    """Make the stored call, or repeat it; raises NotSent.

    No answer leaves the row as it is: looking later finds out (F1).
    """
    account_id = account_of(context)
    try:
        answer = setups.create_setup(account_id, row.request, key=str(row.pk))
    except NotSent:
        raise
    except AnswerUnknown as error:
        log.warning("a setup is in doubt", extra={"method": str(row.pk), "error": repr(error.__cause__)})
        return Added(row)
    if isinstance(answer, NotExecuted):
        return Added(_fail(row.pk, answer.code, "", now))
    return _apply(context, account_id, row.pk, answer, now)


def settle_method(*, context: TenantContext, method_id: UUID, now: datetime) -> Added:
    """Ask Stripe how an addition stands and apply it; safe to repeat. Must run outside any transaction."""
    row = PaymentMethod.objects.get(pk=method_id)
    if row.state not in PaymentMethod.UNSETTLED:
        return Added(row)
    if row.stripe_si_id is None:
        if now - row.created_at < KEY_LIVES:
            try:
                return _ask(context, row, now)
            except NotSent:
                return Added(row)  # what an earlier call did is still to be found out
        return Added(_fail(row.pk, "expired", "", now))
    account_id = account_of(context)
    over = now - row.created_at > (DEPOSITS_LIVE if row.state == State.VERIFYING else KEY_LIVES)
    try:
        facts = setups.retrieve_setup(account_id, row.stripe_si_id)
        if over and facts.status == "requires_action":
            facts = setups.cancel_setup(account_id, facts.id)
    except AnswerUnknown:
        return Added(row)
    return _apply(context, account_id, row.pk, facts, now)


def _apply(context: TenantContext, account_id: str, row_id: UUID, facts: SetupFacts, now: datetime) -> Added:
    row = apply_setup(row_id=row_id, facts=facts, now=now)
    asks = row.state == State.ADDING and facts.status == "requires_action"
    return Added(row, facts.client_secret if asks else "", account_id)


@transaction.atomic
def apply_setup(*, row_id: UUID, facts: SetupFacts, now: datetime) -> PaymentMethod:
    """Make the row equal to what Stripe says of its SetupIntent: any number of times."""
    row = PaymentMethod.objects.get(pk=row_id)
    lock_customer(row.bill_to_id)
    row = PaymentMethod.objects.select_for_update().get(pk=row_id)
    if row.state not in PaymentMethod.UNSETTLED:
        return row
    row.stripe_si_id = facts.id
    if facts.status == "succeeded" and facts.method:
        _activate(row, facts.method, now)
    elif facts.verify_url:
        _fill(row, facts.method)
        row.state, row.verify_url = State.VERIFYING, facts.verify_url
        row.save()
    elif facts.status in ("requires_payment_method", "canceled"):
        row.save(update_fields=["stripe_si_id"])
        return _fail(row_id, facts.failure_code or "expired", facts.decline_code, now)
    else:
        row.save(update_fields=["stripe_si_id"])
    return row


def _activate(row: PaymentMethod, facts: MethodFacts, now: datetime) -> None:
    # An event may have told of the method before this answer arrived: one method is one row.
    PaymentMethod.objects.filter(stripe_pm_id=facts.id).exclude(pk=row.pk).update(
        stripe_pm_id=None, state=State.DETACHED, is_default=False, ended_at=now
    )
    _fill(row, facts)
    row.state, row.activated_at, row.verify_url = State.ACTIVE, now, ""
    row.save()
    old = _superseded(row)
    siblings = PaymentMethod.objects.filter(bill_to=row.bill_to_id, is_default=True)
    if (old and old.is_default) or not siblings.exists():
        choose_default(row.bill_to_id, row.pk)
        row.is_default = True
    by = _adder(row)
    if old is None:
        tell(row, "added", by=by, now=now)
        return
    move_mandates(old, row)
    end_method(old, now=now)
    tell(row, "replaced", by=by, now=now, old=old)


def _superseded(row: PaymentMethod) -> PaymentMethod | None:
    """Return the method whose place this one takes: the named one, or the same card or account added again."""
    live = PaymentMethod.objects.filter(bill_to=row.bill_to_id, state__in=PaymentMethod.LIVE).exclude(pk=row.pk)
    if row.replaces_id:
        return live.filter(pk=row.replaces_id).first()
    return live.filter(fingerprint=row.fingerprint, kind=row.kind).first() if row.fingerprint else None


def _fill(row: PaymentMethod, facts: MethodFacts | None) -> None:
    if facts is None:
        return
    row.stripe_pm_id = facts.id
    row.kind, row.brand, row.last4 = facts.kind, facts.brand[:60], facts.last4[:4]
    row.fingerprint = facts.fingerprint[:64]
    row.exp_month, row.exp_year = facts.exp_month, facts.exp_year


def _adder(row: PaymentMethod) -> Actor:
    user = row.added_by
    return Actor("customer", user.pk, user.display_name or user.email) if user else SYSTEM


@transaction.atomic
def _fail(row_id: UUID, code: str, decline_code: str, now: datetime) -> PaymentMethod:
    """End an addition that brought nothing."""
    ended = PaymentMethod.objects.filter(pk=row_id, state__in=PaymentMethod.UNSETTLED).update(
        state=State.FAILED, failure_code=code[:60], decline_code=decline_code[:60], ended_at=now, verify_url=""
    )
    row = PaymentMethod.objects.get(pk=row_id)
    if ended:
        record("payment_method.failed", by=SYSTEM, now=now, target=row, after={"failure_code": code})
    return row


def adopt_method(
    *, customer_id: UUID, facts: MethodFacts, portal_user_id: UUID | None, now: datetime
) -> PaymentMethod | None:
    """Keep a method that was saved while paying, or in Stripe's dashboard; None when an addition will bring it."""
    with transaction.atomic():
        lock_customer(customer_id)
        known = PaymentMethod.objects.filter(stripe_pm_id=facts.id).first()
        if known:
            return known
        under_way = PaymentMethod.objects.filter(bill_to_id=customer_id, state=State.ADDING)
        if portal_user_id is None and under_way.filter(created_at__gt=now - timedelta(hours=1)).exists():
            return None
        row = PaymentMethod(bill_to_id=customer_id, added_by_id=portal_user_id, created_at=now)
        _activate(row, facts, now)
        return row
