"""A person changes their mind before the company opens: the address is free again at once (platform.md 3.3, 5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from provisioning.addresses import let_go
from provisioning.services import cancel_run
from signup.models import SignUp
from signup.services.verify import run_of
from tenants.audit import Actor


def cancel_signup(*, signup_id: UUID, ip: str | None, now: datetime) -> SignUp:
    """End a sign-up and give its address back; a second press changes nothing. Raises TooLate (check 18).

    Mailed links and codes stop working. Runs in the caller's control transaction.
    """
    signup = SignUp.objects.select_for_update().get(pk=signup_id)
    if signup.state == SignUp.State.CANCELED:
        return signup
    if signup.tenant_id:
        by = Actor("visitor", signup.pk, signup.email, ip)
        cancel_run(run_id=run_of(signup).pk, by=by, now=now, reason="canceled by the person who signed up")
    let_go(holder=signup.pk)
    signup.state, signup.token_hash, signup.code_hash = SignUp.State.CANCELED, None, None
    signup.save(update_fields=["state", "token_hash", "code_hash"])
    return signup
