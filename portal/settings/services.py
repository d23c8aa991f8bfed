"""The company's own record: contact and colours, changed with a check that nobody else did (F-23, BRAND-03)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from portal.settings.models import CompanyProfile
from portal.ui.brand import palette
from tenants.audit import Actor, record
from tenants.config.services import SettingsConflict

CONTACT_FIELDS = ("name", "phone", "email", "address", "licence_no")


def load_profile() -> CompanyProfile:
    """Return the company's record."""
    return CompanyProfile.objects.select_related("logo").get(pk=1)


def stamp_of(profile: CompanyProfile) -> str:
    """Return what a form carries so that a later save can tell whether the record is still the same."""
    return profile.updated_at.isoformat()


def save_contact(*, values: dict[str, Any], stamp: str, by: Actor, now: datetime) -> None:
    """Store how customers reach the company; fields outside CONTACT_FIELDS are refused. Raises SettingsConflict."""
    unknown = set(values) - set(CONTACT_FIELDS)
    if unknown:
        raise ValueError(f"not a contact field: {', '.join(sorted(unknown))}")
    _save(values, stamp=stamp, action="company.contact_changed", by=by, now=now)


def save_colour(*, colour: str, stamp: str, by: Actor, now: datetime) -> None:
    """Store the brand colour with the seven colours that follow from it; raises InvalidColour, SettingsConflict."""
    values = {"brand_color": colour.lower(), "palette": asdict(palette(colour.lower()))}
    _save(values, stamp=stamp, action="company.colour_changed", by=by, now=now)


def _save(values: dict[str, Any], *, stamp: str, action: str, by: Actor, now: datetime) -> None:
    with transaction.atomic():
        profile = CompanyProfile.objects.select_for_update().get(pk=1)
        if stamp_of(profile) != stamp:
            raise SettingsConflict
        before = {name: getattr(profile, name) for name in values}
        changed = {name for name, value in values.items() if before[name] != value}
        if not changed:
            return
        CompanyProfile.objects.filter(pk=1).update(**values, updated_at=now)
        record(
            action,
            by=by,
            now=now,
            before={name: before[name] for name in sorted(changed)},
            after={name: values[name] for name in sorted(changed)},
        )
