"""The demo's mailbox: newest first, text and page side by side, shut in, and gone outside a demo."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from infra.mail import MailboxBackend
from tests.conftest import HostClient
from tests.signup.visitor import APEX

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """A mailbox with two mails."""
    settings.MAILBOX_DIR = tmp_path
    for to, subject in (("alice@example.com", "First"), ("bob@example.com", "Second")):
        message = EmailMultiAlternatives(subject, f"Go to http://acme.portal.localhost/{to}\n<b>", to=[to])
        page = f"<html><head></head><body><a href='http://acme.portal.localhost/'>{subject}</a></body></html>"
        message.attach_alternative(page, "text/html")
        MailboxBackend().send_messages([message])
    return tmp_path


def test_mails_are_listed_newest_first_and_by_address(folder: Path) -> None:
    browser = HostClient(APEX)
    assert [mail.subject for mail in browser.get("/mailbox").context["mails"]] == ["Second", "First"]
    assert [mail.subject for mail in browser.get("/mailbox?to=alice").context["mails"]] == ["First"]
    assert "No mail to “nobody@example.com”" in browser.get("/mailbox?to=nobody@example.com").content.decode()


def test_a_mail_is_shown_as_page_and_as_text_with_its_links(folder: Path) -> None:
    browser = HostClient(APEX)
    name = browser.get("/mailbox").context["mails"][0].name
    page = browser.get(f"/mailbox/{name}/").content.decode()
    assert f'src="/mailbox/{name}/page/"' in page
    assert '<a href="http://acme.portal.localhost/bob@example.com"' in page
    assert "&lt;b&gt;" in page


def test_a_mails_page_runs_nothing_and_its_links_leave_the_frame(folder: Path) -> None:
    browser = HostClient(APEX)
    name = browser.get("/mailbox").context["mails"][0].name
    answer = browser.get(f"/mailbox/{name}/page/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "script" not in policy
    assert '<base target="_top">' in answer.content.decode()


@pytest.mark.parametrize("part", ["", "page/"])
def test_an_unknown_mail_is_not_found(folder: Path, part: str) -> None:
    assert HostClient(APEX).get(f"/mailbox/01930000-0000-7000-8000-000000000000/{part}").status_code == 404


def test_outside_a_demo_there_is_no_mailbox(folder: Path, settings: Any) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, demo=False)
    browser = HostClient(APEX)
    assert browser.get("/mailbox").status_code == 404
