"""Put customers from a file into the company's schema: by external id, a batch at a time, nothing twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.customers.models import Contact, ContactPoint, Customer, Location
from tenants.schema.models import NumberSequence

from .customer_rows import AddressInput, CustomerInput, LocationInput
from .outcome import Outcome
from .table import Parsed

RECEIVES = ["invoices", "estimates", "appointment", "statements"]


@dataclass
class _Known:
    """What the schema already holds about the customers of a batch."""

    customers: dict[str, Customer]
    contacts: dict[UUID, Contact]
    points: dict[UUID, set[tuple[str, str]]]
    locations: dict[UUID, dict[tuple[str, str, str], Location]]


@dataclass
class _Changes:
    """Rows to be written for a batch."""

    customers: list[Customer] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    points: list[ContactPoint] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    changed_customers: list[Customer] = field(default_factory=list)
    changed_contacts: list[Contact] = field(default_factory=list)
    changed_locations: list[Location] = field(default_factory=list)


def store_customers(batch: Sequence[Parsed[CustomerInput]], *, now: datetime, dry_run: bool) -> Outcome:
    """Create and update the customers of a batch inside the open transaction; a dry run only counts.

    A blank cell never erases what is known, and addresses to reach people are added, never taken away.
    """
    outcome = Outcome()
    changes = _Changes()
    records = [item.record for item in batch if item.record is not None]
    known = _load([record.external_id for record in records], lock=not dry_run)
    for item in batch:
        outcome.add_issues(item.issues)
        if item.record is None:
            outcome.errors += not all(issue.severity == "warning" for issue in item.issues)
            continue
        existing = known.customers.get(item.record.external_id)
        if existing is None:
            _create(item.record, changes, now)
            outcome.created += 1
        elif _update(existing, item.record, known, changes, now):
            outcome.updated += 1
        else:
            outcome.unchanged += 1
    if not dry_run:
        _give_numbers(changes.customers)
        _write(changes)
    return outcome


def _load(external_ids: list[str], *, lock: bool) -> _Known:
    found = Customer.objects.filter(external_id__in=external_ids).order_by("id")
    if lock:
        found = found.select_for_update(no_key=True)
    customers = {customer.external_id or "": customer for customer in found}
    ids = [customer.id for customer in customers.values()]
    contacts: dict[UUID, Contact] = {}
    for contact in Contact.objects.filter(customer__in=ids).order_by("-is_primary", "id"):
        contacts.setdefault(contact.customer_id, contact)
    points: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for contact_id, kind, value in ContactPoint.objects.filter(contact__customer__in=ids).values_list(
        "contact__customer_id", "kind", "value"
    ):
        points[contact_id].add((kind, value))
    locations: dict[UUID, dict[tuple[str, str, str], Location]] = defaultdict(dict)
    for location in Location.objects.filter(customer__in=ids):
        locations[location.customer_id][_place_key(location)] = location
    return _Known(customers, contacts, points, locations)


def _place_key(place: Location | AddressInput) -> tuple[str, str, str]:
    return place.street.casefold(), place.street2.casefold(), place.postal_code.casefold()


def _create(record: CustomerInput, changes: _Changes, now: datetime) -> None:
    customer = Customer(
        external_id=record.external_id,
        kind=record.kind,
        name=record.name,
        bill_to=_bill_to(record),
        tags=list(record.tags),
        language=record.language,
        internal_notes=record.notes,
        source="import",
        created_at=now,
        updated_at=now,
    )
    contact = Contact(
        customer=customer,
        name=record.contact_name[:200],
        is_primary=True,
        language=record.language,
        receives=RECEIVES,
        created_at=now,
        updated_at=now,
    )
    changes.customers.append(customer)
    changes.contacts.append(contact)
    changes.points.extend(_new_points(record, contact, set(), now))
    changes.locations.extend(_new_locations(record.locations, customer, {}, now))


def _update(customer: Customer, record: CustomerInput, known: _Known, changes: _Changes, now: datetime) -> bool:
    """Note what differs; return whether anything does."""
    wanted = {
        "kind": record.kind,
        "name": record.name,
        "bill_to": _bill_to(record),
        "tags": list(record.tags),
        "language": record.language,
        "internal_notes": record.notes,
    }
    changed = _assign(customer, wanted, now)
    if changed:
        changes.changed_customers.append(customer)
    contact = known.contacts.get(customer.id)
    if contact is None:
        contact = Contact(
            customer=customer, name=record.contact_name[:200], is_primary=True, receives=RECEIVES,
            created_at=now, updated_at=now,
        )  # fmt: skip
        changes.contacts.append(contact)
        changed = True
    elif _assign(contact, {"name": record.contact_name[:200]}, now):
        changes.changed_contacts.append(contact)
        changed = True
    points = _new_points(record, contact, known.points[customer.id], now)
    locations = _new_locations(record.locations, customer, known.locations[customer.id], now)
    changes.points.extend(points)
    changes.locations.extend(locations)
    moved = _changed_locations(record.locations, known.locations[customer.id], now)
    changes.changed_locations.extend(moved)
    return bool(changed or points or locations or moved)


def _assign(row: Any, wanted: dict[str, Any], now: datetime) -> bool:
    differing = {key: value for key, value in wanted.items() if value and getattr(row, key) != value}
    for key, value in differing.items():
        setattr(row, key, value)
    if differing:
        row.updated_at = now
    return bool(differing)


def _bill_to(record: CustomerInput) -> dict[str, str]:
    address = _address(record.billing)
    if record.company and record.company != record.name:
        address["company"] = record.company
    return {key: value for key, value in address.items() if value}


def _address(address: AddressInput) -> dict[str, str]:
    return {
        "street": address.street,
        "street2": address.street2,
        "city": address.city,
        "region": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
    }


def _new_points(
    record: CustomerInput, contact: Contact, known: set[tuple[str, str]], now: datetime
) -> list[ContactPoint]:
    has_email = any(kind == "email" for kind, _value in known)
    has_phone = any(kind == "phone" for kind, _value in known)
    points = [
        ContactPoint(
            contact=contact, kind="email", value=email, created_at=now, is_primary=not has_email and not position
        )
        for position, email in enumerate(record.emails)
        if ("email", email) not in known
    ]
    numbers: set[str] = set()
    for position, item in enumerate(record.phones):
        number = item.phone.number
        if ("phone", number) in known or number in numbers:
            continue
        numbers.add(number)
        label = f"ext. {item.phone.extension}" if item.phone.extension else "mobile" if item.mobile else ""
        points.append(
            ContactPoint(
                contact=contact,
                kind="phone",
                value=number,
                label=label,
                sms_capable=item.mobile,
                is_primary=not has_phone and not position,
                created_at=now,
            )
        )
    return points


def _new_locations(
    places: Iterable[LocationInput],
    customer: Customer,
    known: dict[tuple[str, str, str], Location],
    now: datetime,
) -> list[Location]:
    found: dict[tuple[str, str, str], Location] = {}
    for place in places:
        key = _place_key(place.address)
        if key not in known and key not in found:
            found[key] = Location(
                customer=customer, name=place.name, **_address(place.address), created_at=now, updated_at=now
            )
    return list(found.values())


def _changed_locations(
    places: Iterable[LocationInput], known: dict[tuple[str, str, str], Location], now: datetime
) -> list[Location]:
    changed = []
    for place in places:
        location = known.get(_place_key(place.address))
        if location is None:
            continue
        address = place.address
        wanted = {"name": place.name, "city": address.city, "region": address.state, "country": address.country}
        if _assign(location, wanted, now):
            changed.append(location)
    return changed


def _give_numbers(customers: list[Customer]) -> None:
    """Give each new customer its number: the company's own where it cannot be taken for one of ours."""
    if not customers:
        return
    sequence, _made = NumberSequence.objects.select_for_update().get_or_create(kind="customer")
    wanted = {_own_number(customer) for customer in customers} - {""}
    taken = set(Customer.objects.filter(number__in=wanted).values_list("number", flat=True))
    without = []
    for customer in customers:
        number = _own_number(customer)
        if number and number not in taken:
            taken.add(number)
            customer.number = number
        else:
            without.append(customer)
    start = sequence.next_number
    while without:
        candidates = [str(start + offset) for offset in range(len(without))]
        start += len(without)
        used = set(Customer.objects.filter(number__in=candidates).values_list("number", flat=True))
        for number in candidates:
            if number not in used:
                without.pop().number = number
    if start != sequence.next_number:
        sequence.next_number = start
        sequence.save(update_fields=["next_number"])


def _own_number(customer: Customer) -> str:
    external_id = customer.external_id or ""
    if external_id.isdigit() or external_id.startswith("name:") or len(external_id) > 20:
        return ""
    return external_id


def _write(changes: _Changes) -> None:
    Customer.objects.bulk_create(changes.customers)
    Contact.objects.bulk_create(changes.contacts)
    ContactPoint.objects.bulk_create(changes.points)
    Location.objects.bulk_create(changes.locations)
    fields = ["kind", "name", "bill_to", "tags", "language", "internal_notes", "updated_at"]
    _overwrite(Customer, changes.changed_customers, fields)
    _overwrite(Contact, changes.changed_contacts, ["name", "updated_at"])
    _overwrite(Location, changes.changed_locations, ["name", "city", "region", "country", "updated_at"])


def _overwrite(model: type[Any], rows: list[Any], fields: list[str]) -> None:
    """Update rows in one statement; Django's bulk_update writes a CASE for every field and row."""
    model.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=fields)
