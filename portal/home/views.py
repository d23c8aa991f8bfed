"""The customer's first page: what to do, what is owed, whom to call (P-06); and the choice of account (AUN-22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings as django_settings
from django.db.models import Sum
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.access.policy import billing_customers, may_see_billing
from portal.accounts.guards import CustomerRequest, account_cookie_name, customer_view
from portal.accounts.sessions import ABSOLUTE
from portal.estimates.policy import DEPOSIT_IS_DUE, is_open
from portal.estimates.policy import visible_of as visible_estimates
from portal.estimates.rows import EstimateRow, make_rows
from portal.estimates.views import count_open
from portal.invoices.policy import section_is_open, visible_of
from portal.invoices.rows import InvoiceRow
from portal.invoices.selectors import AccountFigures, account_figures, can_charge, company_day, open_rows
from portal.payments.selectors import failed_debits
from tenants.config.registry import METHODS_SECTION, WELCOME_MESSAGE

TASKS = 5


@dataclass(frozen=True, slots=True)
class Money:
    """What the first page says about money: the invoice to pay first, the next ones, the sums."""

    headline: InvoiceRow | None
    others: tuple[InvoiceRow, ...]
    balance: AccountFigures


@require_safe
@customer_view
def show_home(request: CustomerRequest) -> HttpResponse:
    """Show tasks before anything else; someone with several accounts chooses one first."""
    viewer = request.viewer
    if viewer.must_choose:
        return redirect("home:accounts")
    now = timezone.now()
    today = company_day(request.tenant, now)
    money = _money(request, now)
    if money is None:
        request.nav_hidden = frozenset({"invoices:list"})
    else:
        request.nav_counts = {"invoices:list": money.balance.open_count}
    count_open(request, today)
    context = {
        "greeting": _greeting(viewer.user.display_name, viewer.chosen is not None, now),
        "money": money,
        "announcement": request.settings.get(WELCOME_MESSAGE),
        "account": viewer.chosen if len(viewer.grants) > 1 else None,
        "methods_url": _methods_url(request),
        "estimates": _estimates(request, today),
        "can_charge": can_charge(request.tenant),
        "deposit_cents": _deposits_held(request) if money else 0,
        "failed_debits": failed_debits(billing_customers(viewer.shown_grants), now) if money else [],
    }
    return render(request, "home/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def choose_account(request: CustomerRequest) -> HttpResponse:
    """Let somebody who acts for several customers say for which; one mailbox never mixes them silently (AUN-22)."""
    if request.method != "POST":
        return render(request, "home/accounts.html", {"grants": request.viewer.grants, "chosen": request.viewer.chosen})
    wanted = request.POST.get("account", "")
    grant = next((grant for grant in request.viewer.grants if str(grant.customer_id) == wanted), None)
    if grant is None:
        raise Http404
    response = HttpResponseRedirect("/", status=303)
    response.set_cookie(
        account_cookie_name(),
        str(grant.customer_id),
        max_age=int(ABSOLUTE.total_seconds()),
        path="/",
        secure=django_settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _money(request: CustomerRequest, now: datetime) -> Money | None:
    grants = request.viewer.shown_grants
    if not section_is_open(grants, request.settings).allowed:
        return None
    invoices = visible_of(grants, request.settings)
    rows = open_rows(invoices, tenant=request.tenant, now=now, limit=TASKS)
    first = next((row for row in rows if row.state in ("overdue", "due")), None)
    others = tuple(row for row in rows if row is not first)
    return Money(first, others, account_figures(invoices, tenant=request.tenant, now=now))


def _estimates(request: CustomerRequest, today: date) -> tuple[EstimateRow, ...]:
    """Return the estimates that wait for an answer or a deposit: cards beside what is to be paid (NAV-04, P-06)."""
    found = visible_estimates(request.viewer.shown_grants, request.settings)
    waiting = found.filter(is_open(today) | DEPOSIT_IS_DUE).select_related("customer", "location")
    return make_rows(waiting.order_by("-sent_at")[:TASKS], today=today)


def _deposits_held(request: CustomerRequest) -> int:
    """Return what the company holds of deposits: paid, and not part of an invoice yet."""
    rows = visible_estimates(request.viewer.shown_grants, request.settings).filter(currency=request.tenant.currency)
    return int(rows.aggregate(held=Sum("deposit_paid_cents"))["held"] or 0)


def _methods_url(request: CustomerRequest) -> str:
    """Return where cards and bank accounts on file are managed, for who may (CARD-08)."""
    shown = request.settings.get(METHODS_SECTION) == "show" and may_see_billing(request.viewer.chosen).allowed
    return reverse("methods:list") if shown else ""


def _greeting(name: str, known: bool, now: datetime) -> str:
    """Return a greeting for the time of day where the company is."""
    hour = timezone.localtime(now).hour
    word = _("Good morning") if hour < 12 else _("Good afternoon") if hour < 18 else _("Good evening")
    first = name.split(" ")[0] if known else ""
    return _("%(greeting)s, %(name)s") % {"greeting": word, "name": first} if first else word
