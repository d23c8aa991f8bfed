"""Effects of sign-ups outside the database: the mail that proves a mailbox, and what follows from a company's end."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.ui.own_mail import send
from signup.addresses import host_of
from signup.models import SignUp
from signup.services.verify import hash_code, hash_token
from tenants.models import ControlOutbox, Tenant
from tenants.outbox import handles_control

log = logging.getLogger("porchlight.signup")

KNOWN = (Tenant.Lifecycle.ACTIVE, Tenant.Lifecycle.PROVISIONING, Tenant.Lifecycle.CLOSING)


@handles_control("signup.mail")
def send_proof(event: ControlOutbox) -> None:
    """Mint link and code, store their digests and mail them; the newest mail's are the only valid ones."""
    signup = SignUp.objects.get(pk=event.payload["signup"])
    if signup.verified_at or signup.mails_sent != event.payload["number"] or signup.expires_at <= timezone.now():
        return
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(1_000_000):06}"
    SignUp.objects.filter(pk=signup.pk, verified_at=None).update(
        token_hash=hash_token(token), code_hash=hash_code(signup.pk, code), code_tries=0
    )
    path = reverse("signup:verify_link", args=[token], urlconf="config.urls_apex")
    link = settings.ENV.url_for_host(settings.ENV.base_domain, path)
    theirs = Tenant.objects.filter(owner_email__iexact=signup.email, lifecycle__in=KNOWN).order_by("slug")
    with translation.override(signup.locale):
        offices = list(theirs)
        context = _known(signup, offices) if offices else _new(signup)
        context |= {
            "button_url": link,
            "code": code,
            "button_note": _("Or type the code on the page you came from. Both work for 24 hours."),
            "reason": _(
                "You get this mail because your address was entered on our sign-up page. "
                "If that was not you, do nothing: nothing is set up without you."
            ),
        }
    send(
        to=signup.email,
        template="signup/email/known" if offices else "email/base_email",
        key=f"{event.key}:{event.attempts}",
        locale=signup.locale,
        context=context,
    )


def _new(signup: SignUp) -> dict[str, Any]:
    host = host_of(signup.slug)
    return {
        "subject": _("Turn the light on at %(host)s") % {"host": host},
        "preheader": _("One press of the button and we set up your portal."),
        "heading": _("Turn the light on"),
        "paragraphs": [
            _(
                "Hello %(name)s, %(host)s is held for you for 30 minutes. "
                "Confirm that this is your mailbox and we set up the portal of %(company)s."
            )
            % {"name": signup.owner_name, "host": host, "company": signup.company}
        ],
        "button_text": _("Confirm and set up"),
    }


def _known(signup: SignUp, theirs: list[Tenant]) -> dict[str, Any]:
    """Tell the owner of a portal what they have; the page they came from looks the same (AUN-17)."""
    return {
        "subject": _("You already have a portal with us"),
        "preheader": _("Here is where to find it."),
        "heading": _("You already have a portal"),
        "paragraphs": [
            _("Hello %(name)s, your address was entered on our sign-up page. These offices belong to it already:")
            % {"name": signup.owner_name}
        ],
        "offices": [
            {"name": tenant.display_name, "url": settings.ENV.url_for_host(host_of(tenant.slug), "/office/")}
            for tenant in theirs
        ],
        "question": _("For one more company, confirm %(host)s here:") % {"host": host_of(signup.slug)},
        "button_text": _("Set up %(host)s as well") % {"host": host_of(signup.slug)},
    }


@handles_control("tenant.activated")
def note_provisioned(event: ControlOutbox) -> None:
    """Close the sign-up of a company that has opened."""
    SignUp.objects.filter(tenant_id=event.payload["tenant"]).update(state=SignUp.State.PROVISIONED)


@handles_control("run.parked")
def call_operators(event: ControlOutbox) -> None:
    """Say once, loudly, that a run needs a person (check 16)."""
    log.critical("a provisioning run is parked", extra={**event.payload, "tenant": str(event.tenant_id)})
