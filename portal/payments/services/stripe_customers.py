"""The customer's counterpart on the company's own Stripe account: made once, under a stored key."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction

from infra.stripe_client import tenant_stripe
from portal.customers.models import ContactPoint, Customer
from portal.payments.errors import PaymentsOff
from portal.payments.services.settle import account_of
from tenants.context import TenantContext
from tenants.schema.models import IdempotencyKey

SCOPE = "stripe.customer"


def ensure_stripe_customer(*, context: TenantContext, customer_id: UUID, now: datetime) -> str:
    """Return the Stripe customer's id, creating it if need be; raises PaymentsOff when Stripe does not answer.

    Key and parameters are stored before the call, so that two payers, or a retry, reach the same customer. Should
    Stripe have forgotten the key, a second one is made: it holds no money and is used by nobody.
    """
    customer = Customer.objects.get(pk=customer_id)
    if customer.stripe_customer_id:
        return customer.stripe_customer_id
    key = f"cus:{customer_id}:v1"
    with transaction.atomic():
        row, _ = IdempotencyKey.objects.get_or_create(
            scope=SCOPE,
            key=key,
            defaults={"response": _describe(customer, context.tenant.id), "created_at": now},
        )
    try:
        made = _create(account_of(context), row, key)
    except stripe.StripeError as error:
        raise PaymentsOff from error
    Customer.objects.filter(pk=customer_id, stripe_customer_id__isnull=True).update(stripe_customer_id=made.id)
    return Customer.objects.values_list("stripe_customer_id", flat=True).get(pk=customer_id) or made.id


def _create(account_id: str, row: IdempotencyKey, key: str) -> stripe.Customer:
    params: Any = row.response or {}
    try:
        return tenant_stripe(account_id).v1.customers.create(params, {"idempotency_key": key})
    except stripe.InvalidRequestError as error:
        if error.param != "email" or "email" not in params:
            raise
    # An imported address that Stripe does not take must not keep its owner from paying; refused calls are not
    # kept under the key.
    params = {name: value for name, value in params.items() if name != "email"}
    IdempotencyKey.objects.filter(pk=row.pk).update(response=params)
    return tenant_stripe(account_id).v1.customers.create(params, {"idempotency_key": key})


def _describe(customer: Customer, tenant_id: UUID) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": customer.name,
        "metadata": {"tenant": str(tenant_id), "customer": str(customer.pk)},
    }
    email = (
        ContactPoint.objects.filter(contact__customer=customer, contact__archived_at=None, kind=ContactPoint.Kind.EMAIL)
        .order_by("-contact__is_primary", "-is_primary", "id")
        .values_list("value", flat=True)
        .first()
    )
    if email:
        described["email"] = email
    return described
