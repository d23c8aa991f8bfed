"""The permanent name of a company: its syntax, the reserved names, and free alternatives (HOST-01…06, ISO-34/35)."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Literal

SLUG = re.compile(r"\A(?=[0-9-]*[a-z])[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,39}\Z", re.ASCII)
MAX_LENGTH = 40

Problem = Literal["too_short", "too_long", "characters", "hyphens", "letters", "reserved"]

_LOOK_ALIKE = str.maketrans("01345789", "oieasbbg")


def slug_problem(slug: str) -> Problem | None:
    """Say what is wrong with a wished slug, or None. Case and blanks are the caller's to fold."""
    if not re.fullmatch(r"[a-z0-9-]*", slug, re.ASCII):
        return "characters"
    if len(slug) < 3:
        return "too_short"
    if len(slug) > MAX_LENGTH:
        return "too_long"
    if slug.startswith("-") or slug.endswith("-") or "--" in slug:
        return "hyphens"
    if not re.search(r"[a-z]", slug):
        return "letters"
    if is_reserved(slug):
        return "reserved"
    return None


def fold_wish(text: str) -> str:
    """Return what a person probably meant: trimmed, lower case, without our own domain."""
    return unicodedata.normalize("NFKC", text).strip().lower().removeprefix("https://").removeprefix("http://")


def skeleton(slug: str) -> str:
    """Reduce a name to what the eye sees: no hyphens, digits as letters, no plural s (platform.md 3.8)."""
    folded = slug.replace("-", "").translate(_LOOK_ALIKE).replace("l", "i")
    return folded.removesuffix("s")


@cache
def _reserved() -> frozenset[str]:
    text = resources.files("tenants").joinpath("reserved_names.txt").read_text("utf-8")
    names = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return frozenset(skeleton(name) for name in names if name)


def is_reserved(slug: str) -> bool:
    """Whether the name is kept back, compared as the eye sees it."""
    return skeleton(slug) in _reserved()


def slug_from_company(company: str) -> str:
    """Transliterate a company name into a slug; may be empty when nothing Latin is left (HOST-02)."""
    text = company.replace("&", " and ").replace("ß", "ss").replace("ø", "o").replace("Ø", "O")
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    ascii_text = re.sub(r"['’`.]", "", ascii_text)
    words = [w for w in re.split(r"[^a-z0-9]+", ascii_text) if w]
    while len(words) > 1 and words[-1] in {"inc", "llc", "ltd", "corp", "co", "company", "gmbh"}:
        words.pop()
    slug = ""
    for word in words:
        wider = f"{slug}-{word}" if slug else word
        if len(wider) > MAX_LENGTH:
            break
        slug = wider
    return slug or "".join(words)[:MAX_LENGTH]


def alternatives(wish: str, *, hints: Iterable[str] = ()) -> list[str]:
    """Return candidate slugs near a wish, best first, valid but not checked for being free."""
    root = wish if SLUG.match(wish) else slug_from_company(wish) or "company"
    tails = [slug_from_company(h) for h in hints if h]
    tails += ["home", "service", "team", "pros", "local", "online", "care"]
    candidates = [f"{root}-{tail}"[:MAX_LENGTH].strip("-") for tail in tails if tail and tail not in root]
    candidates += [f"{root}-{n}"[:MAX_LENGTH].strip("-") for n in range(2, 12)]
    seen: dict[str, None] = {}
    for candidate in candidates:
        if SLUG.match(candidate) and candidate != wish and not is_reserved(candidate):
            seen.setdefault(candidate)
    return list(seen)
