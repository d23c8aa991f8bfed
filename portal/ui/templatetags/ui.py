"""Template filters for money and dates, and the small tags the components are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from portal.ui import formats

register = template.Library()


@register.filter
def money(cents: int | str | None, currency: str = "USD") -> str:
    """Print an amount such as $412.50; nothing for None."""
    return "" if cents is None or cents == "" else formats.format_money(int(cents), currency)


@register.filter
def money_short(cents: int | str | None, currency: str = "USD") -> str:
    """Print an amount without a zero after the point, such as $79."""
    return "" if cents is None or cents == "" else formats.format_money(int(cents), currency, short=True)


@register.filter
def money_parts(cents: int | str | None, currency: str = "USD") -> str:
    """Print an amount with small raised cents, for the large figure of a page."""
    return "" if cents is None or cents == "" else formats.format_money_parts(int(cents), currency)


@register.filter
def number(value: int | str | None) -> str:
    """Print a count such as 1,086."""
    return "" if value is None or value == "" else formats.format_number(int(value))


@register.filter
def weekday_date(value: date | None, style: str = "short") -> str:
    """Print a date such as Tue 25 Nov; styles are the keys of formats.DATE_PATTERNS."""
    return formats.format_weekday_date(value, style) if value else ""


@register.filter
def clock(value: datetime | None) -> str:
    """Print a time of day such as 7:58 am."""
    return formats.format_clock(value) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """Print a date and time such as Mon 17 Nov, 2:10 pm."""
    return f"{formats.format_weekday_date(value)}, {formats.format_clock(value)}" if value else ""


@register.filter
def html_attrs(attrs: Any) -> SafeString:
    """Print the left-over attributes of a component, each value escaped."""
    values: Mapping[str, Any] = attrs.attrs_dict() if hasattr(attrs, "attrs_dict") else attrs
    return format_html_join(
        "",
        " {}{}",
        (
            (name, "" if value is True else format_html('="{}"', value))
            for name, value in values.items()
            if value is not False and value is not None
        ),
    )


@register.filter
def input_kind(field: BoundField) -> str:
    """Tell how a form field is laid out: check, choices or plain."""
    widget = field.field.widget
    # RadioSelect's many-choice sibling inherits from it, so both are groups.
    if isinstance(widget, (RadioSelect, CheckboxSelectMultiple)):
        return "choices"
    return "check" if isinstance(widget, CheckboxInput) else "plain"


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Print one icon of the sprite, hidden from screen readers."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f" {css}" if css else "",
        static("ui/icons.svg"),
        name,
    )


@register.simple_tag
def widget(field: BoundField, css: str = "", **attrs: Any) -> SafeString:
    """Print the control of a form field; its label, hint and error stand beside it."""
    given = str(field.field.widget.attrs.get("class", ""))
    classes = " ".join(part for part in (given, css) if part)
    extra = {name.replace("_", "-"): value for name, value in attrs.items() if value not in ("", None)}
    if classes:
        extra["class"] = classes
    return field.as_widget(attrs=extra)


@register.filter
def error_name(field: BoundField) -> str:
    """Return the field's label as it stands before its error; a sentence, as beside a tick box, is left out."""
    label = str(field.label)
    return "" if label.endswith((".", "?")) else f"{label}: "


@register.simple_tag
def palette_style(css: str, nonce: str = "") -> SafeString:
    """Print a company's colours as a style element; `css` comes from brand.css_variables."""
    if not css:
        return mark_safe("")
    # css_variables lets nothing but hexadecimal colours through.
    return format_html('<style nonce="{}">{}</style>', nonce, mark_safe(css))  # noqa: S308
