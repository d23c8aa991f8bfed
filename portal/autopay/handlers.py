"""Sends what follows autopay: each mail once, to the people who may see the billing, and to the office."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from portal.autopay import letters
from portal.autopay.document import pdf_name, render_permission_pdf
from portal.autopay.services.charging import ANNOUNCED, FAILED, OVER_CAP
from portal.autopay.services.mandates import CHANGED
from portal.messaging.services import Attachment, Related
from portal.methods.handlers import tell_people
from portal.payments.models import AutopayCharge, AutopayMandate
from portal.payments.readers import MakeLetter, tell_office
from portal.settings.brand import load_brand
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent


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
    tell_people(
        context,
        event,
        mandate.bill_to,
        make(seen_by),
        kind="autopay_changed",
        about=about,
        path=letters.autopay_path(),
        files=permission if change == "authorised" else tuple,
    )


@handles(ANNOUNCED)
def give_notice(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer what is charged when, unless that has changed since."""
    charge = _charge(event)
    if charge.state == AutopayCharge.State.ANNOUNCED and charge.mandate.state == AutopayMandate.State.ACTIVE:
        tell_people(
            context,
            event,
            charge.mandate.bill_to,
            lambda: letters.notice_letter(context, charge),
            kind="autopay_notice",
            about=Related("autopay", charge.mandate_id),
            path=letters.autopay_path(),
        )


@handles(OVER_CAP)
def tell_of_cap(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer that an invoice is above the limit and waits for them."""
    charge = _charge(event)
    tell_people(
        context,
        event,
        charge.mandate.bill_to,
        lambda: letters.over_cap_letter(context, charge),
        kind="autopay_over_cap",
        about=Related("autopay", charge.mandate_id),
        path=letters.pay_path(charge),
    )


@handles(FAILED)
def tell_of_failure(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer why a charge failed, with a link that pays it, and the office (F15)."""
    charge, step = _charge(event), event.payload["step"]
    about = Related("autopay", charge.mandate_id)
    tell_office(
        context,
        event,
        make=lambda: letters.office_failure_letter(context, charge, step),
        kind="autopay_failed_office",
        about=about,
    )
    tell_people(
        context,
        event,
        charge.mandate.bill_to,
        lambda: letters.failure_letter(context, charge, step),
        kind="autopay_failed",
        about=about,
        path=letters.pay_path(charge),
    )


def _charge(event: OutboxEvent) -> AutopayCharge:
    rows = AutopayCharge.objects.select_related("mandate__bill_to", "mandate__method", "invoice")
    return rows.get(pk=UUID(event.payload["charge"]))
