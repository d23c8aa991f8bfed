"""The connected Stripe account of a tenant, as the control plane knows it (PAY-08, PAY-17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from tenants.audit import Actor, record_control
from tenants.models import PaymentAccount
from tenants.scope import control_scope, settings_scope


class AccountIsAnothers(RuntimeError):
    """The account belongs to another tenant, or the tenant already has another account; nothing was written."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What Stripe says of an account, fetched just now."""

    account_id: str
    livemode: bool
    card_payments: str
    details_submitted: bool
    requirements: tuple[str, ...]
    disconnected: bool = False
    bank_payments: str = ""


def write_payment_account(*, tenant_id: UUID, state: AccountState, by: Actor, now: datetime) -> bool:
    """Store what Stripe said and return whether anything changed; raises AccountIsAnothers (PAY-17).

    A change raises config_version, so that every process sees it with its next request.
    """
    with settings_scope(), transaction.atomic():
        # The version row is the tenant's lock: two refreshes of one account follow one another.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tenants_tenant WHERE id = %s FOR UPDATE", [tenant_id])
        known = PaymentAccount.objects.filter(tenant_id=tenant_id).first()
        if known is None:
            if PaymentAccount.objects.filter(account_id=state.account_id).exists():
                raise AccountIsAnothers
            known = PaymentAccount(tenant_id=tenant_id, account_id=state.account_id, created_at=now)
            before = None
        elif known.account_id != state.account_id:
            raise AccountIsAnothers
        else:
            before = _shown(known)
        known.livemode = state.livemode
        known.card_payments = state.card_payments
        known.bank_payments = state.bank_payments
        known.details_submitted = state.details_submitted
        known.requirements = list(state.requirements)
        known.disconnected_at = (known.disconnected_at or now) if state.disconnected else None
        known.checked_at = now
        known.save()
        after = _shown(known)
        if before == after:
            return False
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tenants_tenant SET config_version = config_version + 1 WHERE id = %s", [tenant_id])
        record_control(
            "payments.account_changed",
            by=by,
            now=now,
            tenant_id=tenant_id,
            target=state.account_id,
            before=before,
            after=after,
            visible_to_tenant=True,
        )
    return True


def _shown(account: PaymentAccount) -> dict[str, object]:
    return {
        "account": account.account_id,
        "livemode": account.livemode,
        "card_payments": account.card_payments,
        "bank_payments": account.bank_payments,
        "details_submitted": account.details_submitted,
        "requirements": list(account.requirements),
        "disconnected": account.disconnected_at is not None,
    }


def read_payment_account(tenant_id: UUID) -> PaymentAccount | None:
    """Return the tenant's account with its requirements, also while it is disconnected."""
    with settings_scope():
        return PaymentAccount.objects.filter(tenant_id=tenant_id).first()


def find_tenant_of_account(account_id: str) -> UUID | None:
    """Return whose account this is; the only way from an event to a tenant (PAY-08)."""
    with control_scope():
        return PaymentAccount.objects.filter(account_id=account_id).values_list("tenant_id", flat=True).first()


def tenants_that_take_payments() -> list[UUID]:
    """Return every tenant that has, or had, a connected account."""
    with control_scope():
        return list(PaymentAccount.objects.order_by("tenant_id").values_list("tenant_id", flat=True))
