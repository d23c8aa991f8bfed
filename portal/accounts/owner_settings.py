"""Keeps what a form of the office decided about the company's settings, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.staff_guards import StaffRequest
from tenants.config.services import SettingsConflict, write_owner_settings


def keep_decision(request: StaffRequest, values: Mapping[str, Any], *, version: int, back: str) -> HttpResponseRedirect:
    """Store the values if nothing was changed since `version`, and lead back to the page; for non-atomic views."""
    try:
        write_owner_settings(
            tenant_id=request.tenant.id,
            values=dict(values),
            expected_version=version,
            by=request.actor,
            now=timezone.now(),
        )
    except SettingsConflict:
        return conflict(request, back)
    return saved(request, back)


def conflict(request: StaffRequest, back: str) -> HttpResponseRedirect:
    """Say that somebody else was faster, and lead back to what they have decided."""
    messages.error(request, _("Somebody else changed these settings a moment ago. Here they are; nothing was saved."))
    return HttpResponseRedirect(back, status=303)


def saved(request: StaffRequest, back: str) -> HttpResponseRedirect:
    """Say that it is done, and lead back to the page."""
    messages.success(request, _("Saved. Customers see it from now on."))
    return HttpResponseRedirect(back, status=303)
