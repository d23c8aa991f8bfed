"""The permission as a document: the words agreed to, version, date and address; mailed when given (beyond.md 1.3)."""

from __future__ import annotations

import io

from django.core import mail
from django.utils import translation
from pypdf import PdfReader

from portal.accounts.models import PortalUser
from portal.autopay.document import render_permission_pdf
from portal.payments.models import AutopayMandate
from portal.settings.brand import load_brand
from tests.portal.autopay.allowing import allow, mails
from tests.portal.methods.keeping import keep, methods
from tests.portal.methods.test_method_pages import office as office_browser
from tests.portal.payments.bench import Bench

PAGE = "/pay/autopay/"


def text_of(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages)


def allow_by_page(bench: Bench, language: str = "en") -> AutopayMandate:
    row = keep(bench).row
    browser = bench.browser()
    terms = {
        "method": str(row.pk),
        "fallback": "",
        "cap": "500.00",
        "month_cap": "900.00",
        "notice": "5",
        "agrees": "on",
    }
    with bench.acme():
        PortalUser.objects.filter(email="alice@example.com").update(language=language)
    headers = {"accept-language": language}
    answer = browser.post(f"{PAGE}set-up", terms, headers=headers, REMOTE_ADDR="203.0.113.77")
    assert answer.status_code == 303
    with bench.acme():
        return AutopayMandate.objects.get()


def test_the_customer_gets_what_they_agreed_to_by_mail(bench: Bench) -> None:
    """Bank debits need a copy of the authorisation that says how to end it."""
    mandate = allow_by_page(bench)
    assert any("Autopay is on" in subject for subject in mails(bench))
    (told,) = [m for m in mail.outbox if "Autopay is on" in str(m.subject) and m.to == ["alice@example.com"]]
    ((name, data, kind),) = [(a.filename, a.content, a.mimetype) for a in told.attachments]
    assert (kind, name.startswith("autopay-")) == ("application/pdf", True)
    text = text_of(bytes(data))
    for part in (
        "I allow Acme Heating & Air to charge the invoices chosen here",
        "All invoices",
        "Visa ending 4242",
        "$500.00",
        "$900.00",
        "5 days before",
        "Alice Archer · alice@example.com",
        "203.0.113.77",
        mandate.text_version,
        str(mandate.pk),
        "http://acme.portal.localhost",
    ):
        assert part in text, part
    assert "4242424242424242" not in text
    told_office = [m for m in mail.outbox if m.to == ["olive@acme.example"] and "Autopay is on" in str(m.subject)]
    assert [m.attachments for m in told_office] == [[]]


def test_the_words_stay_what_was_agreed_to(bench: Bench) -> None:
    """A replaced card, another company name, another language of the reader: the evidence says what it said."""
    mandate = allow_by_page(bench)
    keep(bench, "pm_card_mastercard", replaces=methods(bench)[0].pk)
    with bench.acme() as context:
        mandate = AutopayMandate.objects.select_related("bill_to", "method").get()
        assert mandate.method.last4 == "4444"
        with translation.override("es"):
            text = text_of(render_permission_pdf(mandate, load_brand(context.tenant), context.tenant))
    assert "Visa ending 4242" in text
    assert "I allow Acme Heating & Air" in text
    assert "Permission to charge" in text


def test_whoever_agreed_in_spanish_gets_it_in_spanish(bench: Bench) -> None:
    mandate = allow_by_page(bench, "es")
    assert mandate.agreed["language"] == "es"
    with bench.acme() as context:
        mandate = AutopayMandate.objects.select_related("bill_to", "method").get()
        text = text_of(render_permission_pdf(mandate, load_brand(context.tenant), context.tenant))
    assert mandate.agreed["text"] in text
    assert "Acme Heating & Air" in mandate.agreed["text"]
    assert not mandate.agreed["text"].startswith("I allow")
    assert "$500.00" in text


def test_customer_and_office_open_it_any_time_also_when_it_is_over(bench: Bench) -> None:
    mandate = allow(bench)
    hers = bench.browser()
    assert f"{PAGE}{mandate.pk}/permission.pdf" in hers.get(PAGE).content.decode()
    hers.post(f"{PAGE}{mandate.pk}/change", {"do": "revoke"})
    for answer in (
        hers.get(f"{PAGE}{mandate.pk}/permission.pdf"),
        office_browser(bench).get(f"/office/payments/autopay/{mandate.pk}/permission.pdf"),
    ):
        assert answer["Content-Type"] == "application/pdf"
        assert "Ended on" in text_of(answer.content)
