"""Links in mails about money that lead a person straight to where something is to be done, signed in (PAY-10)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from portal.accounts.models import LoginToken, PortalUser
from portal.accounts.tokens import mint_token
from portal.accounts.viewer import may_sign_in
from tenants.config.registry import MAGIC_LINK_DAYS
from tenants.context import TenantContext

TENANT_URLS = "config.urls_tenant"


def link_to(context: TenantContext, user: PortalUser | None, path: str, *, now: datetime) -> str:
    """Return an address that signs the person in and leads to the path; nothing for who may not sign in.

    Must be called by the handler that mails it: the link is kept nowhere else (AUN-16).
    """
    if user is None or not may_sign_in(user):
        return ""
    minted = mint_token(
        purpose=LoginToken.Purpose.EMAIL_LINK,
        email=user.email,
        portal_user=user,
        lifetime=timedelta(days=context.settings.get(MAGIC_LINK_DAYS)),
        with_code=False,
        deep_link=path,
        now=now,
    )
    return context.tenant.url(reverse("accounts:link", urlconf=TENANT_URLS, args=[minted.token]))
