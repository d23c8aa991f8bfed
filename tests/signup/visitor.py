"""A person in front of the apex, with a browser and a mailbox."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from django.core import mail

from signup.models import SignUp
from tenants.outbox import deliver_control_outbox
from tenants.scope import control_scope
from tests.conftest import HostClient

APEX = "portal.localhost"
FORM = {
    "email": "renee@brightelectric.example",
    "owner_name": "Renee Rivera",
    "company": "Bright Electric",
    "trade": "electrical",
    "country": "US",
    "time_zone": "America/Chicago",
}


class Visitor:
    """One browser that walks through the sign-up; every step can be bent."""

    def __init__(self, **form: str) -> None:
        self.browser = HostClient(APEX)
        self.form = {**FORM, "form_key": str(uuid4()), **form}

    def start(self, **changes: str) -> Any:
        """Send the first form."""
        return self.browser.post("/signup/", {**self.form, **changes})

    def choose(self, slug: str = "bright-electric", **changes: str) -> Any:
        """Send the address."""
        return self.browser.post("/signup/address/", {"slug": slug, "understood": "on", **changes})

    def begin(self, slug: str = "bright-electric") -> None:
        """Do both, and have the mail sent."""
        assert self.start().status_code == 303
        assert self.choose(slug).status_code == 303
        deliver()

    def verify(self, code: str) -> Any:
        """Type a code."""
        return self.browser.post("/signup/verify/", {"code": code})

    @property
    def signup(self) -> SignUp:
        """The row behind the browser."""
        with control_scope():
            return SignUp.objects.select_related("tenant").get(form_key=self.form["form_key"])


def deliver() -> None:
    """Do what the worker does with the control plane's outbox."""
    with control_scope():
        deliver_control_outbox()


def newest_code() -> str:
    """Return the code of the newest mail."""
    found = re.search(r"(?m)^(\d{6})$", mail.outbox[-1].body)
    assert found
    return found[1]


def newest_link() -> str:
    """Return the path of the newest mail's link."""
    found = re.search(r"http://portal\.localhost(/signup/verify/\S+)", mail.outbox[-1].body)
    assert found
    return found[1]
