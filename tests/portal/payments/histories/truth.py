"""How a history ends, and what must be true then: our books say what Stripe's say, to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

from django.db.models import Sum

from infra.stripe_double.errors import Json
from infra.stripe_double.store import PLATFORM
from portal.autopay.services import charging, mandates
from portal.invoices.models import Invoice
from portal.payments.invariants import find_broken_invariants
from portal.payments.models import AutopayCharge, AutopayMandate, Dispute, Journal, Payment, PaymentAttempt, Refund
from portal.payments.services.reconcile import open_differences
from tenants.audit import Actor
from tenants.scope import control_scope
from tests.cast import ACME
from webhooks.models import WebhookInbox
from webhooks.services.process import due_events, process_event, replay_event
from webhooks.services.reconcile import reconcile_account

from .deeds import ALICE, Deeds

DAY = 86_400
ROUNDS = 8
OSCAR = Actor("operator", None, "Oscar Ortiz")
OPEN = ["submitted", "requires_action", "unknown", "processing"]


def settle(world: Deeds) -> None:
    """Everything works again: sweeps, event lists and operators finish what was left, and time brings what it brings.

    Every webhook that has not been heard by now is lost for ever.
    """
    with world.double.lock:
        world.double.faults.clear()
    _stop_autopay(world)
    for turn in range(ROUNDS):
        _jump(world, 5 * DAY if turn < 2 else 3 * 3600)
        world.deliver_effects()
        world.sweep()
        _follow_autopay(world)
        world.read_events()
        _work_everything_off(world)
        if turn and not _is_anything_open(world):
            return
    raise AssertionError("a history has no end")


def _jump(world: Deeds, seconds: int) -> None:
    """Let time pass however long the history has been."""
    world.start += timedelta(seconds=seconds)
    world.wait(seconds)


def _stop_autopay(world: Deeds) -> None:
    with world.bench.acme():
        for mandate in AutopayMandate.objects.filter(state="active"):
            mandates.pause(customer_id=world.customer, mandate_id=mandate.pk, by=ALICE, now=world.now)


def _follow_autopay(world: Deeds) -> None:
    with world.bench.acme() as context:
        for charge in AutopayCharge.objects.filter(state="charging"):
            charging.follow_up(context=context, charge_id=charge.pk, now=world.now)


def _work_everything_off(world: Deeds) -> None:
    for inbox_id in due_events(world.now):
        process_event(inbox_id=inbox_id, now=world.now)
    with control_scope():
        given_up = list(WebhookInbox.objects.filter(state="failed", attempts__gte=8).values_list("pk", flat=True))
    for inbox_id in given_up:
        replay_event(inbox_id=inbox_id, reason="Stripe was away", by=OSCAR, now=world.now)
        process_event(inbox_id=inbox_id, now=world.now)


def _is_anything_open(world: Deeds) -> bool:
    with control_scope():
        if WebhookInbox.objects.filter(state__in=["received", "failed"]).exists():
            return True
    with world.bench.acme():
        return (
            PaymentAttempt.objects.filter(state__in=OPEN).exists()
            or Refund.objects.filter(state__in=["requested", "pending"]).exists()
            or AutopayCharge.objects.filter(state="charging").exists()
        )


def check(world: Deeds) -> None:
    """Compare everything with Stripe's own books."""
    assert world.swallowed.found == []
    intents = {row["id"]: row for row in world.at_stripe("payment_intent")}
    with world.bench.acme():
        assert find_broken_invariants(world.now) == []
        _check_charges(world, intents)
        _check_aftermath(world)
        _check_balance(world)
        _check_invoices(world)
    with control_scope():
        states = Counter(WebhookInbox.objects.values_list("state", flat=True))
    assert set(states) <= {"done", "ignored"}, states
    _check_comparison(world)
    with world.double.lock:
        store = world.double.store
        assert store.violations == []
        assert not store.books[PLATFORM].kind("payment_intent"), "nothing on the platform itself"


def _check_charges(world: Deeds, intents: dict[str, Json]) -> None:
    """One press of a button is at most one charge, and each charge is one payment with one receipt (PAY-04, F5, F9)."""
    attempts = {row.pk: row for row in PaymentAttempt.objects.all()}
    named = Counter(UUID(row["metadata"]["attempt"]) for row in intents.values())
    assert set(named) <= set(attempts), "an intent without its attempt"
    assert max(named.values(), default=1) == 1, "two intents of one attempt"
    charged = {pk: row["amount_received"] for pk, row in intents.items() if row["status"] == "succeeded"}
    received = dict(
        Payment.objects.filter(stripe_pi_id__in=intents, received_cents__gt=0).values_list(
            "stripe_pi_id", "received_cents"
        )
    )
    assert received == charged
    alive = [row["id"] for row in intents.values() if row["status"] in ("requires_action", "processing")]
    assert alive == [], "money can still move, though nobody here waits for it"
    # Reservations keep two people from paying the same: what a card has paid always finds its invoice.
    excess = Journal.objects.filter(kind="payment", source_type="payment_intent", account="credit")
    assert list(excess.values_list("source_id", "delta_cents")) == []
    world.tally["charges"] += len(charged)
    world.tally["cents charged"] += sum(charged.values())
    world.tally["payments that failed"] += sum(row.state == "failed" for row in attempts.values())


def _check_aftermath(world: Deeds) -> None:
    made = {row["id"]: (row["status"], row["amount"]) for row in world.at_stripe("refund")}
    ours = Refund.objects.exclude(stripe_refund_id=None).values_list("stripe_refund_id", "state", "amount_cents")
    assert {ref: (state, cents) for ref, state, cents in ours} == made
    disputes = {row["id"]: row["status"] for row in world.at_stripe("dispute")}
    assert dict(Dispute.objects.values_list("stripe_dispute_id", "status")) == disputes
    world.tally["refunds"] += len(made)
    world.tally["disputes and returns"] += len(disputes)
    world.tally["by hand"] += Payment.objects.filter(stripe_pi_id=None).count()


def _check_balance(world: Deeds) -> None:
    """The clearing account of the journal is Stripe's balance, to the cent (PAY-14)."""
    clearing = Journal.objects.filter(account="stripe_clearing").aggregate(cents=Sum("delta_cents"))["cents"] or 0
    assert clearing == sum(row["net"] for row in world.at_stripe("balance_transaction"))


def _check_invoices(world: Deeds) -> None:
    for invoice in Invoice.objects.filter(pk__in=world.invoices):
        assert (invoice.reserved_cents, invoice.pending_cents) == (0, 0), invoice.number
        assert 0 <= invoice.balance_cents <= invoice.total_cents, invoice.number
        assert (invoice.status == "paid") == (invoice.balance_cents == 0), invoice.number


def _check_comparison(world: Deeds) -> None:
    """The nightly comparison finds nothing, and what it had noted on the way has closed by itself (R3)."""
    since = world.now - timedelta(days=60)
    found = reconcile_account(tenant_id=ACME, account_id=world.bench.account, since=since, now=world.now)
    assert found == []
    with world.bench.acme():
        assert open_differences() == []
