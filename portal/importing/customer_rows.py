"""Rows of a customer list become customers; several rows of one customer become its service addresses."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from .decode import SourceRow
from .issues import RowIssue, error, warning
from .parsing.contacts import Phone, parse_emails, parse_phones
from .parsing.words import (
    fold,
    is_us_postal_code,
    parse_country,
    parse_kind,
    parse_language,
    tidy_postal_code,
    tidy_state,
)
from .table import Parsed, Table, iterate_groups, present


@dataclass(frozen=True, slots=True)
class AddressInput:
    """A postal address; `country` is an ISO code or empty."""

    street: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class LocationInput:
    """A service address and what the company calls it."""

    name: str
    address: AddressInput


@dataclass(frozen=True, slots=True)
class PhoneInput:
    """A number in E.164 and whether the file calls it a mobile phone."""

    phone: Phone
    mobile: bool


@dataclass(frozen=True, slots=True)
class CustomerInput:
    """A customer as the file describes it, ready to be stored."""

    external_id: str
    name: str
    kind: str
    company: str
    contact_name: str
    emails: tuple[str, ...]
    phones: tuple[PhoneInput, ...]
    billing: AddressInput
    locations: tuple[LocationInput, ...]
    tags: tuple[str, ...]
    notes: str
    language: str


def customer_key(table: Table) -> Callable[[SourceRow], str]:
    """Return what tells which rows are one customer: the ID, or the name where no ID is mapped."""
    if table.has("external_id"):
        return lambda row: present(table.cell(row, "external_id"))
    return lambda row: fold(_full_name(table, row))


def read_customers(rows: Iterable[SourceRow], table: Table) -> Iterator[Parsed[CustomerInput]]:
    """Yield one result per customer, in the order of their last rows."""
    seen_emails: dict[str, int] = {}
    for group in iterate_groups(rows, customer_key(table), table.survey.last_rows):
        parsed = _read_group(group, table)
        if parsed.record is None:
            yield parsed
            continue
        shared = []
        for email in parsed.record.emails:
            first = seen_emails.setdefault(email, group[0].number)
            if first != group[0].number:
                shared.append(warning(group[0].number, table.header("email"), "shared_email", email, other=first))
        yield Parsed(parsed.rows, parsed.record, (*parsed.issues, *shared))


def _read_group(group: tuple[SourceRow, ...], table: Table) -> Parsed[CustomerInput]:
    issues: list[RowIssue] = []
    first = _read_row(group[0], table, issues)
    locations = list(first.locations) if first else []
    for row in group[1:]:
        found: list[RowIssue] = []
        more = _read_row(row, table, found)
        issues.extend(found)
        if first is None or more is None:
            continue
        new = [place for place in more.locations if place not in locations]
        locations.extend(new)
        issues.extend(_compare(first, more, group[0], row, table, adds_address=bool(new)))
    numbers = tuple(row.number for row in group)
    if first is None or any(issue.severity == "error" for issue in issues):
        return Parsed(numbers, None, tuple(issues))
    record = replace(first, locations=tuple(locations))
    return Parsed(numbers, record, tuple(issues))


def _compare(
    first: CustomerInput, more: CustomerInput, top: SourceRow, row: SourceRow, table: Table, *, adds_address: bool
) -> list[RowIssue]:
    if not table.has("external_id") and more.emails and first.emails and more.emails[0] != first.emails[0]:
        header = table.header("name") or table.header("company")
        return [error(row.number, header, "same_name_twice", more.name, other=top.number)]
    differing = [
        (key, getattr(first, attribute))
        for key, attribute in (("name", "name"), ("company", "company"))
        if getattr(first, attribute) != getattr(more, attribute)
    ]
    if more.emails and first.emails != more.emails:
        differing.append(("email", ", ".join(first.emails)))
    if not differing and adds_address:
        return []
    if not differing:
        return [warning(row.number, table.header("external_id"), "customer_repeats", first.name, other=top.number)]
    return [
        warning(
            row.number,
            table.header(key),
            "customer_differs",
            table.cell(row, key),
            other=top.number,
            theirs=theirs,
        )
        for key, theirs in differing
    ]


def _read_row(row: SourceRow, table: Table, issues: list[RowIssue]) -> CustomerInput | None:
    if row.overflow:
        issues.append(error(row.number, "", "too_many_cells"))
        return None
    before = sum(issue.severity == "error" for issue in issues)
    company = present(table.text(row, "company", 200, issues))
    name = present(_full_name(table, row))
    person = present(_person_name(table, row))
    if not name:
        issues.append(error(row.number, table.header("name"), "missing_name"))
    if len(name) > 200:
        issues.append(error(row.number, table.header("name"), "too_long", name, limit=200))
    external_id = _external_id(row, table, name, issues)
    billing = _address(row, table, "billing", issues)
    record = CustomerInput(
        external_id=external_id,
        name=name,
        kind=_kind(row, table, company, issues),
        company=company,
        contact_name=person or name,
        emails=_emails(row, table, issues),
        phones=_phones(row, table, billing.country, issues),
        billing=billing,
        locations=_locations(row, table, billing, issues),
        tags=_tags(table.cell(row, "tags")),
        notes=present(table.cell(row, "notes"))[:10_000],
        language=_language(row, table, issues),
    )
    return None if sum(issue.severity == "error" for issue in issues) > before else record


def _external_id(row: SourceRow, table: Table, name: str, issues: list[RowIssue]) -> str:
    if not table.has("external_id"):
        return f"name:{fold(name)}"[:80]
    value = present(table.text(row, "external_id", 80, issues))
    if not value:
        issues.append(error(row.number, table.header("external_id"), "missing_customer_id"))
    return value


def _person_name(table: Table, row: SourceRow) -> str:
    first, last = (" ".join(present(table.cell(row, key)).split()) for key in ("first_name", "last_name"))
    return f"{first} {last}".strip()


def _full_name(table: Table, row: SourceRow) -> str:
    name = " ".join(present(table.cell(row, "name")).split())
    return name or " ".join(present(table.cell(row, "company")).split()) or _person_name(table, row)


def _kind(row: SourceRow, table: Table, company: str, issues: list[RowIssue]) -> str:
    value = present(table.cell(row, "kind"))
    kind = parse_kind(value)
    if value and kind is None:
        issues.append(warning(row.number, table.header("kind"), "unknown_kind", value))
    return kind or ("company" if company else "person")


def _emails(row: SourceRow, table: Table, issues: list[RowIssue]) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("email", "email2"):
        good, bad = parse_emails(table.cell(row, key))
        found.extend(address for address in good if address not in found)
        issues.extend(warning(row.number, table.header(key), "bad_email", piece) for piece in bad)
    return tuple(found)


def _phones(row: SourceRow, table: Table, country: str, issues: list[RowIssue]) -> tuple[PhoneInput, ...]:
    found: dict[Phone, bool] = {}
    for key in ("phone", "mobile"):
        good, bad = parse_phones(table.cell(row, key), region=country or table.locale.country)
        for phone in good:
            found[phone] = found.get(phone, False) or key == "mobile"
        issues.extend(warning(row.number, table.header(key), "bad_phone", piece) for piece in bad)
    return tuple(PhoneInput(phone, mobile) for phone, mobile in found.items())


def _address(row: SourceRow, table: Table, prefix: str, issues: list[RowIssue]) -> AddressInput:
    def text(part: str, limit: int) -> str:
        return present(table.text(row, f"{prefix}_{part}", limit, issues))

    written = text("country", 80)
    country = parse_country(written) or ""
    if written and not country:
        issues.append(warning(row.number, table.header(f"{prefix}_country"), "unknown_country", written))
    home = country or table.locale.country
    street = text("street", 200)
    postal_code = tidy_postal_code(text("postal_code", 16), country=home)
    if postal_code and home == "US" and not is_us_postal_code(postal_code):
        issues.append(warning(row.number, table.header(f"{prefix}_postal_code"), "odd_postal_code", postal_code))
    state = tidy_state(text("state", 60), country=home)
    address = AddressInput(street, text("street2", 120), text("city", 100), state, postal_code)
    if address == AddressInput():
        return address
    return AddressInput(street, address.street2, address.city, state, postal_code, home)


def _locations(
    row: SourceRow, table: Table, billing: AddressInput, issues: list[RowIssue]
) -> tuple[LocationInput, ...]:
    """Return the service address; a customer without one is served at the billing address."""
    name = present(table.text(row, "service_name", 120, issues))
    address = _address(row, table, "service", issues)
    if address == AddressInput():
        return (LocationInput(name, billing),) if billing.street else ()
    if not address.street:
        issues.append(warning(row.number, table.header("service_street"), "location_without_street", address.city))
        return ()
    return (LocationInput(name, address),)


def _tags(cell: str) -> tuple[str, ...]:
    pieces = (piece.strip() for piece in cell.replace(";", ",").replace("|", ",").replace("\n", ",").split(","))
    return tuple(dict.fromkeys(piece[:40] for piece in pieces if present(piece)))[:50]


def _language(row: SourceRow, table: Table, issues: list[RowIssue]) -> str:
    value = present(table.cell(row, "language"))
    language = parse_language(value)
    if value and language is None:
        issues.append(warning(row.number, table.header("language"), "unknown_language", value))
    return language or ""
