"""Who is told about money: the payer, or the customer on the bill; and those in the office who look after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from portal.accounts.models import StaffUser
from portal.accounts.staff_permissions import Permission, may
from portal.customers.models import ContactPoint
from portal.messaging.services import Attachment, Related, reader_of, send_message, was_sent
from portal.payments.models import Payment
from tenants.context import TenantContext
from tenants.schema.models import OutboxEvent


@dataclass(frozen=True, slots=True)
class Reader:
    """An address and the language in which its owner reads."""

    email: str
    language: str


def payer_of(payment: Payment) -> Reader | None:
    """Return who paid, or whose bill it is; None when there is no address."""
    customer = payment.bill_to
    user = payment.attempt.portal_user if payment.attempt else None
    if user:
        return Reader(user.email, user.language or customer.language)
    if payment.attempt and payment.attempt.payer_email:
        return Reader(payment.attempt.payer_email, customer.language)
    email = (
        ContactPoint.objects.filter(contact__customer=customer, contact__archived_at=None, kind=ContactPoint.Kind.EMAIL)
        .order_by("-contact__is_primary", "-is_primary", "id")
        .values_list("value", flat=True)
        .first()
    )
    return Reader(email, customer.language) if email else None


def office_readers(permission: Permission = Permission.MANAGE_INVOICES) -> Iterator[tuple[StaffUser, Reader]]:
    """Return those of the staff who may do something; by default those who refund, void and record payments."""
    for staff in StaffUser.objects.filter(status=StaffUser.Status.ACTIVE).exclude(email=None).order_by("id"):
        if staff.email and may(staff, permission):
            yield staff, Reader(staff.email, staff.language)


def is_alone(staff_id: UUID | None) -> bool:
    """Whether nobody else of the office may decide about money: a second person would have to be added first."""
    return all(staff.pk == staff_id for staff, _reader in office_readers())


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail about money says; `facts` are pairs of label and value."""

    subject: str
    preheader: str
    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    button_url: str
    button_text: str
    reason: str


# Made late: by then its reader's language and time zone are the active ones.
MakeLetter = Callable[[], Letter]


def send_letter(
    context: TenantContext,
    event: OutboxEvent,
    *,
    to: Reader,
    letter: Letter,
    kind: str,
    about: Related,
    key: str = "",
    link: str = "",
    attachments: Sequence[Attachment] = (),
) -> None:
    """Send one letter of an event; the same key is sent once. `link` signs in: it is in the mail and nowhere else."""
    send_message(
        context=context,
        kind=kind,
        to=to.email,
        language=to.language,
        subject=letter.subject,
        template="email/receipt",
        values={
            "preheader": letter.preheader,
            "heading": letter.heading,
            "paragraphs": letter.paragraphs,
            "facts": [{"label": label, "value": value} for label, value in letter.facts if value],
            "button_url": letter.button_url,
            "button_text": letter.button_text,
            "reason": letter.reason,
        },
        secrets={"button_url": link} if link else None,
        event_key=key or event.key,
        related=about,
        attachments=attachments,
        now=timezone.now(),
    )


def tell_office(
    context: TenantContext,
    event: OutboxEvent,
    *,
    make: MakeLetter,
    kind: str,
    about: Related | None = None,
    but: UUID | None = None,
    permission: Permission = Permission.MANAGE_INVOICES,
) -> None:
    """Mail everybody in the office who may do something, each once; `make` writes the letter in their language.

    `but` is who knows already. A letter that is about nothing else is about its reader.
    """
    for staff, to in office_readers(permission):
        key = f"{event.key}:{staff.pk}"
        if staff.pk == but or was_sent(key):
            continue
        with reader_of(context.tenant, to.language):
            letter = make()
        send_letter(context, event, to=to, letter=letter, kind=kind, about=about or Related("staff", staff.pk), key=key)
