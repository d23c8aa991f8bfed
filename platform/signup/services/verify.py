"""Who proves the mailbox gets the company: tenant, address and run in one transaction, once (platform.md 3.4)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from uuid import UUID

from provisioning.addresses import hold_address
from provisioning.models import Run
from provisioning.services import NewCompany, start_run
from signup.browser import Holder, keyed
from signup.models import SignUp
from tenants.audit import Actor

TRIES = 5


class WrongCode(Exception):
    """The code is not the newest mail's."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} tries are left.")
        self.left = left


class NotProven(Exception):
    """The link is unknown, replaced or expired, or the code was asked from another browser."""


def hash_token(token: str) -> bytes:
    """Return what is stored of a link's secret part."""
    return hashlib.sha256(token.encode()).digest()


def hash_code(signup_id: UUID, code: str) -> bytes:
    """Return what is stored of a code; keyed, since six digits could be tried out."""
    return bytes.fromhex(keyed("code", f"{signup_id}:{code}"))


def find_link(*, token: str, now: datetime) -> SignUp:
    """Return the sign-up of a mailed link, changing nothing (AUN-10); raises NotProven."""
    signup = SignUp.objects.filter(token_hash=hash_token(token), expires_at__gt=now).first()
    if signup is None:
        raise NotProven
    return signup


def verify_link(*, token: str, ip: str | None, now: datetime) -> tuple[SignUp, Run]:
    """Accept a mailed link; raises NotProven, AddressTaken (after noting that the mailbox is proven)."""
    return confirm(signup_id=find_link(token=token, now=now).pk, ip=ip, now=now)


def verify_code(*, holder: Holder, code: str, ip: str | None, now: datetime) -> tuple[SignUp, Run]:
    """Accept a code in the browser that signed up; raises WrongCode, NotProven, AddressTaken (AUN-19).

    Five tries for each mail; each is counted before it is compared.
    """
    signup = SignUp.objects.select_for_update().get(pk=holder.signup.pk)
    if signup.verified_at is None:
        if not holder.began_here or signup.expires_at <= now:
            raise NotProven
        if signup.code_tries >= TRIES:
            raise WrongCode(0)
        signup.code_tries += 1
        signup.save(update_fields=["code_tries"])
        wanted = bytes(signup.code_hash) if signup.code_hash else b""
        if not hmac.compare_digest(hash_code(signup.pk, code), wanted):
            raise WrongCode(TRIES - signup.code_tries)
    return confirm(signup_id=signup.pk, ip=ip, now=now)


def confirm(*, signup_id: UUID, ip: str | None, now: datetime) -> tuple[SignUp, Run]:
    """Create the company of a proven sign-up, or return the one it has; raises AddressTaken, NotProven (canceled).

    Double click, refresh and second device meet at the row's lock and get the same run. When the hold has lapsed and
    the address is gone, nothing is created, but the mailbox stays proven.
    """
    signup = SignUp.objects.select_for_update().get(pk=signup_id)
    if signup.state == SignUp.State.CANCELED:
        raise NotProven
    if signup.tenant_id is None:
        if signup.verified_at is None:
            signup.verified_at, signup.state = now, SignUp.State.VERIFIED
            signup.save(update_fields=["verified_at", "state"])
        hold_address(slug=signup.slug, holder=signup.pk, now=now)
        run = start_run(company=_company_of(signup), holder=signup.pk, by=_visitor(signup, ip), now=now)
        signup.tenant = run.tenant
        signup.save(update_fields=["tenant"])
        return signup, run
    return signup, run_of(signup)


def run_of(signup: SignUp) -> Run:
    """Return the run that sets up the company of a sign-up."""
    return Run.objects.select_related("tenant__signup").get(tenant__signup=signup, kind=Run.Kind.PROVISION)


def _company_of(signup: SignUp) -> NewCompany:
    return NewCompany(
        slug=signup.slug,
        name=signup.company,
        plan_id=signup.plan_id,
        owner_email=signup.email,
        owner_name=signup.owner_name,
        trade=signup.trade,
        country=signup.country,
        time_zone=signup.time_zone,
        locale=signup.locale,
    )


def _visitor(signup: SignUp, ip: str | None) -> Actor:
    return Actor("visitor", signup.pk, signup.email, ip)
