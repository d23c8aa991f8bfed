"""The fixed cast: Acme Heating & Air (Alice, Bob, Olive), Globex Plumbing (Charlie, Gina), Oscar of ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password

from provisioning.models import SchemaSlot
from provisioning.schemas import create_schema, current_release, fingerprint, migrate_schema
from tenants.config.registry import POOL_TARGET, PORTAL
from tenants.models import Hostname, PaymentAccount, Plan, SettingValue, Tenant
from tenants.scope import control_scope, tenant_scope

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
STAFF_PASSWORD = "correct horse battery staple"

ACME = UUID("01930000-0000-7000-8000-00000000ac3e")
GLOBEX = UUID("01930000-0000-7000-8000-000000610be8")


def make_cast() -> None:
    """Fill an empty, migrated database with the cast; run as the schemas' owner."""
    from console.models import Operator

    with control_scope():
        Operator.objects.create(
            email="oscar@porchlight.example",
            name="Oscar Ortiz",
            role="admin",
            password_hash=make_password(STAFF_PASSWORD, hasher="argon2"),
            created_at=NOW,
        )
        # No schemas in stock: tests that want some say so.
        SettingValue.objects.create(scope="platform", key=POOL_TARGET.name, value=0, set_by="the cast", set_at=NOW)
    _make_tenant(ACME, "acme", "Acme Heating & Air", "t_ac3e00000000000000000001", "olive@acme.example")
    _make_tenant(GLOBEX, "globex", "Globex Plumbing", "t_610be8000000000000000002", "gina@globex.example")
    with tenant_scope(ACME, "t_ac3e00000000000000000001"):
        _fill_company("Acme Heating & Air", "Olive Owens", "olive@acme.example", "+15125550100", "#1e5aa8")
        alice = _make_customer("C-1001", "Alice Archer", "alice@example.com", "12 Elm Street")
        bob = _make_customer("C-1002", "Bob Baker", "bob@example.com", "7 Oak Avenue")
        _make_invoice(alice, "1042", 41250, due_in=-5)
        _make_invoice(alice, "1043", 12900, due_in=12)
        _make_invoice(alice, "1031", 8800, due_in=-60, paid_elsewhere=8800)
        _make_invoice(bob, "1044", 66000, due_in=3)
    with tenant_scope(GLOBEX, "t_610be8000000000000000002"):
        _fill_company("Globex Plumbing", "Gina Glenn", "gina@globex.example", "+15125550200", "#7a2f8f")
        charlie = _make_customer("C-1001", "Charlie Chen", "charlie@example.com", "99 Pine Road")
        _make_invoice(charlie, "2042", 41250, due_in=-2)


def _make_tenant(tenant_id: UUID, slug: str, name: str, schema: str, owner_email: str) -> None:
    with control_scope():
        SchemaSlot.objects.create(schema_name=schema, release=current_release(), created_at=NOW)
    create_schema(schema)
    migrate_schema(schema)
    digest = fingerprint(schema)
    with control_scope():
        tenant = Tenant.objects.create(
            id=tenant_id,
            slug=slug,
            display_name=name,
            plan=Plan.objects.get(code="porch"),
            owner_email=owner_email,
            created_at=NOW,
            schema_name=schema,
            lifecycle=Tenant.Lifecycle.ACTIVE,
            first_activated_at=NOW,
            schema_fingerprint=digest,
            schema_release=current_release(),
            time_zone="America/Chicago",
        )
        SchemaSlot.objects.filter(schema_name=schema).update(
            state="claimed", claimed_by_run=tenant_id, built_at=NOW, fingerprint=digest
        )
        Hostname.objects.create(name=slug, tenant=tenant, state=Hostname.State.LIVE, is_primary=True)
        SettingValue.objects.create(
            scope="operator", scope_id=str(tenant_id), key=PORTAL.name, value=True, set_by="provisioning", set_at=NOW
        )
        PaymentAccount.objects.create(
            tenant=tenant,
            account_id=f"acct_{slug}",
            card_payments="active",
            details_submitted=True,
            created_at=NOW,
        )
    with tenant_scope(tenant_id, schema):
        from tenants.schema.models import NumberSequence, TenantIdentity

        TenantIdentity.objects.create(tenant_id=tenant_id, schema_name=schema)
        for kind in ("customer", "receipt"):
            NumberSequence.objects.create(kind=kind, next_number=1101)


def _fill_company(name: str, owner: str, email: str, phone: str, color: str) -> None:
    from portal.accounts.models import StaffUser
    from portal.settings.models import CompanyProfile

    CompanyProfile.objects.create(
        name=name,
        phone=phone,
        email=email.replace(email.split("@")[0], "office"),
        brand_color=color,
        address={"street": "1 Main Street", "city": "Austin", "region": "TX", "postal_code": "78701"},
    )
    StaffUser.objects.create(
        email=email,
        name=owner,
        role=StaffUser.Role.OWNER,
        status=StaffUser.Status.ACTIVE,
        password_hash=make_password(STAFF_PASSWORD, hasher="argon2"),
        password_set_at=NOW,
        created_at=NOW,
    )


def _make_customer(number: str, name: str, email: str, street: str) -> object:
    from portal.access.models import PortalAccess
    from portal.accounts.models import PortalUser
    from portal.customers.models import Contact, ContactPoint, Customer, Location

    stamps = {"created_at": NOW, "updated_at": NOW}
    customer = Customer.objects.create(number=number, external_id=number, name=name, **stamps)
    contact = Contact.objects.create(customer=customer, name=name, is_primary=True, **stamps)
    ContactPoint.objects.create(contact=contact, kind="email", value=email, is_primary=True, created_at=NOW)
    Location.objects.create(customer=customer, street=street, city="Austin", region="TX", postal_code="78704", **stamps)
    user = PortalUser.objects.create(email=email, display_name=name, created_at=NOW)
    PortalAccess.objects.create(
        portal_user=user,
        customer=customer,
        contact=contact,
        status="active",
        created_at=NOW,
        invited_at=NOW,
        activated_at=NOW,
    )
    return customer


def _make_invoice(customer: object, number: str, total: int, *, due_in: int, paid_elsewhere: int = 0) -> None:
    from portal.invoices.models import Invoice

    today = date(2026, 11, 20)
    due = today + timedelta(days=due_in)
    tax = total // 11
    line = {
        "description": f"Service call {number}",
        "quantity": "1",
        "unit_price_cents": total - tax,
        "amount_cents": total - tax,
        "tax_cents": tax,
        "kind": "service",
    }
    Invoice.objects.create(
        number=number,
        external_id=f"INV-{number}",
        bill_to=customer,
        status="paid" if paid_elsewhere == total else "open",
        issued_on=min(due, today) - timedelta(days=10),
        due_on=due,
        currency="USD",
        lines=[line],
        subtotal_cents=total - tax,
        tax_cents=tax,
        total_cents=total,
        paid_elsewhere_cents=paid_elsewhere,
        internal_note=f"CANARY-INTERNAL-{number}",
        created_at=NOW,
        updated_at=NOW,
    )
