"""The receipt and the paper invoice of somebody who reads Spanish."""

from __future__ import annotations

import io

from django.core import mail
from pypdf import PdfReader

from portal.customers.models import Customer
from tests.portal.payments.bench import Bench


def test_the_receipt_speaks_the_language_of_the_bill(bench: Bench) -> None:
    """F9: whoever pays has said no language, the customer on the bill has."""
    with bench.acme():
        Customer.objects.filter(number="C-1001").update(language="es")
    bench.pay("1042")
    bench.deliver_mail()
    (receipt,) = mail.outbox
    assert receipt.subject == "Recibo R-1101: $412.50 pagados"
    for words in ("Factura 1042", "Visa terminada en 4242", "Queda pendiente: $0.00", "Este es su recibo."):
        assert words in receipt.body
    assert 'lang="es"' in receipt.alternatives[0].content


def test_the_paper_invoice_is_spanish_and_says_so(bench: Bench) -> None:
    """INV-07."""
    browser = bench.browser()
    headers = {"host": browser.host, "accept-language": "es"}
    answer = browser.get(f"/invoices/{bench.invoice('1042').pk}/pdf", headers=headers)
    reader = PdfReader(io.BytesIO(answer.getvalue()))
    words = "\n".join(page.extract_text() for page in reader.pages)
    assert "Factura 1042" in words
    assert "domingo 15 de noviembre de 2026" in words
    assert "Por pagar" in words
    assert reader.trailer["/Root"]["/Lang"] == "es"
