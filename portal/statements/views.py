"""A customer's statement: the page, its PDF, and "mail it to me" (P-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.guards import CustomerRequest, actor_of, customer_view
from portal.invoices.policy import section_is_open
from portal.invoices.selectors import company_day
from portal.statements.pdf import pdf_name, render_statement_pdf
from portal.statements.periods import PeriodForm, usual_periods
from portal.statements.selectors import Statement, bucket_words, entry_words, make_statement
from portal.statements.services import TooManyStatements, mail_statement
from portal.ui import errors
from portal.ui.paper import hand_out


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page."""

    on: date
    text: str
    cents: int
    balance_cents: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One period above the statement."""

    url: str
    text: str
    current: bool


@dataclass(frozen=True, slots=True)
class Age:
    """How much has been due for how long; `late` marks what should worry."""

    text: str
    cents: int
    late: bool


@require_safe
@customer_view
def show(request: CustomerRequest) -> HttpResponse:
    """Show the account over a period; a period that makes no sense is said beside its field."""
    if request.viewer.must_choose:
        return redirect("home:accounts")
    _require_section(request)
    form, first, last = _period(request, request.GET)
    statement = _statement(request, first, last)
    query = urlencode({"first": first.isoformat(), "last": last.isoformat()})
    account = statement.account
    context = {
        "statement": statement,
        "form": form,
        "lines": [Line(e.on, entry_words(e.kind, e.number, e.text), e.cents, e.balance_cents) for e in account.entries],
        "ages": [
            Age(text, cents, late=place > 0)
            for place, (text, cents) in enumerate(zip(bucket_words(), account.ageing_cents, strict=True))
        ],
        "most_cents": max(1, *account.ageing_cents),
        "choices": _choices(request, first, last),
        "pdf_url": f"{reverse('statements:pdf')}?{query}",
        "email": request.viewer.user.email,
        "account": request.viewer.chosen if len(request.viewer.grants) > 1 else None,
    }
    return render(request, "statements/statement.html", context, status=422 if form.is_bound and form.errors else 200)


@require_safe
@customer_view
def download(request: CustomerRequest) -> HttpResponse:
    """Answer with the statement as a PDF file."""
    _require_section(request)
    form, first, last = _period(request, request.GET)
    if request.viewer.must_choose or form.errors:
        raise Http404
    statement = _statement(request, first, last)
    return hand_out(render_statement_pdf(statement, request.brand), pdf_name(statement))


@require_POST
@customer_view
def mail(request: CustomerRequest) -> HttpResponse:
    """Mail the statement to the person's own address."""
    _require_section(request)
    form, first, last = _period(request, request.POST)
    if request.viewer.must_choose or form.errors:
        raise Http404
    user = request.viewer.user
    try:
        mail_statement(
            user=user,
            customer_ids=[grant.customer_id for grant in request.viewer.shown_grants],
            first=first,
            last=last,
            by=actor_of(request),
            now=timezone.now(),
        )
    except TooManyStatements as error:
        return errors.rate_limited(request, wait_seconds=error.wait_seconds)
    messages.success(request, _("The statement is on its way to %(email)s.") % {"email": user.email})
    query = urlencode({"first": first.isoformat(), "last": last.isoformat()})
    return HttpResponseRedirect(f"{reverse('statements:show')}?{query}")


def _require_section(request: CustomerRequest) -> None:
    """Let nobody in who has no invoices to see; alike for a hidden section (NAV-06)."""
    if not section_is_open(request.viewer.shown_grants, request.settings).allowed:
        raise Http404


def _period(request: CustomerRequest, values: QueryDict) -> tuple[PeriodForm, date, date]:
    """Return the form and the period it asks for; the preset one while it asks for none that makes sense."""
    preset = usual_periods(company_day(request.tenant, timezone.now()))[0]
    initial = {"first": preset.first, "last": preset.last}
    asked = "first" in values or "last" in values
    form = PeriodForm(values if asked else None, initial=initial)
    if asked and form.is_valid():
        return form, form.cleaned_data["first"], form.cleaned_data["last"]
    return form, preset.first, preset.last


def _statement(request: CustomerRequest, first: date, last: date) -> Statement:
    return make_statement(
        request.viewer.shown_grants,
        settings=request.settings,
        tenant=request.tenant,
        first=first,
        last=last,
        now=timezone.now(),
    )


def _choices(request: CustomerRequest, first: date, last: date) -> tuple[Choice, ...]:
    address = reverse("statements:show")
    return tuple(
        Choice(
            f"{address}?{urlencode({'first': period.first.isoformat(), 'last': period.last.isoformat()})}",
            period.text,
            (period.first, period.last) == (first, last),
        )
        for period in usual_periods(company_day(request.tenant, timezone.now()))
    )
