"""The permanent address: free, not available, or choose differently (S-04, HOST-01…06, ISO-34, ISO-35)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.models import Hostname
from tenants.scope import control_scope
from tests.signup.visitor import Visitor

pytestmark = pytest.mark.usefixtures("db")

BAD = [
    ("ab", "at least 3"),
    ("x" * 41, "at most 40"),
    ("x" * 500, "at most 40"),
    ("a--b", "hyphen"),
    ("-abc", "hyphen"),
    ("abc-", "hyphen"),
    ("xn--bcher-kva", "hyphen"),
    ("12345", "at least one letter"),
    ("bright electric", "small letters"),
    ("bright_electric", "small letters"),
    ("Bright-Electric", "small letters"),
    ("münchen", "small letters"),
    ("аcme", "small letters"),  # a Cyrillic a
    ("bright.electric", "small letters"),
    ("a/../../etc", "at least 3"),
    ("<script>", "small letters"),
    ("admin", "keep that address back"),
    ("www", "keep that address back"),
    ("postmaster", "keep that address back"),
    ("p0rchlight", "keep that address back"),
    ("", "Choose an address"),
]


@pytest.mark.parametrize(("slug", "sentence"), BAD)
def test_a_wrong_address_is_explained_and_nothing_is_held(slug: str, sentence: str) -> None:
    visitor = Visitor()
    visitor.start()
    answer = visitor.choose(slug)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    with control_scope():
        assert not Hostname.objects.filter(state="held").exists()


@pytest.mark.parametrize(
    ("typed", "proposal"),
    [("Bright-Electric", "bright-electric"), ("Müller Söhne", "muller-sohne"), ("ACME 2", "acme-2")],
)
def test_another_spelling_is_answered_with_a_proposal(typed: str, proposal: str) -> None:
    visitor = Visitor()
    visitor.start()
    assert f"{proposal}.portal.localhost" in visitor.choose(typed).content.decode()


@pytest.mark.parametrize("typed", [" bright-electric ", "https://bright-electric.portal.localhost/"])
def test_a_pasted_address_is_understood(typed: str) -> None:
    visitor = Visitor()
    visitor.start()
    assert visitor.choose(typed).status_code == 303
    assert visitor.signup.slug == "bright-electric"


def test_permanence_must_be_ticked() -> None:
    visitor = Visitor()
    visitor.start()
    answer = visitor.browser.post("/signup/address/", {"slug": "bright-electric"})
    assert answer.status_code == 422
    assert "cannot be changed later" in answer.content.decode()
    assert 'value="bright-electric"' in answer.content.decode()


def test_an_address_that_cannot_be_had_is_said_beside_a_missing_tick() -> None:
    """Both things at once, each beside its field; nothing is asked twice."""
    visitor = Visitor()
    visitor.start()
    answer = visitor.browser.post("/signup/address/", {"slug": "acme"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"slug", "understood"}
    assert answer.content.decode().count("acme.portal.localhost is not available.") == 2


def test_a_taken_address_leads_to_three_free_ones() -> None:
    visitor = Visitor(company="Acme")
    visitor.start()
    answer = visitor.choose("acme")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "acme.portal.localhost is not available." in page
    offered = [choice["text"] for choice in answer.context["alternatives"]]
    assert len(offered) == 3
    assert visitor.choose(offered[0].removesuffix(".portal.localhost")).status_code == 303


def test_the_one_who_comes_second_keeps_the_form() -> None:
    """Acceptance check 12: the second is told before any mail is sent."""
    first, second = Visitor(), Visitor(email="sam@spark.example")
    first.begin()
    second.start()
    answer = second.choose("bright-electric")
    assert answer.status_code == 409
    assert 'value="bright-electric"' in answer.content.decode()
    assert second.signup.mails_sent == 0


def test_an_address_is_held_for_thirty_minutes_and_then_anybodys() -> None:
    first, second = Visitor(), Visitor(email="sam@spark.example")
    first.begin()
    second.start()
    with control_scope():
        held = Hostname.objects.get(name="bright-electric")
        assert timedelta(minutes=29) < held.expires_at - timezone.now() <= timedelta(minutes=30)
        Hostname.objects.filter(pk=held.pk).update(expires_at=timezone.now())
    assert second.choose("bright-electric").status_code == 303
    with control_scope():
        assert Hostname.objects.get(name="bright-electric").held_for == second.signup.pk


def test_choosing_another_address_lets_go_of_the_first() -> None:
    visitor = Visitor()
    visitor.begin()
    assert visitor.choose("bright-sparks").status_code == 303
    with control_scope():
        held = Hostname.objects.filter(state="held").values_list("name", flat=True)
        assert list(held) == ["bright-sparks"]


def test_choosing_twice_mails_once() -> None:
    visitor = Visitor()
    visitor.start()
    visitor.choose()
    visitor.choose()
    assert visitor.signup.mails_sent == 1


@pytest.mark.parametrize(
    ("slug", "state"),
    [("bright-electric", "free"), ("acme", "taken"), ("admin", "reserved"), ("a--b", "invalid")],
)
def test_the_live_check_answers_one_of_three_ways(slug: str, state: str) -> None:
    visitor = Visitor()
    visitor.start()
    answer = visitor.browser.get("/signup/address/check/", {"slug": slug})
    found = json.loads(answer.content)
    assert found["state"] == state
    assert found["text"]
    assert (len(found["alternatives"]) == 3) == (state != "free")


def test_the_live_checks_fragment_and_the_page_without_script_say_the_same() -> None:
    visitor = Visitor()
    visitor.start()
    fragment = visitor.browser.get("/signup/address/check/", {"slug": "acme"}, headers={"x-fragment": "1"})
    page = visitor.browser.post("/signup/address/", {"slug": "acme", "check": "1"})
    for answer in (fragment, page):
        assert "acme.portal.localhost is not available." in answer.content.decode()
    assert "<html" not in fragment.content.decode()
    assert visitor.signup.slug == ""


def test_the_page_proposes_an_address_made_of_the_companys_name() -> None:
    visitor = Visitor(company="Bright Électric & Sons, LLC")
    visitor.start()
    assert 'value="bright-electric-and-sons"' in visitor.browser.get("/signup/address/").content.decode()
