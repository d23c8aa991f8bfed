"""The company as its customers and its staff see it: name, colours, logo, contact (BRAND-01, BRAND-03)."""

from __future__ import annotations

from typing import Any

from portal.settings.models import CompanyProfile
from portal.settings.phones import show_phone
from portal.ui.brand import BrandView, InvalidColour, Palette, initials, palette
from tenants.context import TenantFacts


def load_brand(tenant: TenantFacts) -> BrandView:
    """Return the brand of the tenant in scope; one query. Put it on the request as `request.brand`."""
    profile = CompanyProfile.objects.select_related("logo").filter(pk=1).first()
    return brand_of(tenant, profile)


def brand_of(tenant: TenantFacts, profile: CompanyProfile | None) -> BrandView:
    """Return the brand of a company whose profile has been read; without a profile only its name is known."""
    if profile is None:
        return BrandView(
            name=tenant.display_name,
            short_name=short_name(tenant.display_name),
            initials=initials(tenant.display_name),
            host=tenant.host,
        )
    name = profile.name or tenant.display_name
    return BrandView(
        name=name,
        short_name=short_name(name),
        initials=initials(name),
        phone=show_phone(profile.phone, tenant.country) if profile.phone else "",
        phone_href=f"tel:{profile.phone}" if profile.phone else "",
        email=profile.email,
        address_lines=address_lines(profile.address),
        licence=profile.licence_no,
        host=tenant.host,
        palette=palette_of(profile),
        logo_url=logo_url(profile.logo.storage_key) if profile.logo else None,
    )


def palette_of(profile: CompanyProfile) -> Palette | None:
    """Return the seven colours stored with the profile, or computed when they were never stored."""
    try:
        return Palette(**profile.palette) if profile.palette else palette(profile.brand_color)
    except (TypeError, InvalidColour):
        return None


def logo_url(storage_key: str) -> str:
    """Return the logo's path on the company's host."""
    return f"/brand/logo/{storage_key.rpartition('/')[2]}"


def address_lines(address: dict[str, Any]) -> tuple[str, ...]:
    """Return a stored address as the lines of an envelope."""
    town = " ".join(part for part in (address.get("region", ""), address.get("postal_code", "")) if part)
    last = ", ".join(part for part in (address.get("city", ""), town) if part)
    return tuple(line for line in (address.get("street", ""), address.get("street2", ""), last) if line)


def short_name(name: str) -> str:
    """Return the name as one says it in passing: Acme for Acme Heating & Air, Rosa & Sons for Rosa & Sons Plumbing."""
    words = name.split()
    if len(words) > 3 and words[1].lower() in ("&", "and", "y"):
        return " ".join(words[:3]).rstrip(",")
    first = words[0].rstrip(",") if words else ""
    return first if len(first) >= 3 and first.lower() != "the" else name
