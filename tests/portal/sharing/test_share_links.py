"""What a link opens, when it ends, and what it never opens (SHARE-06…09, SHARE-11, AUZ-05, AUZ-06, C-19)."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pypdf import PdfReader

from infra.logs import hide_links
from portal.customers.models import ContactPoint
from portal.invoices.models import Invoice
from portal.sharing.browser import cookie_name
from portal.sharing.links import find_link
from portal.sharing.models import ShareLink
from tenants.schema.models import AuditEvent, OutboxEvent
from tests.conftest import HostClient
from tests.isolation.answers import shape_of
from tests.isolation.world import routes
from tests.portal.sharing.making import deliver, mail_invoice, make_link, settle_on

URL = "/s/{}".format


def live_link(row: ShareLink) -> ShareLink:
    row.refresh_from_db()
    return row


def test_the_link_of_the_mail_opens_the_invoice_without_signing_in(acme_client: HostClient, acme: Any) -> None:
    """SHARE-06, SHARE-11, P-34: the page is the portal's own page of that invoice."""
    html = acme_client.get(mail_invoice()).content.decode()
    for shown in ("Invoice 1042", "Service call 1042", "Alice Archer", "Pay $412.50", "See everything: sign in"):
        assert shown in html
    assert "CANARY-INTERNAL" not in html
    assert "1043" not in html


def test_the_mail_says_what_is_due_and_keeps_its_link_to_itself(acme: Any) -> None:
    """SHARE-03, AUN-16: the token stands in the mail only; table, outbox and audit have it nowhere."""
    path = mail_invoice()
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert sent.subject == "Invoice 1042 from Acme Heating & Air"
    for said in ("$412.50", "Nov", "http://acme.portal.localhost"):
        assert said in sent.body
    token = path.removeprefix("/s/")
    row = ShareLink.objects.get()
    assert (row.recipient, row.channel, row.created_by_name) == ("alice@example.com", "email", "Olive Owens")
    everything = [
        *OutboxEvent.objects.values_list("payload", flat=True),
        *AuditEvent.objects.values_list("after", flat=True),
        *ShareLink.objects.values(),
    ]
    assert token not in repr(everything)
    from portal.messaging.models import OutboundMessage

    assert token not in OutboundMessage.objects.get(kind="invoice").text
    assert Invoice.objects.get(number="1042").sent_at is not None


def test_a_second_delivery_of_the_event_mails_nothing(acme: Any) -> None:
    mail_invoice()
    OutboxEvent.objects.update(state="waiting", next_at=timezone.now())
    deliver()
    assert len(mail.outbox) == 1
    assert ShareLink.objects.count() == 1


def test_opening_consumes_nothing_and_is_counted_by_visits(acme_client: HostClient, acme: Any) -> None:
    """SHARE-06, AUN-10: twice at once is one visit, HEAD is none; the invoice is noted as seen."""
    made = make_link()
    acme_client.head(URL(made.token))
    assert live_link(made.row).opened_count == 0
    for _ in range(3):
        assert acme_client.get(URL(made.token)).status_code == 200
    assert live_link(made.row).opened_count == 1
    ShareLink.objects.update(last_opened_at=timezone.now() - timedelta(minutes=2))
    acme_client.get(URL(made.token))
    assert live_link(made.row).opened_count == 2
    assert AuditEvent.objects.filter(action="share_link.opened").count() == 1, "once a day"
    assert Invoice.objects.get(number="1042").first_viewed_at is not None


def test_the_pdf_is_that_of_the_invoice(acme_client: HostClient, acme: Any) -> None:
    """SHARE-11: one renderer."""
    answer = acme_client.get(URL(make_link().token) + "/pdf")
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "1042" in text
    assert "$412.50" in text


def test_the_page_stays_out_of_caches_indexes_and_referrers(acme_client: HostClient, acme: Any) -> None:
    """AUZ-06: of the address no more than the host's name is told to anybody."""
    for made in (make_link(), make_link(days=1, now=timezone.now() - timedelta(days=2))):
        for path in (URL(made.token), URL(made.token) + "/pdf"):
            answer = acme_client.get(path)
            assert answer["Referrer-Policy"] == "strict-origin"
            assert answer["Cache-Control"] == "no-store"
            assert answer["X-Robots-Tag"] == "noindex"


def test_the_token_is_long_and_no_log_line_keeps_it() -> None:
    """AUZ-06, INJ-09."""
    line = hide_links(
        logging.getLogger(), "info", 'path="/s/abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG/pay" status=500'
    )
    assert "abcdef" not in line
    assert "/s/***/pay" in line


def test_an_unknown_link_is_answered_like_any_unknown_page(acme_client: HostClient, acme: Any) -> None:
    """AUZ-02: the same status, page and headers, whatever stands behind the link."""
    token = "x" * 43

    nothing = acme_client.get("/no/such/page")
    assert nothing.status_code == 404
    for path in (URL(token), URL(token) + "/pdf", URL(token) + "/pay", f"/s/pay/{make_link().row.pk}"):
        answer = acme_client.get(path)
        assert shape_of(answer, {}) == shape_of(nothing, {}), path
        assert set(answer.headers) == set(nothing.headers), path
        assert answer.headers.get("Referrer-Policy") == nothing.headers.get("Referrer-Policy")
    assert acme_client.post(URL(token) + "/fresh").status_code == 404


def test_a_link_of_one_company_is_nothing_at_another(globex_client: HostClient, acme: Any) -> None:
    """AUN-02."""
    assert globex_client.get(URL(make_link().token)).status_code == 404


def test_a_link_that_has_ended_sends_a_fresh_one_to_where_it_went(acme_client: HostClient, acme: Any) -> None:
    """datamodel.md 4.16, AUN-14: by a button only; to the stored address only; three an hour."""
    made = make_link(days=1, now=timezone.now() - timedelta(days=2))
    page = acme_client.get(URL(made.token))
    assert page.status_code == 410
    html = page.content.decode()
    assert "Send a fresh one to a•••@example.com" in html
    assert "alice@example.com" not in html
    assert "$412.50" not in html
    deliver()
    assert mail.outbox == [], "a GET sends nothing"
    said = acme_client.post(URL(made.token) + "/fresh", {"email": "mallory@example.com"}).content.decode()
    assert "We’ve sent you a fresh link" in said
    deliver()
    assert [sent.to for sent in mail.outbox] == [["alice@example.com"]]
    token = mail.outbox[0].body.split("/s/")[1].split()[0]
    assert "Invoice 1042" in acme_client.get(URL(token)).content.decode()
    for _ in range(5):
        assert acme_client.post(URL(made.token) + "/fresh").status_code == 200
    deliver()
    assert len(mail.outbox) == 3


def test_no_fresh_link_goes_to_an_address_that_is_no_longer_the_customers(acme_client: HostClient, acme: Any) -> None:
    """AUN-15."""
    made = make_link(days=1, now=timezone.now() - timedelta(days=2))
    ContactPoint.objects.filter(value="alice@example.com").update(value="alice@new.example")
    acme_client.post(URL(made.token) + "/fresh")
    deliver()
    assert mail.outbox == []


def test_a_copied_link_that_has_ended_offers_no_mail(acme_client: HostClient, acme: Any) -> None:
    made = make_link(days=1, to="", now=timezone.now() - timedelta(days=2))
    assert "/fresh" not in acme_client.get(URL(made.token)).content.decode()
    assert "sent you" not in acme_client.post(URL(made.token) + "/fresh").content.decode()
    deliver()
    assert mail.outbox == []


def test_a_link_that_works_has_no_need_of_a_fresh_one(acme_client: HostClient, acme: Any) -> None:
    made = make_link()
    assert acme_client.post(URL(made.token) + "/fresh")["Location"] == URL(made.token)
    deliver()
    assert mail.outbox == []


def test_a_revoked_link_opens_nothing_and_sends_nothing(acme_client: HostClient, acme: Any) -> None:
    """AUZ-06."""
    made = make_link(days=1, now=timezone.now() - timedelta(days=2))
    ShareLink.objects.update(revoked_at=timezone.now(), expires_at=timezone.now() + timedelta(days=3))
    for path in (URL(made.token), URL(made.token) + "/pdf", URL(made.token) + "/pay"):
        answer = acme_client.get(path)
        assert answer.status_code == 410
        assert "This link no longer works" in answer.content.decode()
        assert "$412.50" not in answer.content.decode()
    acme_client.post(URL(made.token) + "/fresh")
    deliver()
    assert mail.outbox == []


def test_a_void_invoice_says_so_and_a_draft_opens_nothing(acme_client: HostClient, acme: Any) -> None:
    """P-08: withdrawn, nothing to pay; VIS-08."""
    made = make_link()
    Invoice.objects.filter(number="1042").update(status="void", voided_at=timezone.now())
    assert "This invoice was withdrawn" in acme_client.get(URL(made.token)).content.decode()
    Invoice.objects.filter(number="1042").update(status="draft")
    answer = acme_client.get(URL(made.token))
    assert answer.status_code == 410
    assert "$412.50" not in answer.content.decode()


def test_a_hidden_section_stays_open_by_link_and_a_filtered_invoice_does_not(
    acme_client: HostClient, acme: Any
) -> None:
    """C-02: what was sent by link still opens; filter and excluded units hold in every case."""
    made = make_link()
    settle_on(**{"sections.invoices": "hide"})
    assert acme_client.get(URL(made.token)).status_code == 200
    settle_on(**{"invoices.filter": "reviewed"})
    assert acme_client.get(URL(made.token)).status_code == 410


def test_a_link_without_end(acme_client: HostClient, acme: Any) -> None:
    made = make_link(days=0, now=timezone.now() - timedelta(days=4000))
    assert acme_client.get(URL(made.token)).status_code == 200


def test_the_owner_decides_for_how_long_a_link_works(acme: Any) -> None:
    """SHARE-06: share.invoice_days."""
    settle_on(**{"share.invoice_days": 7})
    token = mail_invoice().removeprefix("/s/")
    row = find_link(token)
    assert row is not None
    assert row.expires_at == row.created_at + timedelta(days=7)


def test_links_live_while_the_portal_is_off_unless_they_follow_it(acme_client: HostClient, acme: Any) -> None:
    """SHARE-08, C-19, PLT-06; an unknown link then is like any other page of a portal that is off."""
    token = mail_invoice().removeprefix("/s/")
    settle_on(**{"portal.enabled": False})
    html = acme_client.get(URL(token)).content.decode()
    assert "Pay $412.50" in html
    assert "See everything: sign in" not in html
    begun = acme_client.get(URL(token) + "/pay")
    assert acme_client.get(begun["Location"]).status_code == 200
    off = acme_client.get("/invoices/")
    unknown = acme_client.get(URL("x" * 43))
    assert shape_of(unknown, {}) == shape_of(off, {})
    settle_on(**{"share.follow_portal_switch": True})
    for path in (URL(token), URL(token) + "/pdf", begun["Location"]):
        assert shape_of(acme_client.get(path), {}) == shape_of(off, {}), path


def test_with_the_links_cookie_everything_else_is_as_for_anybody(
    acme_client: HostClient, acme: Any, browse: type[HostClient]
) -> None:
    """AUZ-05, AUN-03, SHARE-07: the link opens its invoice; its own number, and others', ask for the sign-in."""
    made = make_link()
    acme_client.get(acme_client.get(URL(made.token) + "/pay")["Location"])
    assert acme_client.cookies[cookie_name()].value
    stranger = browse("acme.portal.localhost")
    invoice = Invoice.objects.get(number="1042")
    ids = {"invoice_id": str(invoice.pk), "customer_id": str(invoice.bill_to_id), "code": str(invoice.short_code)}
    tried = 0
    for route in routes():
        if route.name.startswith("sharing:"):
            continue
        path = route.path({name: ids.get(name, str(invoice.pk)) for name in route.params})
        for method in ("get", "post"):
            holder, nobody = (getattr(client, method)(path) for client in (acme_client, stranger))
            assert shape_of(holder, {}) == shape_of(nobody, {}), (method, path)
            tried += 1
    assert tried > 60


def test_a_link_does_not_open_another_links_pay_page(acme_client: HostClient, acme: Any) -> None:
    """AUZ-05: the number of another link is worth nothing without its token."""
    mine, other = make_link("1042"), make_link("1044", to="bob@example.com")
    acme_client.get(URL(mine.token) + "/pay")
    assert acme_client.get(f"/s/pay/{mine.row.pk}").status_code == 200
    assert acme_client.get(f"/s/pay/{other.row.pk}").status_code == 404
    assert acme_client.post(f"/s/pay/{other.row.pk}", {"amount": "1"}).status_code == 404


@pytest.mark.parametrize("cookie", ["", "x", ".", "a.b", "x" * 4000, "../..", "é" * 30])
def test_a_cookie_that_nobody_gave_opens_nothing(acme_client: HostClient, acme: Any, cookie: str) -> None:
    made = make_link()
    acme_client.cookies[cookie_name()] = cookie
    assert acme_client.get(f"/s/pay/{made.row.pk}").status_code == 404
