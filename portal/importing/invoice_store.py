"""Put invoices from a file into the company's schema: by number or invoice ID, a batch at a time, nothing twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from portal.customers.models import ContactPoint, Customer, Location
from portal.invoices.models import Invoice

from .invoice_rows import InvoiceInput, line_as_json
from .issues import error
from .outcome import Outcome
from .table import Parsed, Table

_CLOSED = frozenset({"void", "written_off"})
_MONEY = ("bill_to_id", "currency", "lines", "subtotal_cents", "discount_cents", "tax_cents", "total_cents")
_FIELDS = [
    "number", "external_id", "bill_to", "status", "issued_on", "due_on", "po_number", "currency", "lines",
    "subtotal_cents", "discount_cents", "tax_cents", "total_cents", "paid_elsewhere_cents", "public_note",
    "voided_at", "updated_at",
]  # fmt: skip


class _Refused(Exception):
    """This invoice cannot be stored; `key` is the field at fault."""

    def __init__(self, key: str, code: str, value: str) -> None:
        self.key = key
        self.code = code
        self.value = value
        super().__init__(code)


@dataclass
class _Known:
    """What the schema already holds for the invoices of a batch."""

    by_id: dict[str, Customer] = field(default_factory=dict)
    by_email: dict[str, list[Customer]] = field(default_factory=dict)
    by_name: dict[str, list[Customer]] = field(default_factory=dict)
    places: dict[UUID, list[UUID]] = field(default_factory=dict)
    by_number: dict[str, Invoice] = field(default_factory=dict)
    by_external_id: dict[str, Invoice] = field(default_factory=dict)


def store_invoices(batch: Sequence[Parsed[InvoiceInput]], *, table: Table, now: datetime, dry_run: bool) -> Outcome:
    """Create and update the invoices of a batch inside the open transaction; a dry run only counts."""
    outcome = Outcome()
    records = [item.record for item in batch if item.record is not None]
    known = _load(records, lock=not dry_run)
    created: list[Invoice] = []
    changed: list[Invoice] = []
    for item in batch:
        outcome.add_issues(item.issues)
        if item.record is None:
            outcome.errors += not all(issue.severity == "warning" for issue in item.issues)
            continue
        try:
            customer = _find_customer(item.record, known)
            existing = _find_invoice(item.record, known)
            if existing is None:
                created.append(_make_invoice(item.record, customer, known, now))
                outcome.created += 1
            elif _update_invoice(existing, item.record, customer, now):
                changed.append(existing)
                outcome.updated += 1
            else:
                outcome.unchanged += 1
        except _Refused as refused:
            outcome.errors += 1
            header = table.header(refused.key)
            outcome.add_issues([error(item.rows[0], header, refused.code, refused.value)])
    if not dry_run:
        Invoice.objects.bulk_create(created)
        # One statement for all; Django's bulk_update writes a CASE for every field and row.
        Invoice.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=_FIELDS)
    return outcome


def _load(records: Iterable[InvoiceInput], *, lock: bool) -> _Known:
    records = list(records)
    known = _Known()
    ids = {record.customer_external_id for record in records} - {""}
    emails = {record.customer_email for record in records if not record.customer_external_id} - {""}
    names = {record.customer_name.lower() for record in records if not record.customer_external_id} - {""}
    customers = Customer.objects.filter(merged_into=None).order_by("id")
    by_email: dict[UUID, set[str]] = defaultdict(set)
    points = ContactPoint.objects.filter(kind="email", value__in=emails)
    for customer_id, email in points.values_list("contact__customer_id", "value"):
        by_email[customer_id].add(email)
    wanted = customers.annotate(folded=Lower("name")).filter(
        Q(external_id__in=ids) | Q(number__in=ids) | Q(id__in=list(by_email)) | Q(folded__in=names)
    )
    if lock:
        # Payments lock the customer before the invoice (datamodel.md, remember 9); so do we, in one order.
        wanted = wanted.select_for_update(no_key=True)
    found: dict[UUID, Customer] = {}
    emailed: dict[str, list[Customer]] = defaultdict(list)
    named: dict[str, list[Customer]] = defaultdict(list)
    for customer in wanted:
        found[customer.id] = customer
        known.by_id.setdefault(customer.number, customer)
        named[customer.name.lower()].append(customer)
        for email in by_email.get(customer.id, ()):
            emailed[email].append(customer)
    known.by_id.update({customer.external_id: customer for customer in found.values() if customer.external_id})
    known.by_email, known.by_name = emailed, named
    places: dict[UUID, list[UUID]] = defaultdict(list)
    active = Location.objects.filter(customer__in=list(found), is_active=True)
    for customer_id, location_id in active.values_list("customer_id", "id"):
        places[customer_id].append(location_id)
    known.places = places
    numbers = [record.number for record in records]
    external_ids = [record.external_id for record in records if record.external_id]
    invoices = Invoice.objects.filter(Q(number__in=numbers) | Q(external_id__in=external_ids)).order_by("id")
    if lock:
        invoices = invoices.select_for_update()
    for invoice in invoices:
        known.by_number[invoice.number] = invoice
        if invoice.external_id:
            known.by_external_id[invoice.external_id] = invoice
    return known


def _find_customer(record: InvoiceInput, known: _Known) -> Customer:
    """Return the customer billed: by ID when there is one, otherwise by e-mail, otherwise by name."""
    if record.customer_external_id:
        customer = known.by_id.get(record.customer_external_id)
        if customer is None:
            raise _Refused("customer_external_id", "unknown_customer", record.customer_external_id)
        return customer
    emailed = known.by_email.get(record.customer_email, [])
    named = known.by_name.get(record.customer_name.lower(), [])
    both = [customer for customer in emailed if customer in named]
    for candidates in (both, emailed, named):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            break
    key, value = "customer_name", record.customer_name
    if not value:
        key, value = "customer_email", record.customer_email
    raise _Refused(key, "several_customers" if emailed or named else "unknown_customer", value)


def _find_invoice(record: InvoiceInput, known: _Known) -> Invoice | None:
    numbered = known.by_number.get(record.number)
    identified = known.by_external_id.get(record.external_id) if record.external_id else None
    if identified is not None and numbered is not None and identified.id != numbered.id:
        raise _Refused("number", "invoice_number_taken", record.number)
    if identified is not None:
        return identified
    if numbered is not None and numbered.external_id and record.external_id:
        raise _Refused("number", "invoice_number_taken", record.number)
    return numbered


def _values(record: InvoiceInput, customer: Customer) -> dict[str, Any]:
    return {
        "number": record.number,
        "external_id": record.external_id or None,
        "bill_to_id": customer.id,
        "status": record.status,
        "issued_on": record.issued_on,
        "due_on": record.due_on,
        "po_number": record.po_number,
        "currency": record.currency,
        "lines": [line_as_json(line) for line in record.lines],
        "subtotal_cents": record.subtotal_cents,
        "discount_cents": record.discount_cents,
        "tax_cents": record.tax_cents,
        "total_cents": record.total_cents,
        "paid_elsewhere_cents": record.paid_cents,
        "public_note": record.note,
    }


def _make_invoice(record: InvoiceInput, customer: Customer, known: _Known, now: datetime) -> Invoice:
    places = known.places.get(customer.id, [])
    draft = record.status == Invoice.Status.DRAFT
    return Invoice(
        **_values(record, customer),
        location_id=places[0] if len(places) == 1 else None,
        # The company's own books have issued it: no filter for reviewed or exported invoices may hide it (VIS-06).
        reviewed_at=None if draft else now,
        exported_at=None if draft else now,
        voided_at=now if record.status == Invoice.Status.VOID else None,
        created_at=now,
        updated_at=now,
    )


def _update_invoice(invoice: Invoice, record: InvoiceInput, customer: Customer, now: datetime) -> bool:
    """Make the invoice equal to the file; return whether anything differed. Raises _Refused.

    What customers paid here is never touched: the file's amount paid counts beyond it.
    """
    wanted = _values(record, customer)
    if not wanted["external_id"]:
        del wanted["external_id"]
    if not record.note:
        del wanted["public_note"]
    here = invoice.paid_cents + invoice.credited_cents
    busy = invoice.pending_cents + invoice.reserved_cents
    if invoice.status in _CLOSED and record.status != invoice.status:
        raise _Refused("number", "invoice_is_closed", record.number)
    if here or busy:
        wanted["paid_elsewhere_cents"] = max(invoice.paid_elsewhere_cents, record.paid_cents - here)
        wanted["status"] = _status_beside(here, wanted["paid_elsewhere_cents"], invoice, record)
    differing = {key: value for key, value in wanted.items() if getattr(invoice, key) != value}
    claimed = here + busy + wanted["paid_elsewhere_cents"]
    if (here or busy) and (differing.keys() & set(_MONEY) or claimed > record.total_cents):
        raise _Refused("number", "invoice_has_payments", record.number)
    for key, value in differing.items():
        setattr(invoice, key, value)
    if not differing:
        return False
    if "status" in differing:
        invoice.voided_at = now if invoice.status == Invoice.Status.VOID else None
    invoice.updated_at = now
    return True


def _status_beside(here: int, elsewhere: int, invoice: Invoice, record: InvoiceInput) -> str:
    """Return the status of an invoice that has money of ours; such an invoice cannot become void or a draft."""
    if record.status in _CLOSED or record.status == Invoice.Status.DRAFT:
        raise _Refused("status", "invoice_has_payments", record.number)
    paid = here + elsewhere
    if paid >= invoice.total_cents:
        return Invoice.Status.PAID
    return Invoice.Status.PARTIALLY_PAID if paid else Invoice.Status.OPEN
