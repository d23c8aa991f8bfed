"""Which names a company may take, and which are offered instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.slugs import SLUG, alternatives, is_reserved, slug_from_company, slug_problem

GOOD = ["911-restoration", "24-7-plumbing", "1st-choice-hvac", "acme", "abc", "a" * 40, "a-b-c", "9to5"]
BAD = {
    "ab": "too_short",
    "a" * 41: "too_long",
    "Acme": "characters",
    "acmé": "characters",
    "acme_portal": "characters",
    "acme.portal": "characters",
    "аcme": "characters",
    "-acme": "hyphens",
    "acme-": "hyphens",
    "ac--me": "hyphens",
    "xn--acme": "hyphens",
    "123": "letters",
    "12-34": "letters",
    "admin": "reserved",
    "admins": "reserved",
    "ad-min": "reserved",
    "adm1n": "reserved",
    "p0rch-light": "reserved",
    "mta-sts": "reserved",
    "invoice": "reserved",
}


@pytest.mark.parametrize("slug", GOOD)
def test_names_that_contractors_have_are_good(slug: str) -> None:
    """ISO-34: digits may lead."""
    assert slug_problem(slug) is None
    assert SLUG.match(slug)


@pytest.mark.parametrize(("slug", "problem"), BAD.items())
def test_each_bad_name_is_refused_for_its_reason(slug: str, problem: str) -> None:
    """ISO-34, ISO-35, HOST-06."""
    assert slug_problem(slug) == problem


@pytest.mark.parametrize(
    "name",
    ["postmaster", "hostmaster", "webmaster", "administrator", "admin", "autodiscover", "wpad", "isatap", "autoconfig"],
)
def test_names_that_others_rely_on_are_kept_back(name: str) -> None:
    """ISO-35: mailboxes that can vouch for a certificate, discovery names."""
    assert is_reserved(name)


@pytest.mark.parametrize(
    ("company", "slug"),
    [
        ("Acme Heating & Air", "acme-heating-and-air"),
        ("Müller Söhne GmbH", "muller-sohne"),
        ("O'Brien's Plumbing, LLC", "obriens-plumbing"),
        ("24/7 Rooter", "24-7-rooter"),
        ("株式会社", ""),
    ],
)
def test_a_slug_is_proposed_from_the_company_name(company: str, slug: str) -> None:
    """HOST-02."""
    assert slug_from_company(company) == slug


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3))
def test_every_alternative_is_valid_and_another_name(wish: str, hints: list[str]) -> None:
    """HOST-02, ISO-34."""
    for name in alternatives(wish, hints=hints):
        assert slug_problem(name) is None
        assert name != wish
