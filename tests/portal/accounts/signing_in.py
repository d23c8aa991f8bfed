"""What the tests of customer pages share: signing somebody in, delivering the outbox, reading mails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import mail
from django.utils import timezone

from portal.accounts.client import Client as BrowserFacts
from portal.accounts.models import LoginToken, PortalUser
from portal.accounts.sessions import cookie_name, start_session
from portal.accounts.tokens import Minted, mint_token
from tenants.context import serving
from tenants.outbox import deliver_outbox
from tenants.scope import current_scope

SOMEWHERE = BrowserFacts("203.0.113.9", "a test", "request")


def sign_in(client: Any, email: str) -> None:
    """Give the browser a session of this person; call it in the scope of the person's company."""
    tenant_id = current_scope().tenant_id
    assert tenant_id
    user = PortalUser.objects.get(email=email)
    session = start_session(user=user, tenant_id=tenant_id, client=SOMEWHERE, now=timezone.now())
    client.cookies[cookie_name()] = session.token


def mint(email: str, *, purpose: Any = LoginToken.Purpose.EMAIL_LINK, **more: Any) -> Minted:
    """Mint a token for a person as a handler would."""
    values = {"lifetime": timedelta(days=7), "now": timezone.now(), **more}
    return mint_token(purpose=purpose, email=email, portal_user=PortalUser.objects.get(email=email), **values)


def deliver(scope: Any) -> list[Any]:
    """Deliver the company's outbox and return the mails that left by it."""
    before = len(mail.outbox)
    with serving(scope.tenant_id, datetime.now(UTC)) as context:
        deliver_outbox(context=context)
    return mail.outbox[before:]


def link_in(message: Any) -> str:
    """Return the path of the link in a mail."""
    found = re.search(r"http://[^/\s]+(/l/\S+)", message.body)
    assert found, message.body
    return found.group(1)


def code_in(message: Any) -> str:
    """Return the six digits in a mail."""
    found = re.search(r"^(\d{6})$", message.body, re.MULTILINE)
    assert found, message.body
    return found.group(1)
