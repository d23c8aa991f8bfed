"""The terminal's way to settings and flags: `porchlight settings|flags …` (platform.md 3.9, 3.11)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from console.cli_base import AddCommand, Conflict, NotFound, Refused, Rows, actor, taken_back_if
from console.cli_cohorts import find_cohort, find_tenant

WORDS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def add_groups(groups: Any, add: AddCommand) -> None:
    """Add both groups."""
    settings = groups.add_parser("settings", help="typed settings, by layer").add_subparsers(required=True)
    flags = groups.add_parser("flags", help="switches, shares and entitlements").add_subparsers(required=True)
    for group, what in ((settings, "setting"), (flags, "flag")):
        listing = add(group, "list", list_keys, f"every {what} with its value, for one company or for all")
        listing.add_argument("--tenant", metavar="SLUG")
        listing.set_defaults(flags=group is flags)
        shown = add(group, "show", show_key, f"what is stored of a {what}, with the versions for --expect-version")
        why = add(group, "explain", explain_key, f"why a {what} has its value, and every value that lost")
        for each in (shown, why):
            each.add_argument("key")
            each.add_argument("--tenant", metavar="SLUG")
        change = add(group, "set", set_value, f"give a {what} a value in one layer", writes=True)
        change.add_argument("key")
        change.add_argument("value", help="on, off, a number, text" if group is settings else "on, off, or 25%%")
        change.add_argument("--lock", action="store_true", help="layers above cannot change it")
        change.add_argument("--expires", type=_moment, metavar="TIME", help="like 2027-01-31T18:00Z; then it is absent")
        gone = add(group, "unset", unset_value, f"take the value of a {what} out of one layer", writes=True)
        gone.add_argument("key")
        for each in (change, gone):
            _add_place(each)
            _add_write(each)
        log = add(group, "history", show_history, f"who changed a {what}, when and why")
        log.add_argument("key")
        log.add_argument("--tenant", metavar="SLUG")
    killing = add(flags, "kill", kill_flag, "switch a flag off for everybody, over every layer", writes=True)
    killing.add_argument("key")
    killing.add_argument("--lift", action="store_true", help="let the layers decide again")
    _add_write(killing)


def _add_place(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--platform", action="store_true", help="for everybody")
    place.add_argument("--plan", metavar="CODE[@VERSION]", help="for one version of a plan, by itself the newest")
    place.add_argument("--cohort", metavar="NAME", help="for a named set of companies")
    place.add_argument("--tenant", metavar="SLUG", help="for one company")


def _add_write(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, help="why; the company's owner may read it")
    parser.add_argument(
        "--expect-version", type=int, metavar="N", help="refuse if it was changed since; 0: not set yet"
    )


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a time like 2027-01-31T18:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# -- looking -----------------------------------------------------------------------------------------------------
def list_keys(arguments: Any) -> Rows:
    """Return one row per declared key."""
    from django.utils import timezone

    from tenants.config.explain import explain
    from tenants.config.registry import REGISTRY

    tenant = find_tenant(arguments.tenant) if arguments.tenant else None
    rows = []
    for key in sorted(REGISTRY.values(), key=lambda each: each.name):
        if bool(key.flag) is not arguments.flags:
            continue
        found = explain(key, tenant, timezone.now())
        row = {"key": key.name, "value": _say(found.result.value), "layer": found.result.layer, "about": key.about}
        if key.flag:
            row |= {"kind": key.flag.kind, "team": key.flag.team, "review by": key.flag.review_by or ""}
        rows.append(row)
    return rows


def show_key(arguments: Any) -> Rows:
    """Return the stored values of a key, lowest layer first; without any, the declared default."""
    from tenants.config.explain import stored_values

    key = _key(arguments)
    rows = stored_values(key, find_tenant(arguments.tenant) if arguments.tenant else None)
    return [_row(row, row.value) for row in rows] or [
        {"layer": "code", "for": "", "value": _say(key.default), "version": 0, "may be set by": ", ".join(key.layers)}
    ]


def explain_key(arguments: Any) -> Rows:
    """Return every value of a key with what became of it, highest layer first."""
    from django.utils import timezone

    from tenants.config.explain import explain

    key = _key(arguments)
    found = explain(key, find_tenant(arguments.tenant) if arguments.tenant else None, timezone.now())
    return [{"outcome": each.outcome, **_row(each.row, each.value)} for each in found.layers]


def show_history(arguments: Any) -> Rows:
    """Return the latest changes of a key."""
    from tenants.config.explain import history

    key = _key(arguments)
    found = history(key, find_tenant(arguments.tenant) if arguments.tenant else None)
    return [_change(event, key.name) for event in found[:50]]


# -- changing ----------------------------------------------------------------------------------------------------
def set_value(arguments: Any) -> Rows:
    """Store a value; shows whom it reaches first."""
    from django.utils import timezone

    from tenants.config.operators import make_change

    key, now = _key(arguments), timezone.now()
    with _told():
        change = make_change(
            key=key.name,
            place=_place(arguments),
            value=_read(key, arguments.value),
            now=now,
            locked=arguments.lock,
            expires_at=arguments.expires,
        )
    return _write(arguments, change, now)


def unset_value(arguments: Any) -> Rows:
    """Take a value away."""
    from django.utils import timezone

    from tenants.config.operators import make_removal

    key = _key(arguments)
    return _write(arguments, make_removal(key=key.name, place=_place(arguments)), timezone.now())


def kill_flag(arguments: Any) -> Rows:
    """Kill a flag, or lift the kill."""
    from django.utils import timezone

    from tenants.config.operators import make_kill

    with _told():
        change = make_kill(flag=_key(arguments).name, lift=arguments.lift)
    return _write(arguments, change, timezone.now())


def _write(arguments: Any, change: Any, now: datetime) -> Rows:
    from tenants.config.explain import measure_impact
    from tenants.config.operators import write_operator_setting

    impact = measure_impact(change, now)
    with _told(), taken_back_if(arguments.dry_run):
        written = write_operator_setting(
            change=change, reason=arguments.reason, by=actor(), now=now, expected_version=arguments.expect_version
        )
    return [
        {
            "key": change.key.name,
            "for": change.place.label,
            "before": _say(written.before and written.before["value"]),
            "after": _say(written.after and written.after["value"]),
            "version": written.after["version"] if written.after else 0,
            "changes": f"{impact.changed} of {impact.total} companies",
        }
    ]


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the services raise into exit codes; a conflict says what the other one did."""
    from tenants.config.operators import NothingSet
    from tenants.config.registry import BadValue
    from tenants.config.services import SettingsConflict

    try:
        yield
    except BadValue as error:
        raise Refused(str(error)) from error
    except NothingSet as error:
        raise NotFound(str(error)) from error
    except SettingsConflict as error:
        if error.change is None:
            raise Conflict("The value has changed in between; look at it again with show.") from error
        rows = [_change(error.change, "")]
        raise Conflict("Somebody else was faster, nothing was written; this is what they did.", rows) from error


# -- finding and showing -----------------------------------------------------------------------------------------
def _key(arguments: Any) -> Any:
    from tenants.config.registry import UnknownKey, find_key

    try:
        return find_key(arguments.key)
    except UnknownKey as error:
        raise NotFound(f"There is no setting and no flag {arguments.key}.") from error


def _place(arguments: Any) -> Any:
    from tenants.config.places import PLATFORM, cohort_place, company_place, plan_place
    from tenants.models import Plan

    if arguments.platform:
        return PLATFORM
    if arguments.cohort:
        return cohort_place(find_cohort(arguments.cohort))
    if arguments.tenant:
        return company_place(find_tenant(arguments.tenant))
    code, _, version = arguments.plan.partition("@")
    plans = Plan.objects.filter(code=code).order_by("-version")
    plan = (plans.filter(version=version) if version.isdigit() else plans.filter(code=arguments.plan)).first()
    if plan is None:
        raise NotFound(f"There is no plan {arguments.plan}.")
    return plan_place(plan)


def _read(key: Any, text: str) -> Any:
    """Return what was typed as the kind of value that the key takes; what does not fit is refused further down."""
    if key.flag and text.endswith("%"):
        try:
            return {"percent": float(text[:-1])}
        except ValueError:
            return {"percent": text}
    if isinstance(key.default, bool):
        return WORDS.get(text.lower(), text)
    if isinstance(key.default, int):
        return int(text) if text.lstrip("-").isdecimal() else text
    return text


def _say(value: Any) -> Any:
    return f"{value['percent']:g}%" if isinstance(value, dict) else value


def _row(row: Any, value: Any) -> dict[str, Any]:
    return {
        "layer": row.layer,
        "for": row.scope_id,
        "value": _say(value),
        "locked": row.locked,
        "expires": row.expires_at or "",
        "by": row.set_by,
        "at": row.set_at or "",
        "reason": row.reason,
        "version": row.version,
    }


def _change(event: Any, key: str) -> dict[str, Any]:
    owners = event.action == "settings.changed"
    before, after = event.before, event.after
    return {
        "at": event.at,
        "by": event.actor_label,
        "action": event.action,
        "where": "owner" if owners else event.target.partition(" ")[2],
        "before": before.get(key) if owners else _say(before and before["value"]),
        "after": after.get(key) if owners else _say(after and after["value"]),
        "version": "" if owners else (after["version"] if after else 0),
        "reason": event.reason,
    }
