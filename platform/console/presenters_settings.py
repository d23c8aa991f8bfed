"""Turns explained settings into the rows of a company's page: what counts, who said so, and what it went over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from portal.ui.formats import format_weekday_date
from tenants.config.explain import Explanation, explain_all
from tenants.models import Tenant


def present_settings(found: Tenant, now: datetime) -> list[dict[str, Any]]:
    """Return one row per key that somebody has set for this company; what is as declared is left out."""
    return [_row(each) for each in explain_all(found, now) if len(each.layers) > 1 and each.key.layers != ("platform",)]


def _row(found: Explanation) -> dict[str, Any]:
    winner = found.winner
    notes = [winner.set_by, format_weekday_date(winner.set_at, "year") if winner.set_at else "", winner.reason]
    if winner.expires_at:
        notes.append(_("until %(date)s") % {"date": format_weekday_date(winner.expires_at, "year")})
    beaten = [f"{_say(each.value)} ({_layer(each.row.layer)})" for each in found.layers if each.row is not winner]
    return {
        "key": found.key.name,
        "value": _say(found.result.value),
        "layer": _layer(found.result.layer),
        "locked": found.result.locked,
        "note": " · ".join(note for note in notes if note),
        "beaten": _("instead of %(values)s") % {"values": ", ".join(beaten)} if beaten else "",
    }


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, dict):
        return f"{value['percent']:g} %"
    return str(value) or _("empty")


def _layer(name: str) -> str:
    return {
        "code": _("as built"),
        "platform": _("for everybody"),
        "grant": _("kept from before"),
        "plan": _("by plan"),
        "cohort": _("by cohort"),
        "operator": _("by us for this company"),
        "owner": _("by the owner"),
        "kill": _("killed for everybody"),
    }[name]
