"""What we say to a wished address: free, not available, or choose differently, with free ones beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from provisioning.addresses import free_addresses, propose_addresses
from tenants.slugs import Problem, fold_wish, slug_from_company, slug_problem

State = Literal["free", "taken", "reserved", "invalid"]

SENTENCES: dict[Problem, Any] = {
    "too_short": _("Use at least 3 characters."),
    "too_long": _("Use at most 40 characters."),
    "characters": _("Use only small letters a to z, numbers and hyphens."),
    "hyphens": _("A hyphen can only stand between two letters or numbers, and never beside another one."),
    "letters": _("Include at least one letter."),
    "reserved": _("We keep that address back. Please choose another one."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one wish; `alternatives` are free at this moment."""

    state: State
    slug: str
    text: str
    alternatives: tuple[str, ...] = ()


def suffix() -> str:
    """Return what follows every address."""
    return f".{settings.ENV.base_domain}"


def host_of(slug: str) -> str:
    """Return the host that an address becomes."""
    return f"{slug}{suffix()}"


def read_wish(typed: str) -> str:
    """Return the label somebody meant who typed or pasted a whole address; keeps case, so that it can be explained."""
    text = typed.replace("\x00", "").strip()
    for scheme in ("https://", "http://"):
        if text.lower().startswith(scheme):
            text = text[len(scheme) :]
    text = text.partition("/")[0].partition(":")[0]
    return text[: -len(suffix())] if text.lower().endswith(suffix()) else text


def judge(*, typed: str, holder: UUID | None, hints: tuple[str, ...], now: datetime) -> Verdict:
    """Say whether an address can be had; the same few reads whatever the answer is."""
    wish = read_wish(typed)
    folded = fold_wish(wish)
    slug = wish if slug_problem(wish) is None else folded
    problem = slug_problem(wish)
    nearby = _nearby(wish, folded, hints, holder, now)
    if problem == "characters" and nearby and wish:
        text = gettext("Use only small letters a to z, numbers and hyphens, for example %(slug)s.") % {
            "slug": nearby[0]
        }
        return Verdict("invalid", slug, text, nearby)
    if problem:
        state: State = "reserved" if problem == "reserved" else "invalid"
        return Verdict(state, slug, str(SENTENCES[problem]), nearby)
    if not free_addresses(wishes=[wish], holder=holder, now=now):
        return Verdict("taken", wish, gettext("%(host)s is not available.") % {"host": host_of(wish)}, nearby)
    return Verdict("free", wish, gettext("%(host)s is free.") % {"host": host_of(wish)})


def first_proposal(*, company: str, hints: tuple[str, ...], holder: UUID | None, now: datetime) -> str:
    """Return the address we would give a company, or nothing when its name gives none."""
    wish = slug_from_company(company)
    if slug_problem(wish) is None and free_addresses(wishes=[wish], holder=holder, now=now):
        return wish
    return next(iter(propose_addresses(wish=wish or company, hints=hints, holder=holder, now=now, count=1)), "")


def _nearby(wish: str, folded: str, hints: tuple[str, ...], holder: UUID | None, now: datetime) -> tuple[str, ...]:
    root = folded if slug_problem(folded) is None else slug_from_company(wish)[:40].strip("-")
    itself = [root] if root != wish and slug_problem(root) is None else []
    found = free_addresses(wishes=itself, holder=holder, now=now)
    found += propose_addresses(wish=root or wish, hints=hints, holder=holder, now=now)
    return tuple(found[:3])
