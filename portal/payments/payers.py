"""Who pays: a person who is signed in, one browser that holds the link to an invoice, or a customer's autopay."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from portal.payments.models import PaymentAttempt


@dataclass(frozen=True, slots=True)
class Payer:
    """A signed-in person; a share link with the browser that uses it, for links are passed on; or a mandate."""

    portal_user_id: UUID | None = None
    share_link_id: UUID | None = None
    browser_hash: bytes = b""
    mandate_id: UUID | None = None

    def attempts(self) -> QuerySet[PaymentAttempt]:
        """Return what this payer has tried, and nobody else's."""
        if self.portal_user_id:
            return PaymentAttempt.objects.filter(portal_user_id=self.portal_user_id)
        if self.share_link_id and self.browser_hash:
            return PaymentAttempt.objects.filter(share_link_id=self.share_link_id, payer_browser=self.browser_hash)
        if self.mandate_id:
            return PaymentAttempt.objects.filter(mandate_id=self.mandate_id)
        return PaymentAttempt.objects.none()

    def made(self, attempt: PaymentAttempt) -> bool:
        """Whether an attempt is this payer's own."""
        return self.attempts().filter(pk=attempt.pk).exists()

    def sign(self, attempt: PaymentAttempt) -> None:
        """Write on an attempt whose it is."""
        attempt.portal_user_id = self.portal_user_id
        attempt.share_link_id = self.share_link_id
        attempt.mandate_id = self.mandate_id
        attempt.payer_browser = self.browser_hash or None
