"""A customer's permission to charge as a tagged PDF: the words they agreed to, its limits, when and from where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.autopay.letters import autopay_path
from portal.payments.models import AutopayMandate
from portal.ui.brand import BrandView
from portal.ui.formats import format_clock, format_money, format_weekday_date
from portal.ui.paper import compile_typst, hand_out, letterhead
from tenants.context import TenantFacts

SOURCE = Path(__file__).with_name("permission.typ")


def pdf_name(mandate: AutopayMandate) -> str:
    """Return a file name that is the same on every system (UPL-07)."""
    return f"autopay-{mandate.authorised_at:%Y%m%d}.pdf"


def render_permission_pdf(mandate: AutopayMandate, brand: BrandView, tenant: TenantFacts) -> bytes:
    """Return the PDF in the language in which the permission was given: its words are evidence, not translated."""
    language = mandate.agreed.get("language") or get_language() or "en"
    with translation.override(language), timezone.override(tenant.zone):
        return compile_typst(SOURCE, _data(mandate, brand, tenant), about=str(mandate.pk))


def answer_permission(mandate: AutopayMandate, brand: BrandView, tenant: TenantFacts) -> HttpResponse:
    """Answer with the PDF as a file to whoever may see it."""
    return hand_out(render_permission_pdf(mandate, brand, tenant), pdf_name(mandate))


def _data(mandate: AutopayMandate, brand: BrandView, tenant: TenantFacts) -> dict[str, Any]:
    agreed, currency = mandate.agreed, tenant.currency

    def moment(value: Any) -> str:
        return f"{format_weekday_date(value, 'full_year')}, {format_clock(value)}"

    month = format_money(mandate.month_cap_cents, currency) if mandate.month_cap_cents else _("No limit")
    terms = [
        [_("For"), agreed.get("place", "")],
        [_("Charge"), agreed.get("method", "")],
        [_("If that fails"), agreed.get("fallback") or _("Tell me")],
        [_("At most for one invoice"), format_money(mandate.cap_cents, currency)],
        [_("At most in a month"), month],
        [_("Notice"), _("%(n)s days before") % {"n": mandate.notice_days}],
    ]
    proof = [
        [_("Allowed by"), " · ".join(part for part in (agreed.get("by"), agreed.get("email")) if part)],
        [_("Allowed on"), moment(mandate.authorised_at)],
        [_("From internet address"), mandate.authorised_ip or ""],
        [_("Version of the text"), mandate.text_version],
        [_("Reference"), str(mandate.pk)],
        [_("Ended on"), moment(mandate.revoked_at) if mandate.revoked_at else ""],
    ]
    return letterhead(brand) | {
        "title": _("Permission to charge"),
        "subject": f"{mandate.bill_to.name} · {mandate.bill_to.number}",
        "text": agreed.get("text", ""),
        "terms_title": _("Limits"),
        "terms": [term for term in terms if term[1]],
        "proof_title": _("How it was given"),
        "proof": [fact for fact in proof if fact[1]],
        "ending_title": _("How to end it"),
        "ending": _("On the autopay page of our customer portal, at any time, or by calling us. Page: %(page)s")
        % {"page": tenant.url(autopay_path())},
    }
