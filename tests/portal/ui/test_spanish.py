"""The product speaks Spanish: nothing lacks a translation, and no page or mail falls back into English."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F
from django.urls import reverse
from django.utils import translation

from console.models import Operator
from console.words import LABELS
from portal.access.services import invite_to_portal
from portal.accounts.models import PortalUser
from portal.customers.models import Contact, Customer
from portal.invoices.models import Invoice
from portal.ui import catalogue, formats
from provisioning.models import Run
from tenants.audit import SYSTEM
from tenants.models import Hold, Tenant
from tenants.scope import control_scope
from tests.cast import ACME, NOW
from tests.console.test_operators_door import OSCAR
from tests.portal.accounts.signing_in import deliver, sign_in
from tests.portal.messaging.test_send_message import send
from tests.portal.office.conftest import sign_in as sign_in_to_office
from tests.signup.visitor import Visitor
from tests.signup.visitor import deliver as deliver_signup

HOST = "acme.portal.localhost"
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|%%")
# Little words that every English sentence has and no Spanish one; no name of the cast holds one.
ENGLISH = re.compile(
    r"\b(the|your|you|and|with|is|are|of|to|we|this|not|please|paid|pay|sign|invoices?)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def spanish() -> catalogue.Book:
    """What the translator wrote."""
    return catalogue.read_catalogue("es")


def strings(text: Any) -> list[str]:
    """Return one text, or all plural forms."""
    return list(text) if isinstance(text, (list, tuple)) else [text]


def english_in(html: str, known: set[str]) -> list[str]:
    """Return the visible texts of a page, and those for screen readers, that are still English."""
    html = html.replace("Acme Heating and Air", "Acme")
    html = re.sub(r"(?s)<(script|style|noscript)\b.*?</\1>|<!--.*?-->", " ", html)
    # The switch offers each language in its own words.
    html = re.sub(r'(?s)<button class="chip" name="language".*?</button>', " ", html)
    shown = re.findall(r'\b(?:title|alt|placeholder|aria-label)="([^"]*)"', html)
    shown += re.split(r"<[^>]*>", html)
    texts = [re.sub(r"\s+", " ", unescape(text)).strip() for text in shown]
    return [text for text in texts if text in known or ENGLISH.search(text)]


@pytest.fixture(scope="module")
def known(spanish: catalogue.Book) -> set[str]:
    """Every English text that reads differently in Spanish."""
    found = {(str(m.id), str(m.string)) for m in spanish if m.id and isinstance(m.id, str)}
    spoken = {translated for _english, translated in found}
    return {english for english, translated in found if english != translated and english not in spoken}


def test_the_catalogue_is_what_the_sources_say() -> None:
    """Every text is in it and translated with the same placeholders; the compiled file is the compiled catalogue."""
    call_command("catalogue", "--check", verbosity=0)


def test_a_text_without_translation_is_noticed(spanish: catalogue.Book) -> None:
    wanted = catalogue.read_catalogue("es")
    wanted.add("A text that nobody has translated")
    wanted.add("Pay %(amount)s")
    merged = catalogue.merge(spanish, wanted)
    assert catalogue.missing(merged) == ["A text that nobody has translated"]
    merged["Pay %(amount)s"].string = "Pagar %(sum)s"
    assert "Pay %(amount)s" in catalogue.missing(merged)


def test_the_command_fails_while_a_file_is_old(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    for name in ("django.po", "django.mo"):
        (folder / name).write_bytes((catalogue.LOCALE / "es" / "LC_MESSAGES" / name).read_bytes())
    (folder / "django.mo").write_bytes(b"old")
    monkeypatch.setattr(catalogue, "LOCALE", tmp_path)
    monkeypatch.setattr(catalogue, "read_sources", lambda: catalogue.read_catalogue("es"))
    with pytest.raises(CommandError, match=r"django\.mo of es is not what the sources say"):
        call_command("catalogue", "--check")
    call_command("catalogue")
    call_command("catalogue", "--check")


def test_placeholders_and_plural_forms_are_the_same(spanish: catalogue.Book) -> None:
    for message in spanish:
        if message.id:
            wanted = set(PLACEHOLDER.findall(" ".join(strings(message.id))))
            for text in strings(message.string):
                assert set(PLACEHOLDER.findall(text)) <= wanted, message.id
            # The singular may say "one"; the plural must carry everything.
            assert set(PLACEHOLDER.findall(strings(message.string)[-1])) == wanted, message.id
            assert len(strings(message.string)) == (2 if message.pluralizable else 1), message.id


def test_spanish_speaks_formally(spanish: catalogue.Book) -> None:
    """Customers and staff are usted: no familiar forms."""
    familiar = re.compile(r"\b(tú|tu|tus|ti|contigo|puedes|tienes|quieres|haz|aquí tienes)\b", re.IGNORECASE)
    texts = [text for message in spanish if message.id for text in strings(message.string)]
    assert [text for text in texts if familiar.search(text)] == []


def test_every_source_of_texts_is_read() -> None:
    """Python, templates with blocks and plural, attributes of components."""
    book = catalogue.read_sources()
    assert "Nothing was charged. Try another card, or call us." in book
    assert "Your payment is on its way" in book
    assert "%(amount)s is being processed. Please don’t pay again; this page shows when it has arrived." in book
    assert book["Import %(count)s customer"].pluralizable


def test_the_consoles_labels_cover_every_state() -> None:
    for states in (Tenant.Lifecycle, Hold.Kind, Run.State, Operator.Role):
        assert set(states.labels) <= LABELS, states


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("short", "vie 20 nov"),
        ("full", "viernes 20 de noviembre"),
        ("full_year", "viernes 20 de noviembre de 2026"),
        ("month", "noviembre de 2026"),
    ],
)
def test_long_dates_have_their_little_words(style: str, text: str) -> None:
    with translation.override("es"):
        assert formats.format_weekday_date(date(2026, 11, 20), style) == text


def get(client: Any, path: str) -> str:
    """Return a page as a Spanish browser gets it."""
    answer = client.get(path, headers={"host": client.host, "accept-language": "es-US,es;q=0.9,en;q=0.5"})
    assert answer.status_code == 200, (path, answer.status_code)
    html = str(answer.content.decode())
    assert '<html lang="es"' in html, path
    return html


def test_customer_pages_are_spanish(acme: Any, acme_client: Any, known: set[str]) -> None:
    """The customer's way from the door to the card."""
    welcome = get(acme_client, "/sign-in")
    assert "Le damos la bienvenida al portal de clientes" in welcome
    assert english_in(welcome, known) == []
    sign_in(acme_client, "alice@example.com")
    invoice = Invoice.objects.get(number="1042")
    for path, words in (
        ("/", ("Pagar $412.50", "venció el", "Saldo")),
        ("/invoices/", ("Facturas", "Usted debe", "$541.50")),
        (f"/invoices/{invoice.pk}", ("Descargar PDF", "Por pagar", "domingo 15 de noviembre de 2026")),
        (f"/pay/{invoice.pk}", ("Pagar a Acme", "Tarjeta")),
    ):
        html = get(acme_client, path)
        for word in words:
            assert word in html, (path, word)
        assert english_in(html, known) == [], path


def test_office_pages_are_spanish(acme: Any, known: set[str]) -> None:
    olive = sign_in_to_office("acme", "olive@acme.example")
    customer = Customer.objects.get(number="C-1001")
    for path, words in (
        ("/office/", ("Prepare su portal",)),
        ("/office/customers", ("Clientes, por nombre",)),
        (f"/office/customers/{customer.pk}", ("Portal de clientes",)),
        ("/office/share", ("Pase el enlace",)),
        ("/office/import", ("Archivo CSV",)),
        ("/office/settings", ("Ajustes del portal",)),
        ("/office/settings/brand", ("Color y logotipo",)),
        ("/office/settings/company", ("Nombre de la empresa",)),
        ("/office/payments/", ("Todo está listo",)),
    ):
        html = get(olive, path)
        assert all(word in html for word in words), path
        assert english_in(html, known) == [], path


def test_the_sign_up_is_spanish(db: None, known: set[str]) -> None:
    visitor = Visitor()
    for path, word in (("/", "Deje una luz encendida"), ("/signup/", "Díganos quién está a la puerta")):
        html = get(visitor.browser, path)
        assert word in html
        assert english_in(html, known) == [], path
    visitor.start()
    address = get(visitor.browser, "/signup/address/")
    assert "Elija su dirección" in address
    visitor.choose("luz-brillante")
    verify = get(visitor.browser, "/signup/verify/")
    assert "Revise su correo" in verify
    assert [english_in(html, known) for html in (address, verify)] == [[], []]


def test_form_errors_are_spanish(db: None, known: set[str]) -> None:
    """Our own sentences and Django's."""
    visitor = Visitor()
    answer = visitor.browser.post(
        "/signup/", {**visitor.form, "email": "nobody"}, headers={"host": visitor.browser.host, "accept-language": "es"}
    )
    html = answer.content.decode()
    assert "Escriba un correo como nombre@empresa.com." in html
    assert english_in(html, known) == []


def test_console_pages_are_spanish(control: Any, browse: Any, known: set[str]) -> None:
    browser = browse("console.localhost")
    assert browser.post("/sign-in/", OSCAR).status_code == 302
    Hold.objects.create(
        tenant_id=ACME, kind=Hold.Kind.BILLING, reason="Tres facturas", opened_by="Oscar", opened_at=NOW
    )
    for path, word in (
        ("/", "La plataforma está bien."),
        ("/tenants/", "Todo"),
        (f"/tenants/{ACME}/", "Bloqueo: Facturación"),
    ):
        html = get(browser, path)
        assert word in html, path
        assert english_in(html, known) == [], path


def parts_of(message: Any) -> list[str]:
    """Return subject, text and page of a mail."""
    return [message.subject, message.body, message.alternatives[0].content]


def test_a_mailed_link_speaks_the_customers_language(acme: Any, acme_client: Any, known: set[str]) -> None:
    """The person's own language wins over the browser's."""
    PortalUser.objects.filter(email="alice@example.com").update(language="es")
    acme_client.post("/sign-in", {"email": "alice@example.com"}, headers={"host": HOST, "accept-language": "en"})
    [message] = deliver(acme)
    assert message.subject == "Su enlace para entrar a Acme Heating & Air"
    assert [english_in(part, known) for part in parts_of(message)[::2]] == [[], []]
    assert 'lang="es"' in message.alternatives[0].content
    assert "Abrir su portal de clientes" in message.body


def test_an_invitation_speaks_the_customers_language(acme: Any, known: set[str]) -> None:
    customer = Customer.objects.get(number="C-1002")
    Customer.objects.filter(pk=customer.pk).update(language="es")
    contact = Contact.objects.get(customer=customer)
    customer.refresh_from_db()
    invite_to_portal(customer=customer, email="beatriz@example.com", contact=contact, by=SYSTEM, now=NOW)
    [message] = deliver(acme)
    assert message.subject == "Su portal de clientes en Acme Heating & Air"
    assert [english_in(part, known) for part in parts_of(message)[::2]] == [[], []]


def test_the_pages_language_serves_those_who_have_none(acme: Any, acme_client: Any) -> None:
    acme_client.post("/sign-in", {"email": "alice@example.com"}, headers={"host": HOST, "accept-language": "es"})
    [message] = deliver(acme)
    assert message.subject.startswith("Su enlace")


def test_the_companys_language_is_the_last_resort(acme: Any) -> None:
    with control_scope():
        Tenant.objects.filter(pk=ACME).update(locale="es", config_version=F("config_version") + 1)
    send(language="")
    send(language="en", event_key="test:2")
    assert ['lang="es"' in parts_of(message)[2] for message in mail.outbox] == [True, False]


def test_the_sign_up_mails_in_the_language_of_the_page(db: None, known: set[str]) -> None:
    visitor = Visitor()
    visitor.browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    visitor.start()
    visitor.choose("luz-brillante")
    deliver_signup()
    [message] = mail.outbox
    assert message.subject == "Encienda la luz en luz-brillante.portal.localhost"
    assert [english_in(part, known) for part in parts_of(message)[::2]] == [[], []]


@pytest.mark.parametrize(
    "urls", ["config.urls_tenant", "config.urls_apex", "config.urls_console", "config.urls_office"]
)
def test_every_host_has_the_language_switch(urls: str) -> None:
    """A reader can change the language on every host: the switch has an address there."""
    assert reverse("ui:language", urlconf=urls) == "/ui/language"
