"""What the office and the holders of links may do with them: mail, copy, revoke, ask for a fresh one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from infra.ids import uuid7
from portal.access.models import PortalAccess
from portal.access.services import CustomerLocked, invite_to_portal
from portal.accounts.client import Client
from portal.customers.models import Contact, ContactPoint
from portal.estimates.models import Estimate
from portal.estimates.services.sending import publish_estimate
from portal.invoices.models import Invoice
from portal.invoices.policy import shown_for
from portal.sharing.link_mail import write_sender
from portal.sharing.links import Minted, mint_link, visitor
from portal.sharing.models import ShareLink
from tenants.audit import Actor, count_events, record, wait_for_turn
from tenants.config.registry import SHARE_ESTIMATE_DAYS, SHARE_INVOICE_DAYS
from tenants.config.snapshot import Snapshot
from tenants.outbox import emit

INVOICE_SENT = "invoice.sent"
ESTIMATE_SENT = "estimate.sent"
LINK_CREATED = "share_link.created"
LINK_ENDED = "share_link.ended"

HOUR = timedelta(hours=1)
MAILS_PER_HOUR, LINKS_PER_HOUR = 5, 20
FRESH_PER_LINK, FRESH_PER_IP = 3, 10


class NotShareable(Exception):
    """The company shows this invoice to nobody: a draft, void, or kept back by a setting."""


class NoSuchReader(Exception):
    """The address does not stand with the customer whose invoice or estimate it is."""


class TooMany(Exception):
    """So many mails or links of one record within the hour are a mistake; `wait_seconds` says when the next may go."""

    def __init__(self) -> None:
        super().__init__("within the hour")
        self.wait_seconds = int(HOUR.total_seconds())


def addresses_of(customer_id: UUID) -> list[str]:
    """Return the e-mail addresses on a customer's record, the one for mails first."""
    points = ContactPoint.objects.filter(
        contact__customer_id=customer_id, contact__archived_at=None, kind=ContactPoint.Kind.EMAIL
    )
    found = points.order_by("-contact__is_primary", "-is_primary", "id").values_list("value", flat=True)
    return list(dict.fromkeys(found))


@transaction.atomic
def send_invoice(*, invoice: Invoice, to: str, settings: Snapshot, by: Actor, now: datetime) -> None:
    """Have an invoice mailed with a link to it; raises NotShareable, NoSuchReader, TooMany (SHARE-03, SHARE-06).

    The link is minted when the mail is made, so that its token exists in the mail only.
    """
    _require_shown(invoice, settings)
    if to not in addresses_of(invoice.bill_to_id):
        raise NoSuchReader(to)
    _take_turn(INVOICE_SENT, invoice.pk, MAILS_PER_HOUR, now)
    Invoice.objects.filter(pk=invoice.pk, sent_at__isnull=True).update(sent_at=now)
    record(INVOICE_SENT, by=by, now=now, target=invoice, after={"to": to})
    payload = {"invoice": str(invoice.pk), "to": to, "by": write_sender(by)}
    emit(INVOICE_SENT, key=f"invoice-sent:{uuid7()}", payload=payload, now=now)


@transaction.atomic
def send_estimate(
    *, estimate_id: UUID, to: str, today: date, by: Actor, now: datetime, invites: bool = False
) -> Estimate:
    """Let the customer see the newest version, and have it mailed with a link (EST-04, SHARE-10).

    With `invites` the reader is invited to the portal by a mail of its own (ENR-25).
    Raises NoSuchReader, TooMany, EstimateRefused.
    """
    customer_id = Estimate.objects.values_list("customer_id", flat=True).get(pk=estimate_id)
    if to not in addresses_of(customer_id):
        raise NoSuchReader(to)
    _take_turn(ESTIMATE_SENT, estimate_id, MAILS_PER_HOUR, now)
    estimate = publish_estimate(estimate_id=estimate_id, today=today, by=by, now=now)
    record(ESTIMATE_SENT, by=by, now=now, target=estimate, after={"to": to, "version": estimate.current})
    payload = {"estimate": str(estimate.pk), "version": estimate.current, "to": to, "by": write_sender(by)}
    emit(ESTIMATE_SENT, key=f"estimate-sent:{uuid7()}", payload=payload, now=now)
    if invites and strangers_of(customer_id, [to]):
        contact = Contact.objects.filter(customer_id=customer_id, archived_at=None, points__value=to).first()
        # Somebody who is locked out gets the estimate all the same, for it was sent on purpose.
        with suppress(CustomerLocked):
            invite_to_portal(customer=estimate.customer, contact=contact, email=to, by=by, now=now)
    return estimate


def strangers_of(customer_id: UUID, addresses: Iterable[str]) -> set[str]:
    """Return those addresses that never had access to the customer; what was ended is not begun here."""
    known = PortalAccess.objects.filter(customer_id=customer_id).values_list("portal_user__email", flat=True)
    return set(addresses) - set(known)


@transaction.atomic
def create_estimate_link(*, estimate_id: UUID, settings: Snapshot, today: date, by: Actor, now: datetime) -> Minted:
    """Let the customer see the newest version, and make a link to pass on; raises TooMany, EstimateRefused."""
    _take_turn(LINK_CREATED, estimate_id, LINKS_PER_HOUR, now)
    estimate = publish_estimate(estimate_id=estimate_id, today=today, by=by, now=now)
    record(LINK_CREATED, by=by, now=now, target=estimate)
    return mint_link(
        estimate=estimate,
        channel=ShareLink.Channel.COPIED,
        recipient="",
        days=settings.get(SHARE_ESTIMATE_DAYS),
        by=by,
        now=now,
    )


@transaction.atomic
def create_link(*, invoice: Invoice, settings: Snapshot, by: Actor, now: datetime) -> Minted:
    """Make a link for the office to pass on itself; raises NotShareable, TooMany."""
    _require_shown(invoice, settings)
    _take_turn(LINK_CREATED, invoice.pk, LINKS_PER_HOUR, now)
    record(LINK_CREATED, by=by, now=now, target=invoice)
    return mint_link(
        invoice=invoice,
        channel=ShareLink.Channel.COPIED,
        recipient="",
        days=settings.get(SHARE_INVOICE_DAYS),
        by=by,
        now=now,
    )


@transaction.atomic
def revoke_link(*, link: ShareLink, by: Actor, now: datetime) -> bool:
    """End a link at once; False when it had been revoked before (AUZ-06)."""
    changed = ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=now)
    if changed:
        record("share_link.revoked", by=by, now=now, target=link)
    return bool(changed)


@transaction.atomic
def request_fresh_link(*, link: ShareLink, client: Client, now: datetime) -> None:
    """Have a fresh link mailed to where the old one went, and nowhere else (datamodel.md 4.16, AUN-14).

    Beyond three an hour for one link, or ten from one address, nothing more is sent, and nobody is told.
    """
    if not link.recipient:
        return
    wait_for_turn(f"share-link:{link.pk}")
    by_link = count_events(LINK_ENDED, since=now - HOUR, object_id=link.pk)
    by_ip = count_events(LINK_ENDED, since=now - HOUR, ip=client.ip)
    if by_link >= FRESH_PER_LINK or by_ip >= FRESH_PER_IP:
        return
    record(LINK_ENDED, by=visitor(link, client), now=now, target=link)
    emit(LINK_ENDED, key=f"fresh-share:{uuid7()}", payload={"link": str(link.pk)}, now=now)


def _require_shown(invoice: Invoice, settings: Snapshot) -> None:
    if not shown_for([invoice.bill_to_id], settings).filter(pk=invoice.pk).exists():
        raise NotShareable(invoice.pk)


def _take_turn(action: str, object_id: UUID, most: int, now: datetime) -> None:
    """Let deeds of one kind on one record wait for each other; raises TooMany for one more than an hour may have."""
    wait_for_turn(f"{action}:{object_id}")
    if count_events(action, since=now - HOUR, object_id=object_id) >= most:
        raise TooMany
