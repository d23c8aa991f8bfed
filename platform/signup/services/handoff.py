"""From the finished set-up straight into the new office, once, without waiting for the mail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from portal.accounts.models import LoginToken, StaffUser
from portal.accounts.staff_tokens import mint_staff_token
from tenants.context import serving


def office_address(*, tenant_id: UUID, owner_email: str, now: datetime) -> str:
    """Return where the person who signed up goes on; raises UnknownTenant.

    An owner who has no password yet gets a link that works once and for ten minutes; anybody else signs in as usual.
    """
    with serving(tenant_id, now) as context:
        invited = StaffUser.objects.filter(
            email=owner_email.lower(), role=StaffUser.Role.OWNER, status=StaffUser.Status.INVITED
        )
        with transaction.atomic():
            owner = invited.first()
            if owner is None:
                return context.tenant.url("/office/")
            token = mint_staff_token(staff=owner, purpose=LoginToken.Purpose.HANDOFF, now=now)
        return context.tenant.url(f"/office/welcome/{token}/")
