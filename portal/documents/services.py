"""Stores files of a company under random keys, each below its own folder (UPL-01, UPL-07)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from functools import partial
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from portal.documents.images import MAX_BYTES, BadImage, Drawing, Logo, draw_logo
from portal.documents.models import MediaItem
from portal.settings.models import CompanyProfile
from tenants.audit import Actor, record
from tenants.context import TenantFacts

__all__ = ["MAX_BYTES", "BadImage", "remove_logo", "store_logo"]


def store_logo(*, tenant: TenantFacts, data: bytes, by: Actor, now: datetime) -> MediaItem:
    """Make an uploaded picture the company's logo; raises BadImage, and then nothing is stored.

    The former logo's files go once the change is committed. Must run in the tenant's transaction.
    """
    return _replace(tenant=tenant, logo=draw_logo(data), by=by, now=now)


def remove_logo(*, by: Actor, now: datetime) -> None:
    """Go back to the initials on the door."""
    profile = CompanyProfile.objects.select_for_update().get(pk=1)
    former = profile.logo_id
    if former is None:
        return
    CompanyProfile.objects.filter(pk=1).update(logo=None, updated_at=now)
    record("company.logo_removed", by=by, now=now)
    _forget(former)


def _replace(*, tenant: TenantFacts, logo: Logo, by: Actor, now: datetime) -> MediaItem:
    profile = CompanyProfile.objects.select_for_update().get(pk=1)
    former = profile.logo_id
    tile_key = _write(tenant.id, logo.tile)
    item = MediaItem.objects.create(
        kind=MediaItem.Kind.LOGO,
        title="Logo",
        storage_key=_write(tenant.id, logo.wide),
        content_type="image/png",
        size_bytes=len(logo.wide.data),
        sha256=hashlib.sha256(logo.wide.data).hexdigest(),
        width=logo.wide.width,
        height=logo.wide.height,
        details={"tile_key": tile_key},
        created_at=now,
    )
    CompanyProfile.objects.filter(pk=1).update(logo=item, updated_at=now)
    record("company.logo_changed", by=by, now=now, target=item, after={"sha256": item.sha256})
    if former:
        _forget(former)
    return item


def _write(tenant_id: UUID, drawing: Drawing) -> str:
    key = f"{tenant_id}/{secrets.token_urlsafe(24)}.png"
    return default_storage.save(key, ContentFile(drawing.data))


def _forget(item_id: UUID) -> None:
    """Delete a stored file with its row; the file itself only after the row is gone for good."""
    item = MediaItem.objects.get(pk=item_id)
    keys = [item.storage_key, *filter(None, [item.details.get("tile_key")])]
    item.delete()
    transaction.on_commit(partial(_delete_files, keys), robust=True)


def _delete_files(keys: list[str]) -> None:
    for key in keys:
        default_storage.delete(key)
