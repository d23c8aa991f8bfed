"""Columns are recognised by the headers that other systems write."""

import json

import pytest

from portal.importing.fields import Kind
from portal.importing.mapping import Mapping, find_problems, guess_mapping

EXPORTS: dict[str, tuple[Kind, str]] = {
    "ServiceTitan customers": (
        "customers",
        """
        Customer ID = external_id; Customer Name = name; Customer Type = kind; Phone Number = phone;
        Email = email; Customer Street = billing_street; Customer City = billing_city;
        Customer State = billing_state; Customer Zip = billing_postal_code; Location Name = service_name;
        Location Address = service_street; Location City = service_city; Location State = service_state;
        Location Zip = service_postal_code; Tags = tags; Created On = -
        """,
    ),
    "Housecall Pro customers": (
        "customers",
        """
        HCP-Id = external_id; Display Name = name; First Name = first_name; Last Name = last_name;
        Mobile Number = mobile; Home Number = phone; Company = company; Email = email;
        Additional Emails = email2; Customer Notes = notes; Customer Tags = tags;
        Address_1 Street Line 1 = billing_street; Address_1 City = billing_city;
        Address_1 State = billing_state; Address_1 Zip = billing_postal_code
        """,
    ),
    "Jobber clients": (
        "customers",
        """
        J-ID = external_id; Display Name = name; Company Name = company; Title = -;
        First Name = first_name; Last Name = last_name; Main Phone #s = phone;
        Text Message Enabled Phone # = mobile; E-mails = email; Billing Street 1 = billing_street;
        Billing Street 2 = billing_street2; Billing City = billing_city; Billing State = billing_state;
        Billing Zip code = billing_postal_code; Billing Country = billing_country;
        Service Street 1 = service_street; Service City = service_city; Service State = service_state;
        Service Zip code = service_postal_code; Tags = tags; Lead Source = -
        """,
    ),
    "QuickBooks customers": (
        "customers",
        """
        Customer = name; Company = company; First Name = first_name; Last Name = last_name;
        Main Phone = phone; Mobile = mobile; Main Email = email; CC Email = email2;
        Bill to 1 = billing_street; City = billing_city; State = billing_state;
        Zip = billing_postal_code; Customer Type = kind; Terms = -; Balance Total = -
        """,
    ),
    "a Spanish customer list": (
        "customers",
        """
        Nombre = name; Correo electrónico = email; Teléfono = phone; Celular = mobile;
        Dirección = billing_street; Ciudad = billing_city; Estado = billing_state;
        Código postal = billing_postal_code; Notas = notes; Idioma = language
        """,
    ),
    "ServiceTitan invoices": (
        "invoices",
        """
        Invoice Number = number; Invoice Date = issued_on; Due Date = due_on;
        Customer ID = customer_external_id; Customer Name = customer_name; Subtotal = subtotal;
        Tax = tax; Total = total; Balance = balance; Payments = amount_paid;
        Invoice Summary = line_description; Status = status; PO # = po_number
        """,
    ),
    "Housecall Pro invoices": (
        "invoices",
        """
        Invoice # = number; Invoice Date = issued_on; Customer Name = customer_name;
        Customer Email = customer_email; Line item name = line_description; Quantity = quantity;
        Unit Price = unit_price; Line item total = line_total; Subtotal = subtotal; Tax amount = tax;
        Discount = discount; Total amount = total; Paid Amount = amount_paid; Due amount = balance;
        Status = status
        """,
    ),
    "Jobber invoices": (
        "invoices",
        """
        Invoice # = number; Client name = customer_name; Client email = customer_email; Created date = -;
        Issued date = issued_on; Due date = due_on; Line items = line_description;
        Pre-tax total ($) = subtotal; Total ($) = total; Tax ($) = tax; Discount ($) = discount;
        Balance ($) = balance; Invoice status = status
        """,
    ),
    "QuickBooks invoices": (
        "invoices",
        """
        InvoiceNo = number; Customer = customer_name; InvoiceDate = issued_on; DueDate = due_on;
        Terms = -; Memo = note; ItemDescription = line_description; ItemQuantity = quantity;
        ItemRate = unit_price; ItemAmount = line_total; TaxAmount = tax; Currency = currency
        """,
    ),
    "Spanish invoices": (
        "invoices",
        """
        Número de factura = number; Cliente = customer_name; Fecha = issued_on;
        Fecha de vencimiento = due_on; Descripción = line_description; Cantidad = quantity;
        Precio unitario = unit_price; Importe = line_total; IVA = tax; Total = total; Saldo = balance;
        Estado = status
        """,
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_headers_of_real_exports_are_recognised(name: str) -> None:
    kind, text = EXPORTS[name]
    pairs = (pair.strip().split(" = ") for pair in text.replace("\n", " ").split("; "))
    expected = {header: "" if field == "-" else field for header, field in pairs}
    headers = tuple(expected)
    mapping = guess_mapping(kind, headers)
    assert {header: mapping.field_of(column) for column, header in enumerate(headers)} == expected
    assert find_problems(mapping, width=len(headers)) == []


def test_contents_refute_a_header() -> None:
    headers = ("Name", "Email", "Main Email")
    sample = (("Ana", "yes", "ana@example.com"), ("Ben", "no", "ben@example.com"))
    assert guess_mapping("customers", headers, sample).columns["email"] == 2


def test_an_exact_header_is_surer_than_a_similar_one() -> None:
    mapping = guess_mapping("customers", ("Custmer Name", "Email Address"))
    assert 0.6 <= mapping.confidence["name"] < 0.9 < mapping.confidence["email"]


def test_no_column_feeds_two_fields_and_no_field_has_two_columns() -> None:
    columns = guess_mapping("customers", ("Email", "E-mail", "email address", "Name")).columns
    assert len(set(columns.values())) == len(columns)
    assert {"email", "name"} <= set(columns)


def test_a_mapping_survives_storage() -> None:
    mapping = guess_mapping("invoices", ("Invoice #", "Customer", "Date", "Total"))
    assert Mapping.from_json(json.loads(json.dumps(mapping.as_json()))) == mapping


def test_what_is_missing_is_named_at_its_field() -> None:
    missing = {problem.field for problem in find_problems(Mapping("invoices", {}), width=3)}
    assert missing == {"number", "customer_external_id", "issued_on", "total"}
    assert {problem.field for problem in find_problems(Mapping("customers", {"email": 0}), width=3)} == {"name"}


def test_a_column_used_twice_and_an_unknown_column_are_refused() -> None:
    codes = {problem.code for problem in find_problems(Mapping("customers", {"name": 0, "email": 0}), width=2)}
    assert codes == {"column_used_twice"}
    codes = {problem.code for problem in find_problems(Mapping("customers", {"name": 7, "nonsense": 0}), width=2)}
    assert codes == {"unknown_column"}
