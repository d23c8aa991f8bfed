"""Small things that every page of the sign-up needs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from signup.models import SignUp
from signup.services.verify import run_of


class SeeOther(HttpResponseRedirect):
    """Answers a form: the next page is fetched with GET, and going back does not send the form again."""

    status_code = 303


def see_other(name: str, *args: object) -> SeeOther:
    """Go on to a named page of the apex."""
    return SeeOther(reverse(name, args=args))


def is_fragment(request: HttpRequest) -> bool:
    """Whether our own small script asks for a part of the page."""
    return request.headers.get("X-Fragment") == "1"


def to_progress(signup: SignUp) -> HttpResponse:
    """Go on to the progress of the company that a sign-up has."""
    return see_other("signup:progress", run_of(signup).pk)
