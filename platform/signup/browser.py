"""Which sign-up a browser may go on with: the one it began, or the one whose mailed link it opened."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from signup.models import SignUp

COOKIE = "__Host-signup" if settings.SECURE else "signup"
DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Holder:
    """A sign-up and whether this very browser began it, which its code demands (AUN-19)."""

    signup: SignUp
    began_here: bool


def keyed(purpose: str, value: str) -> str:
    """Return a digest that only we can make."""
    return hmac.new(settings.SECRET_KEY.encode(), f"signup {purpose}:{value}".encode(), hashlib.sha256).hexdigest()


def browser_secret(form_key: UUID) -> str:
    """Return the secret of the browser that was given this form; the same for every press of its button."""
    return keyed("browser", str(form_key))


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def holder_of(request: HttpRequest) -> Holder | None:
    """Return the sign-up that this browser may go on with, if any."""
    number, _, secret = request.COOKIES.get(COOKIE, "").partition(".")
    try:
        signup = SignUp.objects.select_related("tenant").filter(pk=UUID(number)).first()
    except ValueError:
        return None
    if signup is None or (signup.state == SignUp.State.CANCELED and signup.tenant_id is None):
        return None
    if hmac.compare_digest(hash_secret(secret), bytes(signup.browser_hash)):
        return Holder(signup, True)
    if hmac.compare_digest(secret, keyed("holder", str(signup.pk))):
        return Holder(signup, False)
    return None


def remember_browser(response: HttpResponse, signup: SignUp) -> None:
    """Let the browser that sent the first form go on."""
    _set(response, f"{signup.pk}.{browser_secret(signup.form_key)}")


def remember_holder(response: HttpResponse, signup: SignUp) -> None:
    """Let the browser that proved the mailed link go on."""
    _set(response, f"{signup.pk}.{keyed('holder', str(signup.pk))}")


def _set(response: HttpResponse, value: str) -> None:
    response.set_cookie(COOKIE, value, max_age=DAY, httponly=True, secure=settings.SECURE, samesite="Lax")
