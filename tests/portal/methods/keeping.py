"""What tests of methods on file do: keep one, look at them, ask Stripe what it keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from infra.stripe_client import tenant_stripe
from portal.accounts.models import PortalUser
from portal.customers.models import Customer
from portal.methods.services.adding import Added, Addition, add_method
from portal.payments.models import PaymentMethod
from tenants.audit import Actor
from tenants.config.services import write_owner_settings
from tests.cast import ACME
from tests.portal.payments.bench import Bench


def keep(
    bench: Bench,
    method: str = "pm_card_visa",
    *,
    user: str = "alice@example.com",
    form_key: UUID | None = None,
    token: str = "",
    replaces: UUID | None = None,
    now: datetime | None = None,
) -> Added:
    """Put a method on file as the page does."""
    with bench.acme() as context:
        person = PortalUser.objects.get(email=user)
        return add_method(
            context=context,
            customer_id=person.accesses.get().customer_id,
            portal_user_id=person.pk,
            addition=Addition(form_key or uuid4(), token or bench.token(method), replaces),
            excluded=[],
            by=Actor("customer", person.pk, person.display_name),
            now=now or timezone.now(),
        )


def methods(bench: Bench, **wanted: Any) -> list[PaymentMethod]:
    """Return Acme's methods as they are now, oldest first."""
    with bench.acme():
        return list(PaymentMethod.objects.filter(**wanted).order_by("id"))


def at_stripe(bench: Bench, number: str = "C-1001") -> list[str]:
    """Return what Stripe keeps of a customer, by the last four digits."""
    with bench.acme():
        customer = Customer.objects.get(number=number).stripe_customer_id
    found = tenant_stripe(bench.account).v1.payment_methods.list({"customer": str(customer), "limit": 100}).data
    return sorted(each.card.last4 if each.card else each.us_bank_account.last4 for each in found)  # type: ignore[union-attr,misc]


def choose(bench: Bench, **values: Any) -> None:
    """Set settings as the owner does; double underscores stand for dots."""
    with bench.acme() as context:
        version = context.tenant.config_version
    write_owner_settings(
        tenant_id=ACME,
        values={name.replace("__", "."): value for name, value in values.items()},
        expected_version=version,
        by=Actor("staff", None, "Olive Owens"),
        now=timezone.now(),
    )
