"""What follows a change of a method on file: Stripe forgets it, customer and office are told, a card is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from django.utils import timezone

from portal.access.models import PortalAccess
from portal.accounts.models import PortalUser
from portal.customers.models import Customer
from portal.messaging.services import Attachment, Related, reader_of, was_sent
from portal.methods import letters, setups
from portal.methods.services.adding import adopt_method
from portal.methods.services.asking import ASKED
from portal.methods.services.changing import forget_at_stripe
from portal.payments.links import link_to
from portal.payments.models import PaymentAttempt, PaymentMethod
from portal.payments.readers import MakeLetter, Reader, office_readers, send_letter
from portal.payments.services.on_file import CHANGED, DETACH
from portal.payments.services.settle import account_of
from tenants.config.registry import CARD_CHANGES
from tenants.context import TenantContext
from tenants.outbox import handles
from tenants.schema.models import OutboxEvent

EXPIRES = "payment_method.expires"


@handles(DETACH)
def forget_method(context: TenantContext, event: OutboxEvent) -> None:
    """Have Stripe forget a method that is off file; tried again until it answers."""
    forget_at_stripe(context=context, method_id=UUID(event.payload["method"]), now=timezone.now())


@handles("payment.method_saved")
def keep_saved_method(context: TenantContext, event: OutboxEvent) -> None:
    """Put on file what somebody paid with and asked to keep (CARD-01)."""
    facts = setups.retrieve_method(account_of(context), event.payload["method"])
    if facts is None or not facts.customer:
        return
    customer = Customer.objects.get(pk=UUID(event.payload["customer"]))
    if facts.customer != customer.stripe_customer_id:
        raise LookupError("A saved method belongs to another customer than its payment.")
    user = event.payload["user"]
    row = adopt_method(
        customer_id=customer.pk, facts=facts, portal_user_id=UUID(user) if user else None, now=timezone.now()
    )
    if row:
        PaymentAttempt.objects.filter(pk=UUID(event.payload["attempt"])).update(method_id=row.pk)


@handles(CHANGED)
def tell_of_change(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the office about every change, and the customer too: nobody changes a card unnoticed (CARD-06)."""
    row = _method(event.payload["method"])
    old = _method(event.payload["old"]) if event.payload["old"] else None
    about = Related("payment_method", row.pk)
    change, by = event.payload["change"], event.payload["by"]
    for number, reader in enumerate(_office(context)):
        key = f"{event.key}:office:{number}"
        if was_sent(key):
            continue
        with reader_of(context.tenant, reader.language):
            letter = letters.office_letter(context, row, old, change=change, by=by)
        send_letter(context, event, to=reader, letter=letter, kind="method_changed_office", about=about, key=key)
    tell_people(
        context,
        event,
        row.bill_to,
        lambda: letters.customer_letter(context, row, old, change=change, by=by),
        kind="method_changed",
        about=about,
    )


@handles(EXPIRES)
def warn_of_expiry(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer that a card on file expires, unless it has gone or been renewed since."""
    row = _method(event.payload["method"])
    if row.state != PaymentMethod.State.ACTIVE or (row.exp_year, row.exp_month) != tuple(event.payload["month"]):
        return
    about = Related("payment_method", row.pk)
    tell_people(
        context,
        event,
        row.bill_to,
        lambda: letters.expiry_letter(context, row),
        kind="card_expires",
        about=about,
        path=letters.replace_path(row),
    )


@handles(ASKED)
def ask_for_card(context: TenantContext, event: OutboxEvent) -> None:
    """Mail the customer the office's wish for a card or bank account on file, with the way to add it (CARD-04)."""
    access = PortalAccess.objects.select_related("portal_user", "customer").filter(pk=event.payload["access"]).first()
    if access is None or was_sent(event.key):
        return
    user = access.portal_user
    reader = Reader(user.email, user.language or access.customer.language)
    link = link_to(context, user, letters.add_path(), now=timezone.now())
    if not link:
        return
    with reader_of(context.tenant, reader.language):
        letter = letters.request_letter(context, by=event.payload["by"])
    about = Related("customer", access.customer_id)
    send_letter(context, event, to=reader, letter=letter, kind="card_request", about=about, link=link)


def _method(text: str) -> PaymentMethod:
    return PaymentMethod.objects.select_related("bill_to").get(pk=UUID(text))


def _office(context: TenantContext) -> Iterator[Reader]:
    named = [address for address in context.settings.get(CARD_CHANGES).split(", ") if address]
    if named:
        yield from (Reader(address, context.tenant.locale) for address in named)
        return
    yield from (reader for _staff, reader in office_readers())


def tell_people(
    context: TenantContext,
    event: OutboxEvent,
    customer: Customer,
    make: MakeLetter,
    *,
    kind: str,
    about: Related,
    path: str = "",
    files: Callable[[], Sequence[Attachment]] = tuple,
) -> None:
    """Send those who may see the customer's billing a letter, each once and made in their own language.

    With a path its button signs them in there.
    """
    for user, reader in _people_of(customer):
        key = f"{event.key}:{user.pk}"
        if was_sent(key):
            continue
        with reader_of(context.tenant, reader.language):
            letter = make()
        send_letter(
            context,
            event,
            to=reader,
            letter=letter,
            kind=kind,
            about=about,
            key=key,
            link=link_to(context, user, path, now=timezone.now()) if path else "",
            attachments=files(),
        )


def _people_of(customer: Customer) -> Iterator[tuple[PortalUser, Reader]]:
    rows = PortalAccess.objects.filter(
        customer=customer, status=PortalAccess.Status.ACTIVE, level=PortalAccess.Level.BILLING
    )
    for access in rows.select_related("portal_user").order_by("pk"):
        user = access.portal_user
        yield user, Reader(user.email, user.language or customer.language)
