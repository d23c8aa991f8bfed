"""The terminal's way to our own bills: `porchlight billing show|sync|extend-trial`."""

from __future__ import annotations

from typing import Any

from console.cli_base import AddCommand, NotFound, Refused, Rows, actor

AWAY = "Stripe did not answer; nothing was changed."


def add_groups(groups: Any, add: AddCommand) -> None:
    """Add the group."""
    billing = groups.add_parser("billing", help="what companies pay us").add_subparsers(required=True)
    add(billing, "show", show_billing, "how a company stands with us").add_argument("slug")
    add(billing, "sync", sync_billing, "look at a company's subscription at Stripe now", writes=True).add_argument(
        "slug"
    )
    longer = add(billing, "extend-trial", extend, "let a company's trial end later", writes=True)
    longer.add_argument("slug")
    longer.add_argument("--days", type=int, required=True, help="added to its end, or to today if it is over")
    longer.add_argument("--reason", required=True)


def show_billing(arguments: Any) -> Rows:
    """Return the mirror of Stripe, the trial and the reminders; raises NotFound."""
    from django.utils import timezone

    from console.presenters_billing import billing_facts

    return [
        {"": str(fact["label"]), "is": str(fact["value"])}
        for fact in billing_facts(_tenant(arguments.slug), timezone.now())
    ]


def sync_billing(arguments: Any) -> Rows:
    """Mirror Stripe's subscription, or only say what it is; raises NotFound, Refused."""
    from django.utils import timezone

    from billing.errors import StripeAway, SubscriptionDisagrees
    from billing.services.mirror import look_at_company
    from billing.stripe_facts import find_subscription
    from tenants.models import Subscription

    tenant = _tenant(arguments.slug)
    try:
        if arguments.dry_run:
            row = Subscription.objects.filter(tenant=tenant, stripe_customer_id__isnull=False).first()
            found = find_subscription(row.stripe_customer_id or "") if row else None
            return [{"": "status at Stripe", "is": found.status if found else "none"}]
        look_at_company(tenant_id=tenant.pk, now=timezone.now())
    except StripeAway as error:
        raise Refused(AWAY) from error
    except SubscriptionDisagrees as error:
        raise Refused(str(error)) from error
    return show_billing(arguments)


def extend(arguments: Any) -> Rows:
    """Let the trial end later; raises NotFound, Refused."""
    from django.utils import timezone

    from billing.errors import StripeAway, SubscriptionDisagrees, TrialOver
    from billing.services.trial import LONGEST_DAYS, extend_trial

    tenant = _tenant(arguments.slug)
    if not 1 <= arguments.days <= LONGEST_DAYS:
        raise Refused(f"A trial is extended by 1 to {LONGEST_DAYS} days.")
    if arguments.dry_run:
        return show_billing(arguments)
    try:
        extend_trial(tenant_id=tenant.pk, days=arguments.days, reason=arguments.reason, by=actor(), now=timezone.now())
    except TrialOver as error:
        raise Refused("This company has a plan and no trial any more.") from error
    except StripeAway as error:
        raise Refused(AWAY) from error
    except SubscriptionDisagrees as error:
        raise Refused(str(error)) from error
    return show_billing(arguments)


def _tenant(slug: str) -> Any:
    from tenants.models import Tenant

    found = Tenant.objects.select_related("plan").filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no company {slug}.")
    return found
