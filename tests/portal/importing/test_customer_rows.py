"""Rows of a customer list become customers, with findings at the row and column they belong to."""

from portal.importing.customer_rows import AddressInput
from portal.importing.issues import ERRORS, WARNINGS, RowIssue
from tests.portal.importing.reading import codes, customers

HEAD = "Customer ID,Name,Company,Email,Phone,Mobile,Billing Street,City,State,Zip,Service Address,Service City,Tags\n"


def test_a_full_row_becomes_a_customer() -> None:
    person = "C-1001,Alice Archer,,ALICE@example.com ,(602) 555-0100,,"
    row = f"{person}12 Elm St,Mesa,Arizona,5201,9 Oak St,Tempe,VIP; plan\n"
    (parsed,) = customers(HEAD + row)
    customer = parsed.record
    assert customer is not None
    assert parsed.issues == ()
    assert (customer.external_id, customer.name, customer.kind) == ("C-1001", "Alice Archer", "person")
    assert customer.emails == ("alice@example.com",)
    assert customer.billing == AddressInput("12 Elm St", "", "Mesa", "AZ", "05201", "US")
    assert [place.address.street for place in customer.locations] == ["9 Oak St"]
    assert customer.tags == ("VIP", "plan")


def test_a_customer_without_service_address_is_served_at_the_billing_address() -> None:
    (parsed,) = customers(HEAD + "1,Ana,,,,,12 Elm St,Mesa,AZ,85201,,,\n")
    assert parsed.record is not None
    assert [place.address.street for place in parsed.record.locations] == ["12 Elm St"]


def test_several_rows_of_one_customer_are_its_addresses_wherever_they_stand() -> None:
    text = HEAD + (
        "1,Ana,,ana@example.com,,,,,,,1 A St,Mesa,\n"
        "2,Ben,,ben@example.com,,,,,,,2 B St,Mesa,\n"
        "1,Ana,,ana@example.com,,,,,,,3 C St,Mesa,\n"
    )
    parsed = customers(text)
    by_id = {item.record.external_id: item for item in parsed if item.record}
    assert [place.address.street for place in by_id["1"].record.locations] == ["1 A St", "3 C St"]  # type: ignore[union-attr]
    assert by_id["1"].rows == (2, 4)
    assert codes(by_id["1"]) == []


def test_the_same_customer_twice_is_imported_once_and_said_so() -> None:
    row = "1,Ana,,ana@example.com,,,,,,,1 A St,Mesa,\n"
    (parsed,) = customers(HEAD + row + row)
    assert parsed.record is not None
    assert len(parsed.record.locations) == 1
    assert codes(parsed) == ["customer_repeats"]


def test_contradicting_rows_of_one_customer_keep_the_first_and_say_so() -> None:
    text = HEAD + "1,Ana,,a@example.com,,,,,,,1 A St,Mesa,\n1,Anna,,a@example.com,,,,,,,1 A St,Mesa,\n"
    (parsed,) = customers(text)
    assert parsed.record is not None
    assert parsed.record.name == "Ana"
    assert codes(parsed) == ["customer_differs"]
    assert (parsed.issues[0].row, parsed.issues[0].column, parsed.issues[0].value) == (3, "Name", "Anna")


def test_without_an_id_column_the_name_tells_customers_apart() -> None:
    parsed = customers("Customer,Email\nAna,ana@example.com\nBen,ben@example.com\nANA,other@example.com\n")
    assert [item.record.external_id if item.record else None for item in parsed] == ["name:ben", None]
    assert codes(parsed[1]) == ["SAME_NAME_TWICE"]


def test_errors_keep_a_row_out_and_warnings_do_not() -> None:
    text = HEAD + (
        ",Nobody,,,,,,,,,,,\n"
        "2,,,,,,,,,,,,\n"
        "3,Ana,,not an address,12,call me,,,,ABC,,,\n"
        f"4,{'x' * 201},,,,,,,,,,,\n"
        "5,A,,,,,,,,,,,,surplus\n"
    )
    parsed = customers(text)
    assert [codes(item) for item in parsed] == [
        ["MISSING_CUSTOMER_ID"],
        ["MISSING_NAME"],
        ["odd_postal_code", "bad_email", "bad_phone", "bad_phone"],
        ["TOO_LONG"],
        ["TOO_MANY_CELLS"],
    ]
    assert [item.record is not None for item in parsed] == [False, False, True, False, False]


def test_a_shared_email_is_reported_and_both_are_imported() -> None:
    parsed = customers(HEAD + "1,Ana,,us@example.com,,,,,,,,,\n2,Ben,,us@example.com,,,,,,,,,\n")
    assert all(item.record for item in parsed)
    assert codes(parsed[1]) == ["shared_email"]
    assert "row 2" in parsed[1].issues[0].message


def test_formulas_stay_text() -> None:
    (parsed,) = customers(HEAD + '1,"=HYPERLINK(""http://mail.test"")",,,,,,,,,,,\n')
    assert parsed.record is not None
    assert parsed.record.name == '=HYPERLINK("http://mail.test")'


def test_every_finding_has_a_sentence_that_says_what_to_do() -> None:
    for catalogue in (ERRORS, WARNINGS):
        for code, text in catalogue.items():
            assert str(text).endswith("."), code
    assert not set(ERRORS) & set(WARNINGS)


def test_a_finding_survives_storage() -> None:
    issue = RowIssue(3, "Name", "error", "too_long", "x", {"limit": "200"})
    assert RowIssue.from_json(issue.as_json()) == issue
    assert issue.message == "This is longer than 200 characters. Shorten it."
