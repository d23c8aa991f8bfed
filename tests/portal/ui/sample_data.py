"""The cast of the sample pages and small builders for what templates read."""

from __future__ import annotations

from types import SimpleNamespace as View
from typing import Any

from portal.ui.brand import BrandView, palette
from portal.ui.context import PersonView

BRAND = BrandView(
    name="Acme Heating & Air",
    short_name="Acme",
    initials="AH",
    phone="(614) 555-0142",
    phone_href="tel:+16145550142",
    email="office@acmeheating.example",
    address_lines=("2210 Fisher Rd", "Columbus, OH 43204"),
    hours="Mon to Fri, 7:30 am to 5 pm",
    licence="OH-HV 48213",
    host="acme.portal.example",
    palette=palette("#1e5aa8"),
    privacy_url="/privacy",
    terms_url="/terms",
)
DANA = PersonView("Dana Whitfield", "DW", "d.whitfield@whitfield.example")
RENEE = PersonView("Renee Kowalski", "RK", "Office manager")
JONAS = PersonView("Jonas Okafor", "JO", "engineer")


def badge(text: str, kind: str = "", icon: str = "") -> View:
    return View(text=text, kind=kind, icon=icon)


def step(text: str, state: str = "", note: str = "", end: str = "", icon: str = "", url: str = "") -> View:
    return View(text=text, state=state, note=note, end=end, icon=icon, url=url)


def pair(label: str, value: Any, note: str = "", tone: str = "") -> View:
    return View(label=label, value=value, note=note, tone=tone)


def wrong(form: Any) -> Any:
    """Validate a form so that it shows its errors."""
    form.is_valid()
    return form


Pages = dict[str, dict[str, Any]]
PORTAL = {"brand": BRAND, "person": DANA}
VISITOR = {"brand": BRAND}
OFFICE = {"brand": BRAND, "person": RENEE}
CONSOLE = {"person": JONAS, "environment": "Production", "release": "2025.47.2"}
