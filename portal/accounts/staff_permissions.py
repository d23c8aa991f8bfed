"""Which role may do what in the office: a table, not code (datamodel.md 6.5)."""

from __future__ import annotations

from enum import StrEnum

from portal.accounts.models import StaffUser


class Permission(StrEnum):
    """One thing that staff may be allowed to do; names are stored in `extra_permissions`."""

    CHANGE_SETTINGS = "settings.change"
    VIEW_SETTINGS = "settings.view"
    CONNECT_PAYMENTS = "payments.connect"
    VIEW_CUSTOMERS = "customers.view"
    CHANGE_CUSTOMERS = "customers.change"
    VIEW_ACCESS = "access.view"
    MANAGE_ACCESS = "access.manage"
    SET_CUSTOMER_PASSWORD = "access.set_password"  # noqa: S105 - a permission, not a secret
    VIEW_REQUESTS = "requests.view"
    MANAGE_REQUESTS = "requests.manage"
    VIEW_AS_CUSTOMER = "customers.view_as"
    VIEW_INVOICES = "invoices.view"
    SEND_INVOICES = "invoices.send"
    MANAGE_INVOICES = "invoices.manage"
    VIEW_ESTIMATES = "estimates.view"
    SEND_ESTIMATES = "estimates.send"
    MANAGE_ESTIMATES = "estimates.manage"
    IMPORT = "transfers.import"
    EXPORT = "transfers.export"
    VIEW_AUDIT = "audit.view"
    MANAGE_STAFF = "staff.manage"
    MANAGE_PLAN = "plan.manage"


P = Permission
Role = StaffUser.Role

_EVERYTHING = frozenset(Permission)
_MANAGER = _EVERYTHING - {P.CHANGE_SETTINGS, P.CONNECT_PAYMENTS, P.MANAGE_STAFF, P.MANAGE_PLAN, P.EXPORT}
_CSR = frozenset(
    {
        P.VIEW_CUSTOMERS,
        P.CHANGE_CUSTOMERS,
        P.VIEW_ACCESS,
        P.MANAGE_ACCESS,
        P.VIEW_REQUESTS,
        P.MANAGE_REQUESTS,
        P.VIEW_AS_CUSTOMER,
        P.VIEW_INVOICES,
        P.SEND_INVOICES,
        P.VIEW_ESTIMATES,
        P.SEND_ESTIMATES,
    }
)

BY_ROLE: dict[str, frozenset[Permission]] = {
    Role.OWNER: _EVERYTHING,
    Role.ADMIN: _EVERYTHING,
    Role.MANAGER: _MANAGER,
    Role.CSR: _CSR,
    Role.DISPATCHER: frozenset({P.VIEW_CUSTOMERS, P.VIEW_REQUESTS, P.MANAGE_REQUESTS}),
    Role.ACCOUNTANT: frozenset(
        {
            P.VIEW_CUSTOMERS,
            P.VIEW_ACCESS,
            P.VIEW_AS_CUSTOMER,
            P.VIEW_INVOICES,
            P.SEND_INVOICES,
            P.MANAGE_INVOICES,
            P.VIEW_ESTIMATES,
            P.EXPORT,
        }
    ),
    Role.TECHNICIAN: frozenset(),
    Role.READ_ONLY: frozenset({P.VIEW_CUSTOMERS, P.VIEW_REQUESTS, P.VIEW_INVOICES, P.VIEW_ESTIMATES}),
}


def may(staff: StaffUser, permission: Permission) -> bool:
    """Whether a staff member is allowed something, by role or by an extra permission."""
    return permission in BY_ROLE.get(staff.role, frozenset()) or permission in staff.extra_permissions
