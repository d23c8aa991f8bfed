"""The settings of the customer portal: open or closed, words, colours, logo, contact (F-23, PLT-04…08)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from portal.access.models import PortalAccess
from portal.accounts.owner_settings import conflict, saved
from portal.accounts.staff_guards import StaffRequest, staff_view
from portal.accounts.staff_permissions import Permission, may
from portal.documents.services import MAX_BYTES, BadImage, remove_logo, store_logo
from portal.settings.forms import BrandForm, ContactForm, PortalForm
from portal.settings.services import load_profile, save_colour, save_contact, stamp_of
from portal.ui.brand import css_variables, palette
from portal.ui.errors import forbidden
from portal.ui.formats import format_number
from tenants.config.registry import PORTAL_ENABLED, WELCOME_MESSAGE, BadValue
from tenants.config.services import SettingsConflict, write_owner_settings

GROUPS = ("settings", "settings_brand", "settings_company", "settings_links")
PREVIEW = ".phone [data-brand]"


def _guarded(view: Callable[[StaffRequest], HttpResponse]) -> Callable[[StaffRequest], HttpResponse]:
    """Let those look who may look, and those change who may change (datamodel.md 6.5)."""

    def checked(request: StaffRequest) -> HttpResponse:
        if request.method == "POST" and not may(request.staff, Permission.CHANGE_SETTINGS):
            return forbidden(request)
        return view(request)

    return checked


# Owner settings live in the control plane: no transaction may reach both halves (Decided 16, 21).
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_SETTINGS)
@_guarded
def availability(request: StaffRequest) -> HttpResponse:
    """Open and close the portal; closing says whom it hits before it happens (PLT-05…08)."""
    enabled = request.settings.get(PORTAL_ENABLED)
    people = _people()
    if request.method != "POST":
        form = PortalForm(
            initial={
                "version": request.tenant.config_version,
                "enabled": enabled,
                "welcome_message": request.settings.get(WELCOME_MESSAGE),
            },
            impact=_hint(request, people),
        )
        return _show_availability(request, form, impact=None)
    form = PortalForm(request.POST, impact=_hint(request, people))
    if not form.is_valid():
        return _show_availability(request, form, impact=None, status=422)
    closes = enabled and not form.cleaned_data["enabled"]
    if closes and request.POST.get("confirm") != "1":
        return _show_availability(request, form, impact=_impact(people))
    try:
        write_owner_settings(
            tenant_id=request.tenant.id,
            values={
                PORTAL_ENABLED.name: form.cleaned_data["enabled"],
                WELCOME_MESSAGE.name: form.cleaned_data["welcome_message"],
            },
            expected_version=form.cleaned_data["version"],
            by=request.actor,
            now=timezone.now(),
        )
    except SettingsConflict:
        return conflict(request, reverse("office:settings"))
    except BadValue as error:
        form.add_error("welcome_message" if error.key == WELCOME_MESSAGE.name else "enabled", error.sentence)
        return _show_availability(request, form, impact=None, status=422)
    return saved(request, reverse("office:settings"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_SETTINGS)
@_guarded
def brand(request: StaffRequest) -> HttpResponse:
    """Change colour and logo (BRAND-01, BRAND-03)."""
    profile = load_profile()
    if request.method != "POST":
        return _show_brand(request, BrandForm(initial={"stamp": stamp_of(profile), "colour": profile.brand_color}))
    form = BrandForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show_brand(request, form, status=422)
    try:
        _save_brand(request, form)
    except SettingsConflict:
        return conflict(request, reverse("office:settings_brand"))
    except BadImage as error:
        form.add_error("logo", str(error.sentence))
        return _show_brand(request, form, status=422)
    return saved(request, reverse("office:settings_brand"))


def _save_brand(request: StaffRequest, form: BrandForm) -> None:
    """Store colour and logo together or not at all; raises SettingsConflict, BadImage."""
    now = timezone.now()
    data = form.cleaned_data
    with transaction.atomic():
        save_colour(colour=data["colour"], stamp=data["stamp"], by=request.actor, now=now)
        if data["logo"]:
            # One byte more than allowed is enough to know; the rest is not read (UPL-06).
            store_logo(tenant=request.tenant, data=data["logo"].read(MAX_BYTES + 1), by=request.actor, now=now)
        elif data["remove_logo"]:
            remove_logo(by=request.actor, now=now)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(Permission.VIEW_SETTINGS)
@_guarded
def company(request: StaffRequest) -> HttpResponse:
    """Change how customers reach the company."""
    profile = load_profile()
    country = request.tenant.country
    if request.method != "POST":
        form = ContactForm(initial=ContactForm.initial_of(profile, stamp_of(profile), country), country=country)
        return _show_company(request, form)
    form = ContactForm(request.POST, country=country)
    if not form.is_valid():
        return _show_company(request, form, status=422)
    try:
        save_contact(
            values=form.values(profile), stamp=form.cleaned_data["stamp"], by=request.actor, now=timezone.now()
        )
    except SettingsConflict:
        return conflict(request, reverse("office:settings_company"))
    return saved(request, reverse("office:settings_company"))


def _people() -> int:
    """Return how many people can sign in now."""
    live = Q(status__in=(PortalAccess.Status.ACTIVE, PortalAccess.Status.INVITED), customer__portal_locked=False)
    return PortalAccess.objects.filter(live).values("portal_user_id").distinct().count()


def _hint(request: StaffRequest, people: int) -> str:
    if request.settings.get(PORTAL_ENABLED):
        text = _("%(people)s now. Turning it off ends their visits; nothing is deleted.")
    else:
        text = _("Off. Turning it on: %(people)s again, nobody has to be invited anew.")
    return text % {"people": _people_text(people)}


def _people_text(people: int) -> str:
    return ngettext("%(count)s person can sign in", "%(count)s people can sign in", people) % {
        "count": format_number(people)
    }


def _impact(people: int) -> dict[str, Any]:
    return {
        "strong": _("%(people)s now.") % {"people": _people_text(people)},
        "text": _("Turning the portal off ends their visits and shows your phone number instead. Nothing is deleted."),
        "changes": 1,
    }


def _show_availability(
    request: StaffRequest, form: PortalForm, *, impact: dict[str, Any] | None, status: int = 200
) -> HttpResponse:
    sections = [
        {"id": "open", "title": _("Availability"), "hint": "", "fields": [form["enabled"]]},
        {"id": "words", "title": _("Words"), "hint": "", "fields": [form["welcome_message"]]},
    ]
    welcome = form["welcome_message"].value() or ""
    return _page(request, form, sections, "settings", status=status, impact=impact, welcome=welcome)


def _show_brand(request: StaffRequest, form: BrandForm, *, status: int = 200) -> HttpResponse:
    fields = [form["colour"], form["logo"]]
    if request.brand.logo_url:
        fields.append(form["remove_logo"])
    sections = [{"id": "look", "title": _("Color and logo"), "hint": "", "fields": fields}]
    return _page(request, form, sections, "settings_brand", status=status)


def _show_company(request: StaffRequest, form: ContactForm, *, status: int = 200) -> HttpResponse:
    reach = [form[name] for name in ("name", "phone", "email", "licence_no")]
    place = [form[name] for name in ("street", "street2", "city", "region", "postal_code")]
    hint = _("Every page and every mail shows this.")
    sections = [
        {"id": "reach", "title": _("How customers reach you"), "hint": hint, "fields": reach},
        {"id": "place", "title": _("Address"), "hint": "", "fields": place},
    ]
    return _page(request, form, sections, "settings_company", status=status)


def _page(
    request: StaffRequest, form: Any, sections: list[dict[str, Any]], group: str, *, status: int, **extra: Any
) -> HttpResponse:
    titles = {
        "settings": _("Availability and words"),
        "settings_brand": _("Color and logo"),
        "settings_company": _("Company"),
        "settings_links": _("Links to invoices and estimates"),
    }
    colours = request.brand.palette or palette("#12484b")
    context = {
        "groups": [
            {"url": reverse(f"office:{name}"), "text": titles[name], "current": name == group} for name in GROUPS
        ],
        "form": form,
        "sections": sections,
        "portal_on": request.settings.get(PORTAL_ENABLED),
        "entitled": request.tenant.axes.portal_entitled,
        "may_change": may(request.staff, Permission.CHANGE_SETTINGS),
        "preview_css": css_variables(colours, PREVIEW),
        "impact": None,
        "welcome": request.settings.get(WELCOME_MESSAGE),
        **extra,
    }
    return render(request, "office/settings.html", context, status=status)
