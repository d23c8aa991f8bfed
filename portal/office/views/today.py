"""The first page of the office: what is left to set up, what needs somebody, how the portal does (F-02)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Sum
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from portal.access.models import PortalAccess
from portal.access.services import AccessConflict, CustomerLocked
from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.customers.selectors import living_customers
from portal.invoices.rows import Badge
from portal.office.setup import SEEN_PORTAL, SHARED_LINK, invite_myself, load_setup, set_mark
from portal.office.words import say_moment
from portal.payments.models import Payment
from portal.payments.needs import needs as money_needs
from portal.ui.formats import format_money, format_number
from tenants.context import TenantFacts

WEEK = timedelta(days=7)
Status = PortalAccess.Status


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits for somebody in the office."""

    url: str
    icon: str
    title: str
    sub: str = ""
    tone: str = ""
    when: str = ""
    badge: Badge | None = field(default=None)


@require_safe
@staff_view()
def today(request: StaffRequest) -> HttpResponse:
    """Show the checklist until it is done, then what waits."""
    now = timezone.now()
    day = timezone.localdate()
    setup = load_setup(tenant=request.tenant, staff=request.staff) if may(request.staff, Permission.IMPORT) else None
    if setup and setup.current is None:
        setup = None
    needs = _money_needs() if may(request.staff, Permission.MANAGE_INVOICES) else []
    needs += _needs(request.tenant, now, day) if may(request.staff, Permission.VIEW_ACCESS) else []
    context = {
        "today": day,
        "setup": setup,
        "needs": needs,
        "figures": _figures(request, now),
        "portal_open": request.context.access.door == "open",
        "may_invite": may(request.staff, Permission.MANAGE_ACCESS),
        "trial_days": _trial_days(request.tenant, now) if may(request.staff, Permission.MANAGE_PLAN) else None,
    }
    return render(request, "office/today.html", context)


def _trial_days(tenant: TenantFacts, now: datetime) -> int | None:
    """Return the days that are left of a trial for which no plan was chosen yet, begun ones included."""
    billing = tenant.billing
    if billing is None or billing.status or billing.trial_ends_at <= now:
        return None
    return -((now - billing.trial_ends_at) // timedelta(days=1))


@require_POST
@staff_view(Permission.IMPORT)
def setup_step(request: StaffRequest, step: str) -> HttpResponse:
    """Do a step of the checklist that leaves no other trace."""
    now = timezone.now()
    if step == SEEN_PORTAL:
        set_mark(SEEN_PORTAL, now=now)
        return HttpResponseRedirect("/", status=303)
    if step == SHARED_LINK:
        set_mark(SHARED_LINK, now=now)
        return HttpResponseRedirect(reverse("office:today"), status=303)
    if step == "invite_me" and may(request.staff, Permission.MANAGE_ACCESS):
        try:
            invite_myself(staff=request.staff, by=request.actor, now=now)
        except (AccessConflict, CustomerLocked):
            messages.error(request, _("Your own access is suspended or locked. Look at your customer record."))
        else:
            messages.success(request, _("Your invitation is on its way to %(email)s.") % {"email": request.staff.email})
        return HttpResponseRedirect(reverse("office:today"), status=303)
    raise Http404


@require_safe
@staff_view(Permission.VIEW_CUSTOMERS)
def share(request: StaffRequest) -> HttpResponse:
    """Show the portal's address in the forms in which it is passed on (F-24)."""
    url = request.tenant.url("/")
    context = {
        "portal_url": url,
        "button_code": f'<a href="{url}">{_("Customer portal")}</a>',
        "signature": _("See your invoices and pay online: %(url)s") % {"url": url},
        "may_mark": may(request.staff, Permission.IMPORT),
    }
    return render(request, "office/share.html", context)


def _money_needs() -> list[Need]:
    """Return disputes, refunds that came back and differences to Stripe."""
    return [Need(url=each.url, icon=each.icon, title=each.title, sub=each.sub, tone="bad") for each in money_needs()]


def _needs(tenant: TenantFacts, now: datetime, day: date) -> list[Need]:
    """Return what waits, oldest first where there is an age."""
    needs = []
    account = tenant.payment_account
    if account is not None and account.card_payments == "restricted":
        needs.append(
            Need(
                url=reverse("office:today"),
                icon="credit-card",
                tone="bad",
                title=_("Stripe needs something from you"),
                sub=_("Until then customers can’t pay by card."),
                badge=Badge(_("Payments paused"), "bad"),
            )
        )
    old = PortalAccess.objects.filter(status=Status.INVITED, invited_at__lt=now - WEEK)
    found = old.aggregate(count=Count("pk"), newest=Max("invited_at"))
    if found["count"]:
        title = ngettext(
            "%(count)s invitation is unused after a week",
            "%(count)s invitations are unused after a week",
            found["count"],
        ) % {"count": format_number(found["count"])}
        needs.append(
            Need(
                url=reverse("office:customers") + "?f=invited",
                icon="mail",
                title=title,
                sub=_("A call helps, or send them again."),
                when=say_moment(found["newest"], day),
            )
        )
    return needs


def _figures(request: StaffRequest, now: datetime) -> list[dict[str, Any]]:
    """Return the pulse of the last seven days."""
    if not may(request.staff, Permission.VIEW_INVOICES):
        return []
    online = Payment.objects.filter(
        origin__in=("portal", "link", "autopay"), succeeded_at__gte=now - WEEK, receipt_no__isnull=False
    ).aggregate(cents=Sum("received_cents"), count=Count("pk"))
    active = PortalAccess.objects.filter(status=Status.ACTIVE)
    people = active.values("customer_id").distinct().count()
    total = living_customers().count()
    paid = format_money(online["cents"] or 0, request.tenant.currency, short=True)
    count = ngettext("%(count)s payment", "%(count)s payments", online["count"]) % {"count": online["count"]}
    return [
        {"label": _("Paid online"), "value": paid, "note": count},
        {
            "label": _("Active customers"),
            "value": format_number(people),
            "note": _("of %(total)s") % {"total": format_number(total)},
        },
    ]
