"""The terminal's way to cohorts, the named sets of companies that a setting or flag may speak to."""

from __future__ import annotations

from typing import Any

from console.cli_base import AddCommand, NotFound, Refused, Rows, actor, taken_back_if


def add_groups(groups: Any, add: AddCommand) -> None:
    """Add the group."""
    cohorts = groups.add_parser("cohorts", help="named sets of companies").add_subparsers(required=True)
    add(cohorts, "list", list_cohorts, "the cohorts, the one that wins last")
    for name, run, explained in (
        ("add", add_members, "put companies into a cohort; it is made if need be"),
        ("remove", remove_members, "take companies out of a cohort"),
    ):
        each = add(cohorts, name, run, explained, writes=True)
        each.add_argument("name")
        each.add_argument("slugs", nargs="+", metavar="SLUG")
        each.add_argument("--reason", required=True)


def list_cohorts(arguments: Any) -> Rows:
    """Return the cohorts, lowest rank first."""
    from tenants.models import Cohort

    return [
        {
            "cohort": cohort.name,
            "rank": cohort.rank,
            "companies": ", ".join(sorted(cohort.members.values_list("tenant__slug", flat=True))),
        }
        for cohort in Cohort.objects.order_by("rank")
    ]


def add_members(arguments: Any) -> Rows:
    """Add companies to a cohort."""
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_slug
    from django.utils import timezone

    from tenants.config.operators import add_to_cohort

    try:
        validate_slug(arguments.name)
    except ValidationError as error:
        raise Refused("A cohort's name has letters, digits, - and _ only.") from error
    tenants = [find_tenant(slug) for slug in arguments.slugs]
    with taken_back_if(arguments.dry_run):
        add_to_cohort(name=arguments.name, tenants=tenants, reason=arguments.reason, by=actor(), now=timezone.now())
        return list_cohorts(arguments)


def remove_members(arguments: Any) -> Rows:
    """Take companies out of a cohort."""
    from django.utils import timezone

    from tenants.config.operators import remove_from_cohort

    cohort, tenants = find_cohort(arguments.name), [find_tenant(slug) for slug in arguments.slugs]
    with taken_back_if(arguments.dry_run):
        remove_from_cohort(cohort=cohort, tenants=tenants, reason=arguments.reason, by=actor(), now=timezone.now())
        return list_cohorts(arguments)


def find_tenant(slug: str) -> Any:
    """Return the company at an address; raises NotFound."""
    from tenants.models import Tenant

    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NotFound(f"There is no company at {slug}.")
    return tenant


def find_cohort(name: str) -> Any:
    """Return a cohort by its name; raises NotFound."""
    from tenants.models import Cohort

    cohort = Cohort.objects.filter(name=name).first()
    if cohort is None:
        raise NotFound(f"There is no cohort {name}.")
    return cohort
