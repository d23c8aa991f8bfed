"""The first form: refusals are sentences beside the field and lose nothing (S-02)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from signup.models import SignUp
from signup.services.start import PER_EMAIL, PER_IP
from tenants.models import Plan
from tenants.scope import control_scope
from tests.signup.visitor import FORM, Visitor

pytestmark = pytest.mark.usefixtures("db")

BAD = [
    ("email", "", "Enter your e-mail address."),
    ("email", "renee", "such as name@company.com"),
    ("email", "renee@", "such as name@company.com"),
    ("email", "a@b@c.example", "such as name@company.com"),
    ("email", "renee@bright electric.example", "such as name@company.com"),
    ("email", "renee@brightelectric.example\nBcc: all@example.com", "such as name@company.com"),
    ("email", "r" * 300 + "@example.com", "at most 254"),
    ("email", "x@mailinator.com", "does not last"),
    ("owner_name", "", "Enter your name."),
    ("owner_name", "   ", "Enter your name."),
    ("owner_name", "x" * 121, "at most 120"),
    ("company", "", "Enter your company"),
    ("company", "\t \n", "Enter your company"),
    ("company", "!!!", "Enter your company"),
    ("company", "x" * 121, "at most 120"),
    ("trade", "", "Choose what you do."),
    ("trade", "piracy", "Choose one of these."),
    ("country", "XX", "Choose one of these"),
    ("time_zone", "Mars/Olympus", "Choose one of these"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), BAD)
def test_a_wrong_field_is_explained_and_everything_typed_is_kept(field: str, value: str, sentence: str) -> None:
    visitor = Visitor()
    answer = visitor.start(**{field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    others = {name: text for name, text in FORM.items() if name in ("email", "owner_name", "company")} | {field: ""}
    assert all(text in page for text in others.values())
    with control_scope():
        assert not SignUp.objects.exists()


def test_a_form_without_its_key_is_given_one_and_can_be_sent_again() -> None:
    answer = Visitor().start(form_key="nonsense")
    assert answer.status_code == 422
    assert answer.context["form"]["form_key"].value() != "nonsense"


def test_names_go_on_one_line_and_addresses_are_compared_in_one_spelling() -> None:
    """A line break would forge a header of the mail, a mark of direction turn its sentence (INJ-09); AUN-21."""
    visitor = Visitor(email="Renee@BrightElectric.EXAMPLE", company="Bright\nElectric\x00  Co")
    assert visitor.start(company="Bright\nElectric \u202eCo\u2069").status_code == 303
    assert visitor.signup.email == "renee@brightelectric.example"
    assert visitor.signup.company == "Bright Electric Co"


def test_markup_in_a_name_is_shown_as_text() -> None:
    visitor = Visitor(company="<script>alert(1)</script> & Sons")
    visitor.start()
    page = visitor.browser.get("/signup/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_pressing_twenty_times_begins_one_signup() -> None:
    """Acceptance check 11."""
    visitor = Visitor()
    assert {visitor.start().status_code for _ in range(20)} == {303}
    with control_scope():
        assert SignUp.objects.count() == 1


def test_going_back_corrects_the_same_signup_and_a_new_mailbox_voids_the_old_proof() -> None:
    visitor = Visitor()
    visitor.begin()
    assert visitor.signup.token_hash
    page = visitor.browser.get("/signup/").content.decode()
    assert "renee@brightelectric.example" in page
    visitor.start(email="renee.rivera@brightelectric.example")
    assert visitor.signup.email == "renee.rivera@brightelectric.example"
    assert visitor.signup.token_hash is None
    assert visitor.signup.code_hash is None


def test_one_address_begins_only_so_many_signups_a_day() -> None:
    answers = [Visitor().start().status_code for _ in range(PER_EMAIL + 1)]
    assert answers == [303] * PER_EMAIL + [429]


def test_one_place_begins_only_so_many_signups_an_hour() -> None:
    answers = [Visitor(email=f"p{n}@example.com").start().status_code for n in range(PER_IP + 1)]
    assert answers == [303] * PER_IP + [429]


def test_the_landing_page_says_what_the_plan_costs_and_lives_without_one() -> None:
    visitor = Visitor()
    page = visitor.browser.get("/?company=Bright%20Electric").content.decode()
    assert "$49 a month" in page
    assert 'value="Bright Electric"' in page
    with control_scope():
        Plan.objects.update(is_offered=False)
    assert "a month" not in visitor.browser.get("/").content.decode()


def test_the_country_is_guessed_from_the_browsers_languages() -> None:
    visitor = Visitor()
    answer = visitor.browser.get("/signup/", headers={"accept-language": "fr-CA,fr;q=0.8"})
    assert answer.context["form"]["country"].value() == "CA"


@pytest.mark.parametrize("page", ["/signup/address/", "/signup/verify/"])
def test_later_pages_lead_a_stranger_to_the_first(page: str) -> None:
    visitor = Visitor()
    answer = visitor.browser.get(page)
    assert (answer.status_code, answer["Location"]) == (303, "/signup/")
    visitor.browser.cookies["signup"] = f"{uuid4()}.forged"
    assert visitor.browser.get(page)["Location"] == "/signup/"
