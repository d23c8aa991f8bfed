"""The demo's estimate: three ways to replace a heat pump, sent to the invited customer."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from portal.customers.models import ContactPoint, Location
from portal.estimates.models import Estimate
from portal.estimates.offer import Line, Offer, Option
from portal.estimates.services.drafting import Draft, create_estimate
from portal.invoices.selectors import company_day
from portal.sharing.services import send_estimate
from tenants.audit import Actor
from tenants.context import TenantContext

BASE = (("3-ton heat pump, installed", 618000), ("Old unit taken away", 0), ("10-year parts warranty", 0))
MORE = (("Two speeds, quiet at night", 94000), ("Smart thermostat", 28500))
BEST = (("Variable speed", 121000), ("10-year labor warranty", 64000))
EXTRAS = (("Surge protector", 18500, True), ("Duct sealing, about two hours", 42000, False))


def offer_estimate(email: str, context: TenantContext, by: Actor) -> None:
    """Send the customer with this address an estimate, unless there is one."""
    point = ContactPoint.objects.filter(value=email).select_related("contact__customer").first()
    if point is None or Estimate.objects.exists():
        return
    now, customer = timezone.now(), point.contact.customer
    today = company_day(context.tenant, now)
    offer = Offer(
        "Replace the heat pump",
        "As we saw on Tuesday: the old unit is 17 years old, and its compressor is failing.",
        860,
        "percent",
        3000,
        (
            _option("a", "Good", BASE),
            _option("b", "Better", BASE + MORE, recommended=True),
            _option("c", "Best", BASE + MORE + BEST),
        ),
    )
    draft = Draft(offer, _place_of(customer.pk), today + timedelta(days=21))
    estimate = create_estimate(customer_id=customer.pk, draft=draft, currency=context.tenant.currency, by=by, now=now)
    send_estimate(estimate_id=estimate.pk, to=email, today=today, by=by, now=now)


def _place_of(customer_id: UUID) -> UUID | None:
    return Location.objects.filter(customer_id=customer_id).values_list("pk", flat=True).first()


def _option(key: str, name: str, parts: tuple[tuple[str, int], ...], *, recommended: bool = False) -> Option:
    lines = [Line(f"{key}{n}", text, "1", cents, cents) for n, (text, cents) in enumerate(parts, 1)]
    lines += [
        Line(f"{key}{n}", text, "1", cents, cents, optional=True, preselected=ticked)
        for n, (text, cents, ticked) in enumerate(EXTRAS, len(lines) + 1)
    ]
    return Option(key, name, "", recommended, tuple(lines))
