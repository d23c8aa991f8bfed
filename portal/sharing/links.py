"""The life of a share link: minted, found again by its hash, open, expired, revoked (datamodel.md 4.16)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F, Q

from portal.accounts.client import Client
from portal.estimates.models import Estimate
from portal.estimates.policy import shown_for as estimates_for
from portal.invoices.models import Invoice
from portal.invoices.policy import shown_for
from portal.invoices.services import mark_viewed
from portal.sharing.models import ShareLink
from tenants.audit import Actor, record
from tenants.config.snapshot import Snapshot

# Opening a page again within a minute is the same visit, and no reason to write.
VISIT = timedelta(minutes=1)
NOTED_EVERY = timedelta(days=1)

Ended = Literal["expired", "revoked", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Minted:
    """A new link with its secret, which exists here and where it is handed over only."""

    row: ShareLink
    token: str


def mint_link(
    *,
    invoice: Invoice | None = None,
    estimate: Estimate | None = None,
    channel: ShareLink.Channel,
    recipient: str,
    days: int,
    by: Actor,
    now: datetime,
) -> Minted:
    """Create a link to one invoice or one estimate; `days` is how long it opens, 0 for ever."""
    token = secrets.token_urlsafe(32)
    row = ShareLink.objects.create(
        kind=ShareLink.Kind.ESTIMATE if estimate else ShareLink.Kind.INVOICE,
        invoice=invoice,
        estimate=estimate,
        token_hash=hash_token(token),
        channel=channel,
        recipient=recipient,
        created_by=by.id,
        created_by_name=by.label[:120],
        created_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    return Minted(row, token)


def hash_token(token: str) -> bytes:
    """Return what is stored of a link's token. Pure."""
    return hashlib.sha256(token.encode()).digest()


def find_link(token: str) -> ShareLink | None:
    """Return the row of a token, whatever became of the link since."""
    return ShareLink.objects.filter(token_hash=hash_token(token)).select_related("invoice", "estimate").first()


def look_through(link: ShareLink, settings: Snapshot, now: datetime) -> Invoice | Ended:
    """Return the one invoice that a link opens, or why it opens none; changes nothing.

    What the company shows to nobody, no link shows either; a section that is merely hidden stays open by link (C-02).
    """
    assert link.invoice
    ended = _end_of(link, withdrawn=link.invoice.status == Invoice.Status.VOID, now=now)
    if ended:
        return ended
    found = shown_for([link.invoice.bill_to_id], settings).filter(pk=link.invoice.pk)
    return found.select_related("bill_to", "location").first() or "revoked"


def look_at_estimate(link: ShareLink, now: datetime) -> Estimate | Ended:
    """Return the one estimate that a link opens, or why it opens none; changes nothing (SHARE-10, VIS-04)."""
    assert link.estimate
    ended = _end_of(link, withdrawn=link.estimate.status == Estimate.Status.CANCELED, now=now)
    if ended:
        return ended
    found = estimates_for([link.estimate.customer_id]).filter(pk=link.estimate.pk)
    return found.select_related("customer", "location").first() or "revoked"


def _end_of(link: ShareLink, *, withdrawn: bool, now: datetime) -> Ended | None:
    """Return why a link opens nothing any more; of several reasons the one that cannot be mended first."""
    if link.revoked_at is not None:
        return "revoked"
    if withdrawn:
        return "withdrawn"
    return "expired" if link.expires_at is not None and link.expires_at <= now else None


def note_opened(*, link: ShareLink, client: Client, now: datetime, invoice: Invoice | None = None) -> None:
    """Count a visit; the office reads it once a day. The only thing that opening a link changes (SHARE-06)."""
    known = link.last_opened_at
    counted = ShareLink.objects.filter(
        Q(last_opened_at__isnull=True) | Q(last_opened_at__lte=now - VISIT), pk=link.pk
    ).update(opened_count=F("opened_count") + 1, last_opened_at=now)
    if not counted:
        return
    by = visitor(link, client)
    if known is None or now - known > NOTED_EVERY:
        record("share_link.opened", by=by, now=now, target=link)
    if invoice:
        mark_viewed(invoice=invoice, by=by, now=now)


def visitor(link: ShareLink, client: Client) -> Actor:
    """Return whoever holds a link, for the audit: nobody knows who it is, only through which link they came."""
    return Actor("visitor", None, f"share link {link.pk}", client.ip, client.request_id)
