"""The till of whoever holds a link: one invoice or deposit, one browser, no saved cards."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from portal.payments.models import PaymentAttempt
from portal.payments.payers import Payer
from portal.payments.tills import Till
from portal.sharing.browser import Keyring
from portal.sharing.models import ShareLink
from tenants.audit import Actor


class LinkTill(Till):
    """Pays the invoice or deposit of one link; the receipt goes where the payer says."""

    asks_who = True

    def __init__(self, link: ShareLink, token: str, ring: Keyring, by: Actor) -> None:
        super().__init__(Payer(share_link_id=link.pk, browser_hash=ring.browser_hash), by)
        self.link = link
        self.token = token

    def find_attempt(self, attempt_id: UUID) -> PaymentAttempt | None:
        """Return an attempt that this very browser made through this very link."""
        return self.payer.attempts().filter(pk=attempt_id).first()

    def pay_address(self, invoice_ids: Sequence[object]) -> str:
        """Return where the link's invoice is paid; the address holds no token."""
        return reverse("sharing:pay", args=[self.link.pk])

    def result_address(self, attempt_id: UUID) -> str:
        """Return the result page; its address goes to Stripe and holds no token."""
        return reverse("sharing:paid", args=[attempt_id])

    def status_address(self, attempt_id: UUID) -> str:
        """Return what the result page asks while it waits."""
        return reverse("sharing:status", args=[attempt_id])

    def invoice_address(self, invoice_id: UUID) -> str:
        """Return the link itself."""
        return reverse("sharing:show", args=[self.token])

    def pdf_address(self, invoice_id: UUID) -> str:
        """Return the PDF of the link's invoice."""
        return reverse("sharing:pdf", args=[self.token])

    def list_address(self) -> str:
        """Return nothing: a link knows no other invoices (SHARE-07)."""
        return ""

    def deposit_address(self, estimate_id: UUID) -> str:
        """Return where the deposit on the link's estimate is paid; the address holds no token."""
        return reverse("sharing:pay", args=[self.link.pk])

    def estimate_address(self, estimate_id: UUID) -> str:
        """Return the link itself."""
        return reverse("sharing:show", args=[self.token])
