"""A link to Acme's invoice, a browser that holds it, and an attempt made through it."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from infra.ids import uuid7
from portal.estimates.models import Estimate
from portal.estimates.offer import Line, Offer, Option
from portal.estimates.services.drafting import Draft, create_estimate
from portal.estimates.services.sending import publish_estimate
from portal.invoices.models import Invoice
from portal.payments.models import PaymentAttempt
from portal.sharing.browser import cookie_name, new_keyring
from portal.sharing.links import Minted, mint_link
from portal.sharing.models import ShareLink
from tenants.audit import SYSTEM
from tests.cast import NOW


def plant_estimate(customer_id: UUID) -> dict[str, str]:
    """Make an estimate that waits for an answer, and a link to it; return the ids by parameter."""
    only = Option("a", "zebra-option", "zebra", False, (Line("a1", "zebra-line", "1", 765432, 765432),))
    offer = Offer("zebra-title", "zebra-summary", 0, "percent", 3000, (only,))
    estimate = create_estimate(
        customer_id=customer_id, draft=Draft(offer, None, None), currency="USD", by=SYSTEM, now=NOW
    )
    Estimate.objects.filter(pk=estimate.pk).update(number="ZEBRA-E1")
    estimate = publish_estimate(estimate_id=estimate.pk, today=NOW.date(), by=SYSTEM, now=NOW)
    link = _mail(estimate=estimate)
    ids = {f"sharing:{name}.token": link.token for name in ("approve", "answer", "again")}
    return ids | {"estimate_id": str(estimate.pk)}


def plant_link(invoice: Invoice) -> tuple[dict[str, str], dict[str, str]]:
    """Make them, and return the ids by parameter and the cookie of the browser."""
    link = _mail(invoice=invoice)
    ring = new_keyring().with_token(link.token)
    attempt = PaymentAttempt.objects.create(
        bill_to_id=invoice.bill_to_id,
        share_link_id=link.row.pk,
        payer_browser=ring.browser_hash,
        payer_name="zebra payer",
        form_key=uuid7(),
        plan=[{"invoice": str(invoice.pk), "amount_cents": 100}],
        plan_hash="zebra",
        request_hash="zebra",
        amount_cents=100,
        currency="USD",
        state=PaymentAttempt.State.EXPIRED,
        created_at=NOW,
        expires_at=NOW,
        closed_at=NOW,
    )
    ids = {f"sharing:{name}.token": link.token for name in ("show", "pdf", "begin", "fresh")}
    ids |= {f"sharing:{name}.attempt_id": str(attempt.pk) for name in ("paid", "status")}
    ids |= {"link_id": str(link.row.pk)}
    ids |= plant_estimate(invoice.bill_to_id)
    return ids, {cookie_name(): ".".join((ring.browser, *ring.tokens))}


def _mail(*, invoice: Invoice | None = None, estimate: Estimate | None = None) -> Minted:
    return mint_link(
        invoice=invoice,
        estimate=estimate,
        channel=ShareLink.Channel.EMAIL,
        recipient="alice@example.com",
        days=90,
        by=SYSTEM,
        now=timezone.now(),
    )
