"""What a new company still has to do, derived from its data (F-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.models import PortalAccess
from portal.access.services import invite_to_portal
from portal.accounts.models import StaffUser
from portal.customers.models import Customer
from portal.customers.selectors import living_customers
from portal.customers.services import add_email
from portal.ui.formats import format_number
from tenants.audit import Actor, record
from tenants.context import TenantFacts
from tenants.schema.models import IdempotencyKey, NumberSequence

MARKS = "setup"
SEEN_PORTAL = "portal_seen"
SHARED_LINK = "link_shared"
OWN_RECORD = "own_record"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist; a step is done by a link or by a button that posts."""

    text: str
    note: str
    icon: str
    done: bool
    action: str = ""
    url: str = ""
    posts: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """The checklist; the first step that is not done is the one to do."""

    steps: tuple[Step, ...]

    @property
    def done(self) -> int:
        """Return how many steps are done."""
        return sum(1 for step in self.steps if step.done)

    @property
    def total(self) -> int:
        """Return how many steps there are."""
        return len(self.steps)

    @property
    def current(self) -> Step | None:
        """Return the step to do now."""
        return next((step for step in self.steps if not step.done), None)


def load_setup(*, tenant: TenantFacts, staff: StaffUser) -> Setup:
    """Return the checklist; four queries."""
    marks = set(IdempotencyKey.objects.filter(scope=MARKS).values_list("key", flat=True))
    own = own_access(staff)
    customers = living_customers().exclude(external_id=OWN_RECORD).count()
    paid = tenant.payment_account is not None and tenant.payment_account.can_charge
    return Setup(
        (
            Step(
                _("See your portal"),
                _("%(host)s is open. It looks the way your customers will see it.") % {"host": tenant.host},
                "house",
                SEEN_PORTAL in marks,
                action=_("Open the portal"),
                posts=SEEN_PORTAL,
            ),
            Step(
                _("Payments connected") if paid else _("Connect payments"),
                "" if paid else _("Customers pay by card, the money goes straight to your bank."),
                "credit-card",
                paid,
                action=_("Connect"),
                url=_address("office:payments_setup"),
            ),
            Step(
                _customers_text(customers),
                "" if customers else _("From a CSV file. You see a preview before anything is saved."),
                "upload",
                customers > 0,
                action=_("Import"),
                url=_address("office:import"),
            ),
            _own_step(staff, own),
            Step(
                _("Put the link on your website"),
                _("And under your e-mails and invoices: that is where customers look."),
                "share-2",
                SHARED_LINK in marks,
                action=_("Get the link"),
                url=reverse("office:share"),
            ),
        )
    )


def _customers_text(count: int) -> str:
    if not count:
        return _("Import your customers")
    return ngettext("%(shown)s customer on record", "%(shown)s customers on record", count) % {
        "shown": format_number(count)
    }


def _own_step(staff: StaffUser, own: PortalAccess | None) -> Step:
    active = own is not None and own.status == PortalAccess.Status.ACTIVE
    if active:
        text, note = _("You have tried the portal yourself"), ""
    elif own is not None:
        text, note = _("Open your invitation"), _("It is in the mailbox of %(email)s.") % {"email": staff.email}
    else:
        text, note = _("Invite yourself"), _("See what your customers get: the mail, the link, the portal.")
    return Step(text, note, "mail", active, action=_("Send again") if own else _("Invite me"), posts="invite_me")


def _address(name: str) -> str:
    # Other parts of the office may not be mounted; their step then has no button.
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def own_access(staff: StaffUser) -> PortalAccess | None:
    """Return the portal access a staff member has by the same address, if any (ENR-30)."""
    live = ~Q(status=PortalAccess.Status.REVOKED)
    found = PortalAccess.objects.filter(live, portal_user__email=staff.email).order_by("created_at")
    return found.select_related("customer", "portal_user").first()


def set_mark(mark: str, *, now: datetime) -> None:
    """Remember that a step without trace of its own is done; doing it twice is fine."""
    IdempotencyKey.objects.bulk_create([IdempotencyKey(scope=MARKS, key=mark, created_at=now)], ignore_conflicts=True)


def invite_myself(*, staff: StaffUser, by: Actor, now: datetime) -> PortalAccess:
    """Invite a staff member to try the portal: on the customer record with their address, or on one of their own."""
    with transaction.atomic():
        own = own_access(staff)
        customer = own.customer if own else _own_record(staff, by=by, now=now)
        point = add_email(customer=customer, email=staff.email or "", by=by, now=now)
        return invite_to_portal(customer=customer, contact=point.contact, email=staff.email or "", by=by, now=now)


def _own_record(staff: StaffUser, *, by: Actor, now: datetime) -> Customer:
    """Return the customer record made for trying the portal; the same one for everybody who tries."""
    number = take_number()  # holds its row, so that two who try at once make one record
    known = Customer.objects.filter(external_id=OWN_RECORD).first()
    if known:
        return known
    customer = Customer.objects.create(
        number=number,
        external_id=OWN_RECORD,
        name=_("%(name)s (test)") % {"name": staff.name or staff.email},
        source="office",
        created_at=now,
        updated_at=now,
    )
    record("customer.created", by=by, now=now, target=customer)
    return customer


def take_number() -> str:
    """Return the next free customer number; gaps are possible, repetition is not."""
    sequence, _made = NumberSequence.objects.select_for_update().get_or_create(kind="customer")
    number = sequence.next_number
    while Customer.objects.filter(number=str(number)).exists():
        number += 1
    NumberSequence.objects.filter(pk="customer").update(next_number=number + 1)
    return str(number)
