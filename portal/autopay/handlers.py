"""Sends what follows autopay: each mail once, to the people who may see the billing, and to the office."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.utils import timezone

from portal.autopay import letters
from portal.autopay.document import pdf_name, render_permission_pdf
from portal.autopay.services.charging import ANNOUNCED, FAILED, OVER_CAP
from portal.autopay.services.mandates import CHANGED
from portal.customers.models import Customer
from portal.messaging.services import Attachment, Related, reader_of, was_sent
from portal.methods.handlers import people_of
from portal.payments.links import link_to
from portal.payments.models import AutopayCharge, AutopayMandate
from portal.payments.readers import Letter, send_letter, tell_office
from portal.settings.brand import load_brand
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent

MakeLetter = Callable[[], Letter]


@handles(CHANGED)
def tell_of_change(context: TenantContext, event: OutboxEvent) -> None:
    """Mail customer and office that autopay was turned on, paused, resumed or ended."""
    rows = AutopayMandate.objects.select_related("bill_to", "method", "fallback", "location")
    mandate = rows.get(pk=UUID(event.payload["mandate"]))
    change, by = event.payload["change"], event.payload["by"]
    # Customers are told that it was the office, not who of it.
    seen_by = context.tenant.display_name if event.payload.get("office") else by
    about = Related("autopay", mandate.pk)

    def make(who: str) -> MakeLetter:
        return lambda: letters.change_letter(context, mandate, change, who)

    def permission() -> Sequence[Attachment]:
        data = render_permission_pdf(mandate, load_brand(context.tenant), context.tenant)
        return (Attachment(pdf_name(mandate), "application/pdf", data),)

    tell_office(context, event, make=make(by), kind="autopay_changed_office", about=about)
    files = permission if change == "authorised" else None
    path = letters.autopay_path()
    _to_people(context, event, mandate.bill_to, make(seen_by), "autopay_changed", about, path, files)


@handles(ANNOUNCED)
def give_notice(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer what is charged when, unless that has changed since."""
    charge = _charge(event)
    if charge.state == AutopayCharge.State.ANNOUNCED and charge.mandate.state == AutopayMandate.State.ACTIVE:
        about, path = Related("autopay", charge.mandate_id), letters.autopay_path()
        customer = charge.mandate.bill_to
        _to_people(
            context, event, customer, lambda: letters.notice_letter(context, charge), "autopay_notice", about, path
        )


@handles(OVER_CAP)
def tell_of_cap(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer that an invoice is above the limit and waits for them."""
    charge = _charge(event)
    about, path = Related("autopay", charge.mandate_id), letters.pay_path(charge)
    customer = charge.mandate.bill_to
    _to_people(
        context, event, customer, lambda: letters.over_cap_letter(context, charge), "autopay_over_cap", about, path
    )


@handles(FAILED)
def tell_of_failure(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer why a charge failed, with a link that pays it, and the office (F15)."""
    charge, step = _charge(event), event.payload["step"]
    about, path = Related("autopay", charge.mandate_id), letters.pay_path(charge)
    tell_office(
        context,
        event,
        make=lambda: letters.office_failure_letter(context, charge, step),
        kind="autopay_failed_office",
        about=about,
    )
    customer = charge.mandate.bill_to
    _to_people(
        context, event, customer, lambda: letters.failure_letter(context, charge, step), "autopay_failed", about, path
    )


def _charge(event: OutboxEvent) -> AutopayCharge:
    rows = AutopayCharge.objects.select_related("mandate__bill_to", "mandate__method", "invoice")
    return rows.get(pk=UUID(event.payload["charge"]))


def _to_people(
    context: TenantContext,
    event: OutboxEvent,
    customer: Customer,
    make: MakeLetter,
    kind: str,
    about: Related,
    path: str,
    files: Callable[[], Sequence[Attachment]] | None = None,
) -> None:
    for user, reader in people_of(customer):
        key = f"{event.key}:{user.pk}"
        if was_sent(key):
            continue
        with reader_of(context.tenant, reader.language):
            letter = make()
        link = link_to(context, user, path, now=timezone.now())
        attached = files() if files else ()
        send_letter(
            context, event, to=reader, letter=letter, kind=kind, about=about, key=key, link=link, attachments=attached
        )
