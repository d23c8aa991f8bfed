"""Allow autopay, run its job on some day, look at what came of it; for tests."""

from __future__ import annotations

from uuid import UUID

from django.core import mail
from django.utils import timezone

from portal.accounts.models import PortalUser
from portal.autopay.agreement import Consent
from portal.autopay.services import charging, mandates
from portal.autopay.services.mandates import Terms
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments.models import AutopayCharge, AutopayMandate, PaymentMethod
from tenants.audit import Actor
from tenants.schema.models import OutboxEvent
from tests.portal.methods.keeping import keep
from tests.portal.payments.bench import Bench, later

State, Charge = AutopayMandate.State, AutopayCharge.State
ALICE = Actor("customer", None, "Alice Archer", "203.0.113.9")
NOTICE = 5
CONSENT = Consent("I allow it.", "en")


def allow(
    bench: Bench,
    method: str = "pm_card_visa",
    *,
    row: PaymentMethod | None = None,
    fallback: UUID | None = None,
    cap: int = 100_000,
    month_cap: int | None = None,
    location: UUID | None = None,
    voids: bool = True,
) -> AutopayMandate:
    """Put a method on file and allow autopay with it; invoice 1042 (overdue, $412.50) is Alice's to be charged."""
    row = row or keep(bench, method).row
    with bench.acme():
        user = PortalUser.objects.get(email="alice@example.com")
        customer = Customer.objects.get(number="C-1001")
        if voids:
            Invoice.objects.filter(number="1043").update(status="void", voided_at=timezone.now())
        return mandates.authorise(
            customer_id=customer.pk,
            portal_user_id=user.pk,
            terms=Terms(row.pk, cap, NOTICE, fallback, month_cap, location),
            consent=CONSENT,
            by=ALICE,
            now=timezone.now(),
        )


def run(bench: Bench, days: float = 0) -> None:
    """Run the job at a later day; its mails do not wait for that day."""
    with bench.acme() as context:
        charging.run_autopay(context=context, now=later(days=days))
        OutboxEvent.objects.filter(state="waiting").update(next_at=later())


def charge_of(bench: Bench) -> AutopayCharge:
    with bench.acme():
        return AutopayCharge.objects.select_related("mandate", "invoice").get()


def mails(bench: Bench, to: str = "alice@example.com") -> list[str]:
    bench.deliver_mail()
    return [str(m.subject) for m in mail.outbox if m.to == [to]]
