"""Names of states as the console prints them, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

# The labels that Django makes from the states' names: only what stands here gets into the catalogue.
LABELS = frozenset(
    {
        # tenants.models.Tenant.Lifecycle
        mark("Provisioning"),
        mark("Active"),
        mark("Closing"),
        mark("Archived"),
        mark("Purging"),
        mark("Deleted"),
        mark("Failed"),
        # tenants.models.Hold.Kind
        mark("Billing"),
        mark("Abuse"),
        mark("Security"),
        mark("Owner"),
        mark("Operator"),
        mark("Office"),
        # provisioning.models.Run.State
        mark("Queued"),
        mark("Running"),
        mark("Waiting"),
        mark("Parked"),
        mark("Done"),
        mark("Canceled"),
        mark("Compensating"),
        mark("Compensated"),
        # console.models.Operator.Role
        mark("Viewer"),
        mark("Support"),
        mark("Engineer"),
        mark("Admin"),
        mark("Auditor"),
    }
)


def say(label: str) -> str:
    """Return one of LABELS in the active language."""
    return gettext(label)
