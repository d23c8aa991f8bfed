"""Where somebody pays: as whom, what they may see of it, and at which addresses it goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from portal.access.policy import billing_customers
from portal.accounts.guards import CustomerRequest, actor_of
from portal.accounts.proof_views import proof_address
from portal.accounts.proofs import is_fresh
from portal.accounts.viewer import Viewer
from portal.payments.models import PaymentAttempt
from portal.payments.payers import Payer
from portal.ui.context import TenantRequest
from tenants.audit import Actor


class Till(ABC):
    """One payer's way through the payment pages; `asks_who` when nobody knows whom the receipt goes to."""

    asks_who = False
    # Whether what is paid with may be kept on file: that needs somebody who proved lately who they are (AUN-29).
    may_keep = False

    def __init__(self, payer: Payer, by: Actor) -> None:
        self.payer = payer
        self.by = by

    def prove_address(self, pay_address: str) -> str:
        """Return where that proof is given before something is paid there, or nothing where it cannot help."""
        return ""

    @abstractmethod
    def find_attempt(self, attempt_id: UUID) -> PaymentAttempt | None:
        """Return an attempt that this payer may look at (AUZ-02)."""

    @abstractmethod
    def pay_address(self, invoice_ids: Sequence[object]) -> str:
        """Return where these invoices are paid."""

    @abstractmethod
    def result_address(self, attempt_id: UUID) -> str:
        """Return where an attempt's outcome is shown; the payer's bank sends back there too."""

    @abstractmethod
    def status_address(self, attempt_id: UUID) -> str:
        """Return what a waiting page asks."""

    @abstractmethod
    def invoice_address(self, invoice_id: UUID) -> str:
        """Return the page of one invoice."""

    @abstractmethod
    def pdf_address(self, invoice_id: UUID) -> str:
        """Return the PDF of one invoice."""

    @abstractmethod
    def list_address(self) -> str:
        """Return the page of all invoices, or nothing where there is none."""

    @abstractmethod
    def deposit_address(self, estimate_id: UUID) -> str:
        """Return where the deposit on an estimate is paid."""

    @abstractmethod
    def estimate_address(self, estimate_id: UUID) -> str:
        """Return the page of one estimate."""


class PayRequest(TenantRequest):
    """A request by somebody who may pay, signed in or not."""

    till: Till


class PortalTill(Till):
    """The till of a signed-in person."""

    def __init__(self, viewer: Viewer, by: Actor) -> None:
        super().__init__(Payer(portal_user_id=viewer.user.pk), by)
        self.viewer = viewer
        self.may_keep = is_fresh(viewer.proved_at, timezone.now())

    def prove_address(self, pay_address: str) -> str:
        """Return where the proof is given; it leads back to the pay page."""
        return "" if self.may_keep else proof_address(pay_address)

    def find_attempt(self, attempt_id: UUID) -> PaymentAttempt | None:
        """Return an attempt of this very person, as long as they may see the account's billing (AUZ-02)."""
        customers = billing_customers(self.viewer.grants)
        return self.payer.attempts().filter(bill_to_id__in=customers, pk=attempt_id).first()

    def pay_address(self, invoice_ids: Sequence[object]) -> str:
        """Return where these invoices are paid."""
        if len(invoice_ids) == 1:
            return reverse("payments:pay", args=[invoice_ids[0]])
        return reverse("payments:pay_several") + "?" + urlencode([("invoice", str(each)) for each in invoice_ids])

    def result_address(self, attempt_id: UUID) -> str:
        """Return the result page."""
        return reverse("payments:result", args=[attempt_id])

    def status_address(self, attempt_id: UUID) -> str:
        """Return what the result page asks while it waits."""
        return reverse("payments:status", args=[attempt_id])

    def invoice_address(self, invoice_id: UUID) -> str:
        """Return the page of one invoice."""
        return reverse("invoices:detail", args=[invoice_id])

    def pdf_address(self, invoice_id: UUID) -> str:
        """Return the PDF of one invoice."""
        return reverse("invoices:pdf", args=[invoice_id])

    def list_address(self) -> str:
        """Return the page of all invoices."""
        return reverse("invoices:list")

    def deposit_address(self, estimate_id: UUID) -> str:
        """Return where the deposit on an estimate is paid."""
        return reverse("payments:deposit", args=[estimate_id])

    def estimate_address(self, estimate_id: UUID) -> str:
        """Return the page of one estimate."""
        return reverse("estimates:detail", args=[estimate_id])


def at_portal(request: CustomerRequest) -> PayRequest:
    """Return the request of a signed-in person with their till."""
    paying = cast(PayRequest, request)
    paying.till = PortalTill(request.viewer, actor_of(request))
    return paying
