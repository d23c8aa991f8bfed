"""Control-plane tables of the tenancy layer (platform.md 3.2)."""

from tenants.models.audit import ControlOutbox, PlatformAuditEvent
from tenants.models.billing import PaymentAccount, Plan, Subscription
from tenants.models.settings import Cohort, CohortMember, SettingValue
from tenants.models.tenant import Cell, Epoch, Hold, Hostname, Tenant

__all__ = [
    "Cell",
    "Cohort",
    "CohortMember",
    "ControlOutbox",
    "Epoch",
    "Hold",
    "Hostname",
    "PaymentAccount",
    "Plan",
    "PlatformAuditEvent",
    "SettingValue",
    "Subscription",
    "Tenant",
]
