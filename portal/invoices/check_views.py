"""The public page on which a paper is compared with the company's books (P-35)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.client import client_of
from portal.invoices.codes import read_short_code
from portal.invoices.genuine import TooManyCodes, check_invoice
from portal.ui import errors

LONGEST = 40


@require_safe
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the code on the paper."""
    text = request.GET.get("code", "")[:LONGEST].strip()
    if not text:
        return render(request, "invoices/check.html")
    code = read_short_code(text)
    if code is None:
        return _answer(request, text)
    return HttpResponseRedirect(reverse("genuine:check", args=[code]))


@require_safe
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Say whether the invoice with this code is the company's; a wrong code reveals nothing (AUZ-15)."""
    return _answer(request, code[:LONGEST])


def _answer(request: HttpRequest, text: str) -> HttpResponse:
    try:
        found = check_invoice(text=text, client=client_of(request), now=timezone.now())
    except TooManyCodes as error:
        return errors.rate_limited(request, wait_seconds=error.wait_seconds)
    return render(request, "invoices/check.html", {"found": found, "asked": True}, status=200 if found else 404)
