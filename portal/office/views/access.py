"""Inviting a customer's people and changing what they may see (F-07, ENR-10…18)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import services
from portal.access.models import PortalAccess
from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission
from portal.customers.models import Customer
from portal.customers.services import ChangedMeanwhile, add_email, change_level, write_memo
from portal.office.forms import InviteForm, MemoForm
from portal.office.views.customers import show_customer
from portal.ui.formats import format_clock
from tenants.config.registry import DEFAULT_LEVEL


@require_POST
@staff_view(Permission.MANAGE_ACCESS)
def invite(request: StaffRequest, customer_id: UUID) -> HttpResponse:
    """Invite one address; a new one is put on the customer's record first (ENR-12…15)."""
    customer = _customer_or_404(customer_id)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return show_customer(request, customer_id, form)
    now = timezone.now()
    email = form.cleaned_data["email"]
    point = add_email(customer=customer, email=email, by=request.actor, now=now)
    if request.POST.get("do") == "add":
        messages.success(request, _("%(email)s is on the record now.") % {"email": email})
        return _back(customer_id)
    try:
        access = services.invite_to_portal(
            customer=customer,
            contact=point.contact,
            email=email,
            level=request.settings.get(DEFAULT_LEVEL),
            by=request.actor,
            now=now,
        )
    except services.CustomerLocked:
        messages.error(request, _("%(name)s is locked out of the portal.") % {"name": customer.name})
    except services.AccessConflict as error:
        messages.error(request, _conflict(error.status))
    else:
        if access.status == PortalAccess.Status.INVITED:
            messages.success(request, _sent(email, now))
        else:
            messages.info(request, _("%(email)s uses the portal already.") % {"email": email})
    return _back(customer_id)


@require_POST
@staff_view(Permission.MANAGE_ACCESS)
def change(request: StaffRequest, customer_id: UUID, access_id: UUID) -> HttpResponse:
    """Do one thing of an access's menu: resend, suspend, lift, level."""
    access = _access_or_404(customer_id, access_id)
    now = timezone.now()
    email = access.portal_user.email
    try:
        done = _do(request, access, email, now)
    except services.AccessConflict as error:
        messages.error(request, _conflict(error.status))
    except ChangedMeanwhile:
        messages.error(request, _("Somebody else changed this access a moment ago. Look again, then decide."))
    else:
        messages.success(request, done)
    return _back(customer_id)


def _do(request: StaffRequest, access: PortalAccess, email: str, now: datetime) -> str:
    wanted = request.POST.get("do", "")
    if wanted == "resend":
        services.resend_invitation(access=access, by=request.actor, now=now)
        return _sent(email, now)
    if wanted == "suspend":
        services.suspend(access=access, by=request.actor, now=now)
        return _("%(email)s can’t use the portal for now. Open visits have ended.") % {"email": email}
    if wanted == "lift":
        services.lift(access=access, by=request.actor, now=now)
        return _("%(email)s can use the portal again.") % {"email": email}
    level = request.POST.get("level", "")
    if wanted == "level" and level in PortalAccess.Level.values:
        change_level(access=access, level=level, by=request.actor, now=now)
        if level == PortalAccess.Level.BILLING:
            return _("%(email)s sees invoices and can pay.") % {"email": email}
        return _("%(email)s doesn’t see amounts any more.") % {"email": email}
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_ACCESS)
def revoke(request: StaffRequest, customer_id: UUID, access_id: UUID) -> HttpResponse:
    """Ask, then end an access; its links and visits end with it."""
    access = _access_or_404(customer_id, access_id)
    if request.method != "POST":
        context = {"customer": access.customer, "email": access.portal_user.email, "was_invited": _is_invited(access)}
        return render(request, "office/customer_revoke.html", context)
    try:
        services.revoke(access=access, by=request.actor, now=timezone.now())
    except services.AccessConflict as error:
        messages.error(request, _conflict(error.status))
    else:
        messages.success(request, _("%(email)s has no access any more.") % {"email": access.portal_user.email})
    return _back(customer_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.MANAGE_ACCESS)
def memo(request: StaffRequest, customer_id: UUID, access_id: UUID) -> HttpResponse:
    """Write the office's note about an access (ENR-04)."""
    access = _access_or_404(customer_id, access_id)
    form = MemoForm(request.POST if request.method == "POST" else None, initial={"memo": access.memo})
    if request.method == "POST" and form.is_valid():
        write_memo(access=access, memo=form.cleaned_data["memo"], by=request.actor, now=timezone.now())
        messages.success(request, _("Memo saved."))
        return _back(customer_id)
    context = {"customer": access.customer, "email": access.portal_user.email, "form": form}
    return render(request, "office/customer_memo.html", context, status=422 if form.is_bound else 200)


def _customer_or_404(customer_id: UUID) -> Customer:
    customer = Customer.objects.filter(pk=customer_id, merged_into__isnull=True).first()
    if customer is None:
        raise Http404
    return customer


def _access_or_404(customer_id: UUID, access_id: UUID) -> PortalAccess:
    accesses = PortalAccess.objects.filter(pk=access_id, customer_id=customer_id, customer__merged_into__isnull=True)
    access = accesses.select_related("portal_user", "customer").first()
    if access is None:
        raise Http404
    return access


def _is_invited(access: PortalAccess) -> bool:
    return access.status == PortalAccess.Status.INVITED


def _sent(email: str, now: datetime) -> str:
    return _("Invitation sent to %(email)s, %(time)s.") % {"email": email, "time": format_clock(now)}


def _conflict(status: str) -> str:
    names = {
        PortalAccess.Status.ACTIVE: _("That access is active already."),
        PortalAccess.Status.SUSPENDED: _("That access is suspended. Give it back first."),
        PortalAccess.Status.REVOKED: _("That access was revoked meanwhile."),
    }
    return names.get(PortalAccess.Status(status), _("That access has changed meanwhile. Look again, then decide."))


def _back(customer_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("office:customer", args=[customer_id]) + "#portal", status=303)
