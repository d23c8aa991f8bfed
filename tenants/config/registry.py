"""Every setting there is: its type, default, who may set it, and what a value must look like (platform.md 3.9)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from django.utils.translation import gettext_lazy as _

T = TypeVar("T")
Layer = Literal["platform", "plan", "operator", "owner"]
EVERYBODY: tuple[Layer, ...] = ("platform", "plan", "operator", "owner")


class BadValue(ValueError):
    """A value does not fit its key; `sentence` is for the person who typed it."""

    def __init__(self, key: str, sentence: Any) -> None:
        super().__init__(f"{key}: {sentence}")
        self.key = key
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One declared setting."""

    name: str
    default: T
    check: Callable[[Any], T]
    layers: tuple[Layer, ...]


REGISTRY: dict[str, Key[Any]] = {}


def _declare(name: str, default: T, check: Callable[[Any], T], layers: tuple[Layer, ...] = EVERYBODY) -> Key[T]:
    key = Key(name, default, check, layers)
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


PORTAL_ENABLED = _declare("portal.enabled", True, _bool)
WELCOME_MESSAGE = _declare("portal.welcome_message", "", _text_up_to(500))
MAGIC_LINK_DAYS = _declare("auth.magic_link_days", 7, _int_between(1, 30))
REQUESTED_LINK_MINUTES = _declare("auth.requested_link_minutes", 60, _int_between(15, 1440))
EXPIRED_LINK = _declare("auth.expired_link", "auto_resend", _one_of("auto_resend", "ask"))
DEFAULT_LEVEL = _declare("access.default_level", "billing", _one_of("billing", "non_billing"))
ENROL_POLICY = _declare("enrol.policy", "known_email+request", _one_of("known_email+request", "known_email", "invited"))
INVOICES_SECTION = _declare("sections.invoices", "show", _one_of("show", "hide"))
INVOICES_FILTER = _declare("invoices.filter", "none", _one_of("none", "reviewed", "exported", "reviewed_and_exported"))
SHOW_ZERO_INVOICES = _declare("invoices.show_zero", True, _bool)
POOL_TARGET = _declare("platform.pool_target", 3, _int_between(0, 200), ("platform",))


def check_value(name: str, value: Any, layer: Layer) -> Any:
    """Return the value as it is to be stored; raises BadValue (unknown key, closed layer, wrong shape)."""
    key = REGISTRY.get(name)
    if key is None:
        raise BadValue(name, _("There is no such setting."))
    if layer not in key.layers:
        raise BadValue(name, _("This setting cannot be changed here."))
    try:
        return key.check(value)
    except ValueError as error:
        raise BadValue(name, error.args[0]) from error
