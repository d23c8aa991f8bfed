"""Every setting and flag there is: its type, default, who may set it, and what a value must look like.

platform.md 3.9: a key that is not declared here does not exist. docs/settings.md says how to add one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

T = TypeVar("T")
Layer = Literal["platform", "plan", "cohort", "operator", "owner"]
EVERYBODY: tuple[Layer, ...] = ("platform", "plan", "cohort", "operator", "owner")
OURS: tuple[Layer, ...] = ("platform", "plan", "cohort", "operator")
Kind = Literal["release", "ops", "permission"]


class BadValue(ValueError):
    """A value does not fit its key; `sentence` is for the person who typed it."""

    def __init__(self, key: str, sentence: Any) -> None:
        super().__init__(f"{key}: {sentence}")
        self.key = key
        self.sentence = sentence


class UnknownKey(BadValue):
    """Nothing of that name is declared."""

    def __init__(self, key: str) -> None:
        super().__init__(key, _("There is no such setting."))


class ClosedLayer(BadValue):
    """The key may not be set there, or is locked from below."""

    def __init__(self, key: str) -> None:
        super().__init__(key, _("This setting cannot be changed here."))


@dataclass(frozen=True, slots=True)
class FlagFacts:
    """What is declared of a flag besides its value; a release flag has a day on which somebody asks why it lives.

    A ratchet keeps everybody whom a share once reached: lowering the share takes it from nobody.
    """

    kind: Kind
    team: str
    review_by: date | None = None
    ratchet: bool = False


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One declared setting; with `flag` it is a flag, whose value in the platform's layer may be a share."""

    name: str
    default: T
    check: Callable[[Any], T]
    layers: tuple[Layer, ...]
    about: str
    flag: FlagFacts | None = None


REGISTRY: dict[str, Key[Any]] = {}


def declare(
    name: str, default: T, check: Callable[[Any], T], about: str, *, layers: tuple[Layer, ...] = EVERYBODY
) -> Key[T]:
    """Add a setting to the registry."""
    key = Key(name, default, check, layers, about)
    REGISTRY[name] = key
    return key


def declare_flag(
    name: str,
    about: str,
    *,
    kind: Kind,
    team: str,
    default: bool = False,
    review_by: date | None = None,
    ratchet: bool = False,
    layers: tuple[Layer, ...] = OURS,
) -> Key[bool]:
    """Add a flag to the registry; a release flag must say when it is to be looked at again."""
    if kind == "release" and review_by is None:
        raise ValueError(f"{name}: a release flag names the day of its review.")
    key = Key(name, default, _bool, layers, about, FlagFacts(kind, team, review_by, ratchet))
    REGISTRY[name] = key
    return key


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_("Choose on or off."))
    return value


def _int_between(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(_("Choose a whole number from %(low)s to %(high)s.") % {"low": low, "high": high})
        return value

    return check


def _text_up_to(length: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > length:
            raise ValueError(_("Keep it to %(length)s characters.") % {"length": length})
        return value.replace("\x00", "").strip()

    return check


def _one_of(*choices: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(_("Choose one of the options."))
        return str(value)

    return check


def _some_of(*choices: str) -> Callable[[Any], list[str]]:
    def check(value: Any) -> list[str]:
        if not isinstance(value, list) or not value or any(each not in choices for each in value):
            raise ValueError(_("Choose at least one of the options."))
        return [choice for choice in choices if choice in value]

    return check


def _addresses(value: Any) -> str:
    """Return e-mail addresses, one after the other with commas between."""
    found = _text_up_to(500)(value).replace(";", ",").split(",")
    addresses = [address.strip().lower() for address in found if address.strip()]
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise ValueError(_("Write e-mail addresses with commas between them.")) from None
    return ", ".join(dict.fromkeys(addresses))


PORTAL = declare_flag(
    "portal",
    "Entitles a company to its customer portal; set by provisioning (C-20).",
    kind="permission",
    team="platform",
)
PORTAL_ENABLED = declare("portal.enabled", True, _bool, "The owner's own switch of the portal (Decided 21).")
WELCOME_MESSAGE = declare("portal.welcome_message", "", _text_up_to(500), "What customers read on their first page.")
MAGIC_LINK_DAYS = declare("auth.magic_link_days", 7, _int_between(1, 30), "Days for which a mailed link is valid.")
REQUESTED_LINK_MINUTES = declare(
    "auth.requested_link_minutes", 60, _int_between(15, 1440), "Minutes for which a link asked for at sign-in is valid."
)
EXPIRED_LINK = declare(
    "auth.expired_link", "auto_resend", _one_of("auto_resend", "ask"), "What happens to whoever follows an old link."
)
DEFAULT_LEVEL = declare(
    "access.default_level", "billing", _one_of("billing", "non_billing"), "What an invited person may see."
)
ENROL_POLICY = declare(
    "enrol.policy",
    "known_email+request",
    _one_of("known_email+request", "known_email", "invited"),
    "Who gets in without an invitation (Decided 30).",
)
INVOICES_SECTION = declare("sections.invoices", "show", _one_of("show", "hide"), "Whether customers see invoices.")
INVOICES_FILTER = declare(
    "invoices.filter",
    "none",
    _one_of("none", "reviewed", "exported", "reviewed_and_exported"),
    "Which invoices customers see.",
)
SHOW_ZERO_INVOICES = declare("invoices.show_zero", True, _bool, "Whether invoices over nothing are shown.")
PAY_PARTIAL = declare(
    "pay.partial",
    "single_invoice",
    _one_of("off", "single_invoice", "any"),
    "Whether customers may pay a part: never, of one invoice, of any selection (C-10).",
)
PAY_PARTIAL_MIN = declare(
    "pay.partial_min", 500, _int_between(50, 10_000_000), "The smallest part that may be paid, in cents (PAY-05)."
)
REFUND_SECOND_PERSON = declare(
    "refund.second_person", True, _bool, "Whether refunds above a limit need a second person of the office (PAY-16)."
)
REFUND_SECOND_PERSON_ABOVE = declare(
    "refund.second_person_above",
    100_000,
    _int_between(0, 10_000_000),
    "What one person may refund of a payment alone, in cents (PAY-16).",
)
PAY_MULTI = declare("pay.multi", True, _bool, "Whether several invoices may be paid at once (C-11).")
BILLING_GRACE_DAYS = declare(
    "billing.grace_days",
    14,
    _int_between(7, 60),
    "Days of an unpaid bill after which the company's office is held; its customers never notice.",
    layers=OURS,
)
SHARE_INVOICE_DAYS = declare(
    "share.invoice_days",
    90,
    _int_between(0, 365),
    "Days for which a link to an invoice opens; 0 is for ever (SHARE-06).",
)
ESTIMATES_SECTION = declare(
    "sections.estimates", "show", _one_of("show", "hide"), "Whether customers see estimates (EST-07)."
)
SHARE_ESTIMATE_DAYS = declare(
    "share.estimate_days",
    90,
    _int_between(0, 365),
    "Days for which a link to an estimate opens; 0 is for ever (SHARE-06).",
)
SHARE_FOLLOWS_PORTAL = declare(
    "share.follow_portal_switch", False, _bool, "Whether links to one record close while the portal is off (C-19)."
)
PAY_METHODS = declare(
    "pay.methods", ["card", "ach"], _some_of("card", "ach"), "How customers may pay: by card, by bank (PAY-02…04)."
)
METHODS_SECTION = declare(
    "sections.payment_methods",
    "show",
    _one_of("show", "hide"),
    "Whether customers manage cards and bank accounts on file (CARD-08).",
)
CARDS_ALLOW_ADD = declare("cards.allow_add", True, _bool, "Whether customers may add and replace them (CARD-09).")
CARDS_ALLOW_DELETE = declare("cards.allow_delete", True, _bool, "Whether customers may remove them (CARD-09).")
CARDS_EXPIRY_NOTICE = declare(
    "cards.expiry_notice", True, _bool, "Whether customers are mailed 30 and 7 days before a card on file expires."
)
AUTOPAY_OFFERED = declare(
    "autopay.offered", True, _bool, "Whether customers may have their invoices charged when they are due (X-10)."
)
CARD_CHANGES = declare(
    "notify.card_changes",
    "",
    _addresses,
    "Who is mailed when a card on file changes; nobody named: all who manage invoices (CARD-06).",
)
POOL_TARGET = declare(
    "platform.pool_target", 3, _int_between(0, 200), "Schemas that wait for a company.", layers=("platform",)
)


def find_key(name: str) -> Key[Any]:
    """Return the declaration; raises UnknownKey."""
    key = REGISTRY.get(name)
    if key is None:
        raise UnknownKey(name)
    return key


def check_value(name: str, value: Any, layer: str) -> Any:
    """Return the value as it is to be stored; raises UnknownKey, ClosedLayer, BadValue (wrong shape)."""
    key = find_key(name)
    if layer not in key.layers:
        raise ClosedLayer(name)
    try:
        if key.flag and layer == "platform" and isinstance(value, dict):
            return check_share(value)
        return key.check(value)
    except ValueError as error:
        raise BadValue(name, error.args[0]) from error


def check_share(value: Any) -> dict[str, Any]:
    """Return {"percent": n} with at most two decimals, 0 to 100; raises ValueError."""
    refused = ValueError(_("Choose a share from 0% to 100%, with at most two decimals."))
    if not isinstance(value, dict) or set(value) != {"percent"}:
        raise refused
    percent = value["percent"]
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise refused
    if round(percent * 100) != round(percent * 100, 6):
        raise refused
    return {"percent": percent}
