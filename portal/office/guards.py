"""The office's guard under the name of its users; it lives below every feature, so that each may use it."""

from portal.accounts.staff_guards import StaffRequest, TenantRequest, staff_view

__all__ = ["StaffRequest", "TenantRequest", "staff_view"]
