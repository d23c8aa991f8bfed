"""The demo's companies: provisioned like any other, then filled through the same services that people use."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from config.demo_estimate import offer_estimate
from portal.access.models import PortalAccess
from portal.access.services import invite_to_portal
from portal.accounts.models import StaffUser
from portal.customers.models import Contact, Customer
from portal.importing.mapping import Mapping
from portal.importing.models import TransferJob
from portal.importing.services.check_import import request_check
from portal.importing.services.confirm_import import confirm_import
from portal.importing.services.run_import import run_import
from portal.importing.services.save_mapping import save_mapping
from portal.importing.services.start_import import start_import
from portal.payments.services.onboarding import connect_account, create_onboarding_link, refresh_account
from portal.settings.services import load_profile, save_colour, save_contact, stamp_of
from provisioning.addresses import hold_address
from provisioning.driver import drive
from provisioning.models import Run
from provisioning.services import NewCompany, retry_run, start_run
from tenants.audit import SYSTEM, Actor, record
from tenants.context import TenantContext, serving
from tenants.models import Plan, Tenant
from tenants.payment_accounts import read_payment_account
from tenants.scope import control_scope

PASSWORD = "leave the light on"  # noqa: S105 - a demo's, printed on the panel
PATIENCE = 120.0


class DemoFailed(RuntimeError):
    """A demo company could not be made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCompany:
    """One company of the demo and its people."""

    slug: str
    name: str
    trade: str
    phone: str
    colour: str
    street: str
    owner_name: str
    owner_email: str
    files: tuple[tuple[Literal["customers", "invoices"], str], ...]
    invited: str


COMPANIES = (
    DemoCompany(
        slug="acme",
        name="Acme Heating & Air",
        trade="hvac",
        phone="+16025550100",
        colour="#1e5aa8",
        street="2210 W Copper Canyon Rd",
        owner_name="Olive Owens",
        owner_email="olive@acme.example",
        files=(("customers", "acme-customers.csv"), ("invoices", "acme-invoices.csv")),
        invited="alice@example.com",
    ),
    DemoCompany(
        slug="globex",
        name="Globex Plumbing",
        trade="plumbing",
        phone="+16025550200",
        colour="#7a2f8f",
        street="515 N Agave Rd",
        owner_name="Gina Glenn",
        owner_email="gina@globex.example",
        files=(("customers", "globex-customers.csv"), ("invoices", "globex-invoices.csv")),
        invited="charlie@example.com",
    ),
)


def make_company(company: DemoCompany, say: Callable[[str], None]) -> None:
    """Create what is missing of a demo company; raises DemoFailed."""
    tenant_id = provision(company)
    say(f"{company.slug}: provisioned")
    with serving(tenant_id, timezone.now()) as context:
        owner = let_owner_in(company)
        by = Actor("staff", owner.pk, owner.name)
        dress(company, by)
        for kind, file_name in company.files:
            say(f"{company.slug}: {import_file(kind, file_name, context, by)}")
        connect_payments(company, context, by)
        invite(company, by)
        offer_estimate(company.invited, context, by)
    say(f"{company.slug}: ready")


def provision(company: DemoCompany) -> UUID:
    """Have the company set up as a sign-up would, here or by whoever is faster; raises DemoFailed."""
    run_id, tenant_id = _start_or_find(company, timezone.now())
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        drive(run_id)
        with control_scope():
            run = Run.objects.get(pk=run_id)
            if run.state == Run.State.PARKED:
                retry_run(run_id=run_id, by=SYSTEM, now=timezone.now())
        if run.state == Run.State.DONE:
            return tenant_id
        time.sleep(0.2)
    raise DemoFailed(f"{company.slug} was not set up in {PATIENCE:.0f} s; it is {run.state}: {run.error}")


def _start_or_find(company: DemoCompany, now: datetime) -> tuple[UUID, UUID]:
    with control_scope():
        known = Tenant.objects.filter(slug=company.slug).first()
        if known:
            return Run.objects.get(tenant=known, kind=Run.Kind.PROVISION).pk, known.pk
        holder = uuid4()
        with transaction.atomic():
            hold_address(slug=company.slug, holder=holder, now=now)
            new = NewCompany(
                slug=company.slug,
                name=company.name,
                plan_id=Plan.objects.filter(is_offered=True).latest("version").pk,
                owner_email=company.owner_email,
                owner_name=company.owner_name,
                trade=company.trade,
                time_zone="America/Phoenix",
            )
            run = start_run(company=new, holder=holder, by=SYSTEM, now=now)
        return run.pk, run.tenant_id


def let_owner_in(company: DemoCompany) -> StaffUser:
    """Give the owner the demo's password unless they have one."""
    now = timezone.now()
    owner = StaffUser.objects.get(email=company.owner_email)
    with transaction.atomic():
        changed = StaffUser.objects.filter(pk=owner.pk, password_hash="").update(
            password_hash=make_password(PASSWORD), password_set_at=now, status=StaffUser.Status.ACTIVE
        )
        if changed:
            record("staff.password_chosen", by=SYSTEM, now=now, target=owner, after={"by": "demo"})
    return owner


def dress(company: DemoCompany, by: Actor) -> None:
    """Give the company its phone, address and colour."""
    now = timezone.now()
    profile = load_profile()
    if profile.phone:
        return
    values = {
        "phone": company.phone,
        "email": f"office@{company.slug}.example",
        "address": {"street": company.street, "city": "Phoenix", "region": "AZ", "postal_code": "85014"},
    }
    save_contact(values=values, stamp=stamp_of(profile), by=by, now=now)
    save_colour(colour=company.colour, stamp=stamp_of(load_profile()), by=by, now=now)


def import_file(kind: Literal["customers", "invoices"], file_name: str, context: TenantContext, by: Actor) -> str:
    """Import one of the demo's lists as the office would; returns what came of it. Raises DemoFailed."""
    done = TransferJob.objects.filter(file_name=file_name, state=TransferJob.State.DONE).first()
    if done is None:
        chunks = [(settings.BASE_DIR / "demo" / file_name).read_bytes()]
        job = start_import(kind=kind, file_name=file_name, chunks=chunks, context=context, by=by, now=timezone.now())
        job = save_mapping(job=job, mapping=Mapping.from_json(job.mapping), by=by, now=timezone.now())
        job = request_check(job=job, context=context, now=timezone.now())
        job = confirm_import(job=job, by=by, now=timezone.now())
        # The worker may have been faster; then this stops at once and we wait.
        run_import(job_id=job.pk, context=context, clock=timezone.now)
        done = _wait_for_import(job)
    return f"{file_name}: {done.created_count} new, {done.error_count} left out"


def _wait_for_import(job: TransferJob) -> TransferJob:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        job.refresh_from_db()
        if job.state == TransferJob.State.DONE:
            return job
        if job.state == TransferJob.State.FAILED:
            break
        time.sleep(0.2)
    raise DemoFailed(f"The import of {job.file_name} is {job.state}: {job.error}")


def connect_payments(company: DemoCompany, context: TenantContext, by: Actor) -> None:
    """Connect the company with the Stripe double and press its button; with real Stripe keys nothing is done."""
    base = settings.ENV.stripe_api_base
    if not base.startswith(("http://127.0.0.1", "http://localhost")):
        return
    known = read_payment_account(context.tenant.id)
    if known and known.card_payments == "active":
        return
    account_id = connect_account(context=context, email=company.owner_email, by=by, now=timezone.now())
    office = context.tenant.url("/office/")
    link = create_onboarding_link(account_id=account_id, return_url=office, refresh_url=office)
    request = urllib.request.Request(link, data=b"", method="POST")  # noqa: S310 - the local double's own address
    with urllib.request.build_opener(_StayHere).open(request, timeout=10) as answer:
        answer.read()
    refresh_account(tenant_id=context.tenant.id, account_id=account_id, by=by, now=timezone.now())


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Does not follow the way back to the office: only the press of the button matters."""

    def http_error_302(self, req: object, fp: object, code: int, msg: str, headers: object) -> object:
        return fp

    http_error_303 = http_error_302


def invite(company: DemoCompany, by: Actor) -> None:
    """Invite the demo's customer once."""
    if PortalAccess.objects.filter(portal_user__email=company.invited).exists():
        return
    found = Contact.objects.filter(points__kind="email", points__value=company.invited).select_related("customer")
    contact = found.first()
    if contact is None:
        raise DemoFailed(f"{company.invited} is not among the imported customers of {company.slug}.")
    customer: Customer = contact.customer
    invite_to_portal(customer=customer, contact=contact, email=company.invited, by=by, now=timezone.now())
