"""A refund above the company's limit: one person asks, another decides (PAY-16)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from portal.accounts.models import StaffUser
from portal.payments import errors
from portal.payments.models import Refund, RefundProposal
from portal.payments.services.refund_proposals import approve_refund, decline_refund, propose_refund
from portal.payments.services.refunds import RefundLine, RefundOrder, refundable_lines
from tenants.audit import Actor
from tenants.config.registry import REFUND_SECOND_PERSON, REFUND_SECOND_PERSON_ABOVE
from tenants.config.services import write_owner_settings
from tenants.schema.models import AuditEvent
from tests.cast import ACME, NOW
from tests.parallel import in_parallel

from .bench import Bench, later
from .test_office_refunds import fields_of, office, url_of

LIMIT = 10_000


def set_limit(bench: Bench, cents: int = LIMIT, *, on: bool = True) -> None:
    """Let one person alone refund so much of a payment."""
    with bench.acme() as context:
        version = context.tenant.config_version
    values: dict[str, Any] = {REFUND_SECOND_PERSON.name: on, REFUND_SECOND_PERSON_ABOVE.name: cents}
    by = Actor("staff", None, "Olive Owens")
    write_owner_settings(tenant_id=ACME, values=values, expected_version=version, by=by, now=later())


def colleague(bench: Bench, name: str, role: str = "accountant") -> Actor:
    """Return somebody of the office, made if need be."""
    with bench.acme():
        about = {"name": name, "role": role, "status": "active", "created_at": NOW}
        staff, _ = StaffUser.objects.get_or_create(email=f"{name.lower()}@acme.example", defaults=about)
        return Actor("staff", staff.pk, name)


def order_of(bench: Bench, cents: int, key: UUID | None = None) -> RefundOrder:
    """Return what the form would send: so much out of the one payment."""
    with bench.acme():
        (line,) = refundable_lines(bench.payments()[0])
        return RefundOrder(key or uuid4(), (RefundLine(line.invoice_id, cents),), "requested_by_customer", "compressor")


def propose(bench: Bench, by: Actor, cents: int = 20_000, key: UUID | None = None) -> RefundProposal:
    """Ask for a refund of the one payment."""
    order = order_of(bench, cents, key)
    with bench.acme():
        return propose_refund(payment_id=bench.payments()[0].pk, order=order, by=by, now=later())


def approve(bench: Bench, proposal: RefundProposal, by: Actor) -> Refund:
    """Approve what somebody has asked for."""
    with bench.acme() as context:
        return approve_refund(context=context, proposal_id=proposal.pk, by=by, now=later())


def state_of(bench: Bench, proposal: RefundProposal) -> str:
    """Return what became of a proposal."""
    with bench.acme():
        return RefundProposal.objects.get(pk=proposal.pk).state


@pytest.fixture
def paid(bench: Bench) -> Bench:
    """Alice has paid $412.50; one person alone refunds up to $100.00."""
    bench.pay("1042")
    set_limit(bench)
    return bench


def test_up_to_the_limit_one_person_is_enough_and_a_cent_more_is_not(paid: Bench) -> None:
    """PAY-16, at the border."""
    with pytest.raises(errors.SecondPersonNeeded):
        paid.refund(LIMIT + 1)
    assert paid.refunds() == []
    assert paid.refund(LIMIT).state == Refund.State.SUCCEEDED


def test_several_small_refunds_of_one_payment_count_together(paid: Bench) -> None:
    """PAY-16: a large refund is not made small by cutting it up."""
    paid.refund(6_000)
    with pytest.raises(errors.SecondPersonNeeded):
        paid.refund(4_001)
    paid.refund(4_000)
    with pytest.raises(errors.SecondPersonNeeded):
        paid.refund(1)


def test_the_rule_may_be_switched_off(paid: Bench) -> None:
    set_limit(paid, 0, on=False)
    assert paid.refund(41_250).state == Refund.State.SUCCEEDED


def test_another_person_approves_also_after_the_company_has_disconnected(paid: Bench) -> None:
    """F22: what was taken before can be given back as long as Stripe lets us."""
    proposal = propose(paid, colleague(paid, "Ann"))
    paid.disconnect()
    assert approve(paid, proposal, colleague(paid, "Ben")).state == Refund.State.SUCCEEDED


def test_another_person_approves_and_only_then_money_moves(paid: Bench) -> None:
    """PAY-16."""
    ann, ben = colleague(paid, "Ann"), colleague(paid, "Ben")
    proposal = propose(paid, ann)
    assert paid.refunds() == []
    assert paid.invoice().paid_cents == 41250
    refund = approve(paid, proposal, ben)
    assert (refund.state, refund.amount_cents) == (Refund.State.SUCCEEDED, 20_000)
    with paid.acme():
        rows = AuditEvent.objects.filter(action__startswith="refund.", actor_kind="staff").order_by("id")
        assert [(row.action, row.actor_label) for row in rows] == [
            ("refund.proposed", "Ann"),
            ("refund.requested", "Ben"),
            ("refund.approved", "Ben"),
        ]
        kept = RefundProposal.objects.get()
        assert (kept.state, kept.decided_by, kept.refund_id) == ("approved", ben.id, refund.pk)


def test_whoever_asked_does_not_approve(paid: Bench) -> None:
    """PAY-16."""
    ann = colleague(paid, "Ann")
    proposal = propose(paid, ann)
    with pytest.raises(errors.SamePerson):
        approve(paid, proposal, ann)
    with pytest.raises(errors.SamePerson):
        approve(paid, proposal, Actor("system", None, "Porchlight"))
    assert paid.refunds() == []
    assert state_of(paid, proposal) == "waiting"


def test_the_database_refuses_a_decision_by_the_same_person(paid: Bench) -> None:
    ann = colleague(paid, "Ann")
    propose(paid, ann)
    for state in ("approved", "declined"):
        with paid.acme(), pytest.raises(IntegrityError), transaction.atomic():
            RefundProposal.objects.update(state=state, decided_by=ann.id, decided_at=NOW)


def test_two_who_approve_at_once_make_one_refund(paid: Bench) -> None:
    """PAY-16: a race of approvals."""
    proposal = propose(paid, colleague(paid, "Ann"))
    people = iter([colleague(paid, name) for name in ("Ben", "Cleo", "Dora", "Emil")])
    answers = in_parallel(4, lambda: approve(paid, proposal, next(people)))
    assert sum(isinstance(answer, Refund) for answer in answers) == 1
    assert sum(isinstance(answer, errors.AlreadyDecided) for answer in answers) == 3
    assert [refund.amount_cents for refund in paid.refunds()] == [20_000]
    assert paid.invoice().paid_cents == 41250 - 20_000


def test_approved_and_declined_at_once_is_one_of_both(paid: Bench) -> None:
    proposal = propose(paid, colleague(paid, "Ann"))
    ben, cleo = colleague(paid, "Ben"), colleague(paid, "Cleo")

    def decline() -> RefundProposal:
        with paid.acme():
            return decline_refund(proposal_id=proposal.pk, by=cleo, now=later())

    deeds = iter([lambda: approve(paid, proposal, ben), decline])
    answers = in_parallel(2, lambda: next(deeds)())
    assert sum(isinstance(answer, errors.AlreadyDecided) for answer in answers) == 1
    assert len(paid.refunds()) == (1 if state_of(paid, proposal) == "approved" else 0)


def test_what_was_declined_or_withdrawn_cannot_be_approved(paid: Bench) -> None:
    ann, ben = colleague(paid, "Ann"), colleague(paid, "Ben")
    for by, expected in ((ben, "declined"), (ann, "withdrawn")):
        proposal = propose(paid, ann)
        with paid.acme():
            decline_refund(proposal_id=proposal.pk, by=by, now=later())
        assert state_of(paid, proposal) == expected
        with pytest.raises(errors.AlreadyDecided):
            approve(paid, proposal, ben)
    assert paid.refunds() == []


def test_an_approval_is_checked_against_what_is_left_then(paid: Bench) -> None:
    """F19: meanwhile a part was refunded; the approval finds too little and changes nothing."""
    ann, ben = colleague(paid, "Ann"), colleague(paid, "Ben")
    proposal = propose(paid, ann, 41_250)
    paid.refund(5_000)
    with pytest.raises(errors.RefundTooLarge):
        approve(paid, proposal, ben)
    assert state_of(paid, proposal) == "waiting"


def test_a_payment_has_one_waiting_proposal_and_the_form_sent_twice_is_one(paid: Bench) -> None:
    ann, key = colleague(paid, "Ann"), uuid4()
    first = propose(paid, ann, key=key)
    assert propose(paid, ann, key=key).pk == first.pk
    with pytest.raises(errors.FormReused):
        propose(paid, ann, 20_001, key=key)
    with pytest.raises(errors.AlreadyProposed):
        propose(paid, ann)


def test_more_than_is_there_is_not_even_proposed(paid: Bench) -> None:
    with pytest.raises(errors.RefundTooLarge):
        propose(paid, colleague(paid, "Ann"), 41_251)
    with pytest.raises(errors.RefundTooLarge):
        paid.refund(41_251)


def test_the_office_asks_and_a_colleague_is_mailed_and_approves(paid: Bench) -> None:
    """PAY-16, as browsers see it."""
    ben = office(paid, "accountant")
    olive, url = office(paid), url_of(paid)
    form = {**fields_of(olive.get(f"{url}/refund").content.decode()), "amount_0": "200", "note": "compressor"}
    asked = olive.post(f"{url}/refund", form).content.decode()
    assert "So much needs a second person" in asked
    assert "Ask for the refund of $200.00" in asked
    assert olive.post(f"{url}/refund", {**form, "confirm": "1"})["Location"] == url
    assert paid.refunds() == []
    with paid.acme():
        address = f"/office/payments/refunds/{RefundProposal.objects.get().pk}"
    assert "A refund of $200.00 waits for a second person" in olive.get(url).content.decode()
    mail.outbox.clear()
    paid.deliver_mail()
    told = [message for message in mail.outbox if "Refund $200.00" in message.subject]
    assert [message.to for message in told] == [["accountant@acme.example"]]
    assert address in told[0].body
    own = olive.get(address).content.decode()
    assert "Take it back" in own
    assert 'value="approve"' not in own
    olive.post(address, {"do": "approve"})
    assert paid.refunds() == []
    assert "asks for a refund" in ben.get("/office/").content.decode()
    page = ben.get(address).content.decode()
    assert "compressor" in page
    assert "Invoice 1042 is due again by $200.00." in page
    assert ben.post(address, {"do": "approve"})["Location"] == url
    assert [refund.amount_cents for refund in paid.refunds()] == [20_000]
    assert ben.post(address, {"do": "approve"})["Location"] == url
    assert len(paid.refunds()) == 1


def test_whoever_works_alone_is_told_before_asking(paid: Bench) -> None:
    """PAY-16: a second person stays necessary; the page says who that can be, and what the owner can change."""
    olive, url = office(paid), url_of(paid)
    form = {**fields_of(olive.get(f"{url}/refund").content.decode()), "amount_0": "200"}
    asked = olive.post(f"{url}/refund", form).content.decode()
    assert "Nobody else here can decide yet" in asked
    assert 'href="/office/payments/rules"' in asked
    olive.post(f"{url}/refund", {**form, "confirm": "1"})
    with paid.acme():
        address = f"/office/payments/refunds/{RefundProposal.objects.get().pk}"
    assert "Nobody else here can decide yet" in olive.get(address).content.decode()
    office(paid, "csr")
    assert "Nobody else here can decide yet" in olive.get(address).content.decode()
    office(paid, "accountant")
    assert "Nobody else here can decide yet" not in olive.get(address).content.decode()
    assert paid.refunds() == []


def test_without_the_permission_nobody_decides(paid: Bench) -> None:
    """AUZ-13."""
    proposal = propose(paid, colleague(paid, "Ann"))
    address = f"/office/payments/refunds/{proposal.pk}"
    for role in ("csr", "read_only"):
        browser = office(paid, role)
        assert browser.get(address).status_code == 403
        assert browser.post(address, {"do": "approve"}).status_code == 403
    assert paid.refunds() == []


def test_a_credit_is_no_way_around_it(bench: Bench) -> None:
    set_limit(bench, 0)
    bench.pay("1042")
    with pytest.raises(errors.SecondPersonNeeded):
        bench.refund(100)
