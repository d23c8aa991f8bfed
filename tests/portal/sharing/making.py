"""Makes links and sends invoices as the office does, for the tests of what they open."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.core import mail
from django.utils import timezone

from portal.invoices.models import Invoice
from portal.sharing.links import Minted, mint_link
from portal.sharing.models import ShareLink
from portal.sharing.services import send_invoice
from tenants.audit import Actor
from tenants.config.services import write_owner_settings
from tenants.context import serving
from tenants.models import Tenant
from tenants.outbox import deliver_outbox
from tenants.scope import control_scope
from tests.cast import ACME

OLIVE = Actor("staff", None, "Olive Owens")


def make_link(
    number: str = "1042", *, days: int = 90, to: str = "alice@example.com", now: datetime | None = None
) -> Minted:
    """Make a link to one of Acme's invoices, as the mail has it; without `to` as the office copies it."""
    with serving(ACME, timezone.now()):
        return mint_link(
            invoice=Invoice.objects.get(number=number),
            channel=ShareLink.Channel.EMAIL if to else ShareLink.Channel.COPIED,
            recipient=to,
            days=days,
            by=OLIVE,
            now=now or timezone.now(),
        )


def mail_invoice(number: str = "1042", *, to: str = "alice@example.com", now: datetime | None = None) -> str:
    """Mail an invoice and return the path of the link in the mail."""
    with serving(ACME, timezone.now()) as context:
        invoice = Invoice.objects.get(number=number)
        send_invoice(invoice=invoice, to=to, settings=context.settings, by=OLIVE, now=now or timezone.now())
        deliver_outbox(context=context)
    return path_in(mail.outbox[-1].body)


def path_in(text: str) -> str:
    """Return the path of the share link in a mail's text."""
    found = re.search(r"https?://acme\.portal\.localhost[:\d]*(/s/[\w-]{43})\s", text)
    assert found, text
    return found.group(1)


def deliver() -> None:
    """Deliver what waits in Acme's outbox."""
    with serving(ACME, timezone.now()) as context:
        deliver_outbox(context=context)


def settle_on(**values: Any) -> None:
    """Change Acme's own settings."""
    with control_scope():
        version = Tenant.objects.get(pk=ACME).config_version
    write_owner_settings(tenant_id=ACME, values=values, expected_version=version, by=OLIVE, now=timezone.now())
