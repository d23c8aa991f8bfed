"""Anybody with the paper may ask whether it is the company's; nobody learns more from it (P-35, AUZ-15)."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.utils import translation
from pypdf import PdfReader

from portal.invoices.codes import ALPHABET, new_short_code, read_short_code, spell_short_code
from portal.invoices.genuine import LIMIT
from portal.invoices.models import Invoice
from portal.settings.models import CompanyProfile
from tenants.schema.models import AuditEvent
from tests.conftest import HostClient
from tests.portal.accounts.signing_in import sign_in

WRONG = "ZZZZZ-ZZZZZ"


@pytest.fixture
def paper(acme: Any) -> Invoice:
    """Alice's invoice, as printed."""
    return Invoice.objects.get(number="1042")


def test_a_stranger_with_the_code_is_told_that_the_invoice_is_ours(paper: Invoice, acme_client: Any) -> None:
    text = acme_client.get(f"/check/{paper.short_code}").content.decode()
    assert "Yes, this invoice is ours" in text
    assert "1042" in text
    assert "$412.50" in text
    assert "Alice" not in text
    assert "Archer" not in text


def test_the_code_may_be_typed_as_it_is_printed_or_carelessly(paper: Invoice, acme_client: Any) -> None:
    assert paper.short_code
    printed = spell_short_code(paper.short_code)
    for typed in (printed, printed.lower(), f" {paper.short_code[:3]} {paper.short_code[3:]} "):
        answer = acme_client.get("/check/", {"code": typed})
        assert (answer.status_code, answer["Location"]) == (302, f"/check/{paper.short_code}")


@pytest.mark.parametrize("status", ["draft", "unknown", "garbage"])
def test_a_wrong_code_is_refused_alike_whatever_is_wrong(paper: Invoice, acme_client: Any, status: str) -> None:
    """A draft has not been issued, so a paper that carries its code is not ours either."""
    Invoice.objects.filter(pk=paper.pk).update(status="draft")
    code = {"draft": paper.short_code, "unknown": "22222-22222", "garbage": "<b>1</b>"}[status]
    answer = acme_client.get("/check/", {"code": code}, follow=True)
    assert answer.status_code == 404
    text = re.sub(r'nonce="[^"]*"', "", answer.content.decode())
    assert "We don’t know this code" in text
    assert "1042" not in text
    assert "<b>1" not in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "paid", "paid_cents": 41250}, "Paid"),
        ({"status": "written_off"}, "Closed: nothing to pay"),
        ({"status": "void", "voided_at": "2026-11-20T00:00Z"}, "Withdrawn: nothing to pay"),
    ],
)
def test_what_is_no_longer_owed_is_said(paper: Invoice, acme_client: Any, values: dict[str, Any], words: str) -> None:
    """A paper that was paid or withdrawn must not be paid again because it is genuine."""
    Invoice.objects.filter(pk=paper.pk).update(**values)
    text = acme_client.get(f"/check/{paper.short_code}").content.decode()
    assert words in text
    assert "to pay</dd>" not in text or words.endswith("nothing to pay")


def test_guessing_is_stopped_for_the_one_who_guesses_only(paper: Invoice, acme_client: Any) -> None:
    """AUZ-15: ten wrong codes an hour and address; then not even the right one is answered."""
    for _ in range(LIMIT):
        assert acme_client.get(f"/check/{WRONG}").status_code == 404
    assert acme_client.get(f"/check/{WRONG}").status_code == 429
    assert acme_client.get(f"/check/{paper.short_code}").status_code == 429
    other = HostClient("acme.portal.localhost", REMOTE_ADDR="198.51.100.7")
    assert other.get(f"/check/{paper.short_code}").status_code == 200
    assert AuditEvent.objects.filter(action="invoice.check_failed").count() == LIMIT


def test_right_codes_do_not_count(paper: Invoice, acme_client: Any) -> None:
    for _ in range(LIMIT + 1):
        assert acme_client.get(f"/check/{paper.short_code}").status_code == 200


def test_another_companys_code_is_unknown_here(paper: Invoice, globex_client: Any) -> None:
    assert globex_client.get(f"/check/{paper.short_code}").status_code == 404


def test_the_pdf_carries_code_and_address(paper: Invoice, acme_client: Any) -> None:
    """The address printed is the permanent one, so that a forged paper has to lead to us (beyond.md, 7)."""
    assert paper.short_code
    sign_in(acme_client, "alice@example.com")
    raw = acme_client.get(f"/invoices/{paper.pk}/pdf").content
    text = re.sub(r"\s+", " ", "".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages))
    assert spell_short_code(paper.short_code) in text
    assert "acme.portal.localhost" in text
    assert f"/check/{paper.short_code}" in acme_client.get(f"/invoices/{paper.pk}").content.decode()


def test_an_invoice_without_a_code_promises_nothing(paper: Invoice, acme_client: Any) -> None:
    Invoice.objects.filter(pk=paper.pk).update(short_code=None)
    sign_in(acme_client, "alice@example.com")
    assert "/check/" not in acme_client.get(f"/invoices/{paper.pk}").content.decode()
    raw = acme_client.get(f"/invoices/{paper.pk}/pdf").content
    assert "genuine" not in "".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages)


def test_the_page_speaks_spanish_and_names_the_phone(paper: Invoice, acme_client: Any) -> None:
    phone = CompanyProfile.objects.get().phone
    with translation.override("es"):
        text = acme_client.get("/check/", headers={"Accept-Language": "es"}).content.decode()
    assert "genuina" in text
    assert phone


def test_codes_have_no_signs_that_are_mistaken_on_paper() -> None:
    assert not set("01OIL") & set(ALPHABET)
    codes = {new_short_code() for _ in range(2_000)}
    assert len(codes) == 2_000
    assert all(read_short_code(spell_short_code(code)) == code for code in codes)


@pytest.mark.parametrize("text", ["", "ABC", "ABCDEFGHJ0", "ABCDEFGHJKM", "ÄBCDEFGHJK", "ABCDE FGHJ\x00"])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert read_short_code(text) is None
