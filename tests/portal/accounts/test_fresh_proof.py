"""Before cards, bank accounts or autopay change, whoever is signed in shows anew that it is them (AUN-29)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from portal.accounts.models import LoginToken, PortalSession, PortalUser
from portal.accounts.proofs import browser_of, prove
from portal.customers.models import Customer
from portal.payments.models import AutopayMandate, PaymentMethod
from tenants.audit import SYSTEM
from tenants.schema.models import AuditEvent
from tenants.scope import tenant_scope
from tests.cast import ACME
from tests.portal.accounts.signing_in import code_in, deliver, mint, sign_in

ALICE = "alice@example.com"
PROOF = "/sign-in/proof?next=%2Fpay%2Fmethods%2Fadd"
ASK = "/sign-in/proof/mail?next=%2Fpay%2Fmethods%2Fadd"
ADD = "/pay/methods/add"


def grow_old(minutes: float = 15) -> None:
    """Let the last sign-in of every session lie back."""
    PortalSession.objects.update(proved_at=timezone.now() - timedelta(minutes=minutes))


def make_card() -> PaymentMethod:
    now = timezone.now()
    return PaymentMethod.objects.create(
        bill_to=Customer.objects.get(number="C-1001"),
        kind=PaymentMethod.Kind.CARD,
        brand="visa",
        last4="4242",
        state=PaymentMethod.State.ACTIVE,
        is_default=True,
        stripe_pm_id="pm_1",
        created_at=now,
        activated_at=now,
    )


def make_mandate(card: PaymentMethod, state: str) -> AutopayMandate:
    now = timezone.now()
    return AutopayMandate.objects.create(
        bill_to=card.bill_to,
        method=card,
        cap_cents=10_000,
        notice_days=5,
        text_version="2026-11",
        authorised_by=PortalUser.objects.get(email=ALICE),
        authorised_at=now,
        state=state,
        created_at=now,
    )


def ask_for_code(client: Any, scope: Any) -> str:
    """Have a code mailed as the page does, and read it."""
    assert client.post(ASK)["Location"] == f"{PROOF}&asked=1"
    (message,) = deliver(scope)
    assert message.to == [ALICE]
    return code_in(message)


def test_a_code_of_our_mail_leads_back_to_where_the_customer_was(acme: Any, acme_client: Any) -> None:
    """AUN-29: fourteen minutes are young enough, fifteen are not; the code of the mail makes the session young."""
    sign_in(acme_client, ALICE)
    grow_old(14)
    assert acme_client.get(ADD).status_code == 200
    grow_old()
    answer = acme_client.get(ADD)
    assert (answer.status_code, answer["Location"]) == (303, PROOF)
    page = acme_client.get(PROOF).content.decode()
    assert "Is it you?" in page
    code = ask_for_code(acme_client, acme)
    answer = acme_client.post(PROOF, {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer["Location"]) == (303, ADD)
    assert acme_client.get(ADD).status_code == 200
    assert AuditEvent.objects.filter(action="sign_in.proved", actor_label="Alice Archer").count() == 1
    grow_old()
    assert acme_client.post(PROOF, {"code": code}).status_code == 422
    assert acme_client.get(ADD)["Location"] == PROOF


def test_nothing_is_added_removed_or_turned_on_without_the_proof(acme: Any, acme_client: Any) -> None:
    """AUN-29: by the forms themselves too, whoever still has the page open."""
    sign_in(acme_client, ALICE)
    card = make_card()
    mandate = make_mandate(card, "paused")
    grow_old()
    terms = {"method": str(card.pk), "fallback": "", "cap": "500.00", "notice": "5", "agrees": "on"}
    addition = {"form_key": str(uuid4()), "token": "ctoken_1"}
    for path, form in (
        (ADD, addition),
        (f"/pay/methods/{card.pk}/replace", addition),
        (f"/pay/methods/{card.pk}/remove", {}),
        ("/pay/autopay/set-up", terms),
        (f"/pay/autopay/{mandate.pk}/terms", terms),
    ):
        for answer in (acme_client.get(path), acme_client.post(path, form)):
            assert answer.status_code == 303, path
            assert answer["Location"].startswith("/sign-in/proof?next=%2Fpay%2F"), path
    assert list(PaymentMethod.objects.values_list("state", flat=True)) == ["active"]
    assert list(AutopayMandate.objects.values_list("pk", "state")) == [(mandate.pk, "paused")]


def test_stopping_autopay_is_always_at_hand_and_turning_it_on_again_is_not(acme: Any, acme_client: Any) -> None:
    """AUN-29: only what lets money move needs the proof; the permission says that it can be ended at any time."""
    sign_in(acme_client, ALICE)
    mandate = make_mandate(make_card(), "paused")
    grow_old()
    answer = acme_client.post(f"/pay/autopay/{mandate.pk}/change", {"do": "resume"})
    assert answer["Location"] == "/sign-in/proof?next=%2Fpay%2Fautopay%2F"
    mandate.refresh_from_db()
    assert mandate.state == "paused"
    AutopayMandate.objects.update(state="active")
    for do, state in (("pause", "paused"), ("revoke", "revoked")):
        acme_client.post(f"/pay/autopay/{mandate.pk}/change", {"do": do})
        mandate.refresh_from_db()
        assert mandate.state == state


def test_a_code_works_only_on_the_device_that_asked(acme: Any, acme_client: Any, browse: Any) -> None:
    """AUN-29, AUN-28: neither in another browser of the same person nor in another person's."""
    sign_in(acme_client, ALICE)
    hers, bobs = browse("acme.portal.localhost"), browse("acme.portal.localhost")
    sign_in(hers, ALICE)
    sign_in(bobs, "bob@example.com")
    grow_old()
    code = ask_for_code(acme_client, acme)
    for other in (hers, bobs):
        assert other.post(PROOF, {"code": code}).status_code == 422
        assert other.get(ADD)["Location"] == PROOF
    assert acme_client.post(PROOF, {"code": code})["Location"] == ADD


def test_a_proof_code_signs_nobody_in(acme: Any, acme_client: Any) -> None:
    """AUN-03: a code is good for what it was mailed for; a sign-in code is no proof either."""
    sign_in(acme_client, ALICE)
    grow_old()
    code = ask_for_code(acme_client, acme)
    assert acme_client.post("/sign-in/code", {"email": ALICE, "code": code}).status_code == 422
    session = PortalSession.objects.get()
    other = mint(ALICE, browser_hash=browser_of(session.pk))
    assert acme_client.post(PROOF, {"code": other.code}).status_code == 422


def test_a_code_dies_after_five_wrong_tries(acme: Any, acme_client: Any) -> None:
    """AUN-28."""
    sign_in(acme_client, ALICE)
    grow_old()
    code = ask_for_code(acme_client, acme)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert acme_client.post(PROOF, {"code": wrong}).status_code == 422
    assert acme_client.post(PROOF, {"code": code}).status_code == 422


def test_an_old_code_is_none(acme: Any, acme_client: Any) -> None:
    """AUN-29."""
    sign_in(acme_client, ALICE)
    grow_old()
    code = ask_for_code(acme_client, acme)
    LoginToken.objects.update(expires_at=timezone.now())
    assert acme_client.post(PROOF, {"code": code}).status_code == 422


def test_five_codes_an_hour_are_mailed_and_no_more(acme: Any, acme_client: Any) -> None:
    """AUN-19: somebody at a found phone cannot fill the owner's mailbox."""
    sign_in(acme_client, ALICE)
    grow_old()
    for _ in range(5):
        assert acme_client.post(ASK).status_code == 303
    assert acme_client.post(ASK).status_code == 429
    deliver(acme)
    assert sum(message.to == [ALICE] for message in mail.outbox) == 5


def test_after_ten_codes_in_a_day_none_is_promised(acme: Any, acme_client: Any) -> None:
    """AUN-28."""
    sign_in(acme_client, ALICE)
    grow_old()
    for _ in range(10):
        mint(ALICE)
    assert acme_client.post(ASK).status_code == 429


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_the_way_back_stays_on_this_host(acme: Any, acme_client: Any, wanted: str) -> None:
    """WEB-06."""
    sign_in(acme_client, ALICE)
    assert acme_client.get("/sign-in/proof", {"next": wanted})["Location"] == "/"


def test_nobody_without_a_session_asks_for_a_code(acme: Any, acme_client: Any) -> None:
    assert acme_client.post(ASK)["Location"].startswith("/sign-in")
    assert deliver(acme) == []


def test_of_twelve_simultaneous_tries_one_takes_the_code(committed: None, browse: Any) -> None:
    """AUN-29: the code is taken by a conditional update."""
    at_once = 12
    with tenant_scope(ACME, "t_ac3e00000000000000000001"):
        client = browse("acme.portal.localhost")
        sign_in(client, ALICE)
        session, user = PortalSession.objects.get(), PortalUser.objects.get(email=ALICE)
        code = mint(ALICE, purpose=LoginToken.Purpose.PROOF, browser_hash=browser_of(session.pk)).code
    barrier = Barrier(at_once)

    def take(_: int) -> bool:
        barrier.wait()
        try:
            with tenant_scope(ACME, "t_ac3e00000000000000000001"):
                return prove(user=user, session_id=session.pk, code=code, by=SYSTEM, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(at_once) as pool:
        taken = list(pool.map(take, range(at_once)))
    assert sum(taken) == 1
