"""What people, banks, workers and the network do in a history; each deed is whole and can be cut anywhere."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.utils import timezone

from infra.stripe_double.disputes import ANSWERABLE, INQUIRY, close, escalate, open_dispute
from infra.stripe_double.errors import StripeError
from infra.stripe_double.ledger import is_disputed, refund_charge
from infra.stripe_double.payments import finish_authentication
from portal.accounts.models import PortalUser
from portal.autopay.agreement import Consent
from portal.autopay.services import charging, mandates, turning_on
from portal.invoices.models import Invoice
from portal.methods.services.adding import Addition, add_method
from portal.methods.services.changing import resume_methods
from portal.payments.ledger import payable_cents
from portal.payments.models import Credit, Payment, PaymentMethod
from portal.payments.services.credits import apply_credit, open_invoices
from portal.payments.services.recording import Recorded, record_payment, reverse_payment
from portal.payments.services.refunds import resume_refunds
from portal.payments.services.settle import resume_attempts
from portal.payments.services.submit import Submission, submit_payment
from tenants.audit import Actor
from tenants.outbox import deliver_outbox
from tenants.schema.models import OutboxEvent
from tests.cast import ACME
from webhooks.services.process import due_events, process_event, work_off_inbox
from webhooks.services.pull import pull_all_events
from webhooks.services.reconcile import reconcile_account

from .world import RULES, Damage, World

T = TypeVar("T")
OLIVE = Actor("staff", None, "Olive Owens")
ALICE = Actor("customer", None, "Alice Archer", "203.0.113.9")
ON_FILE = "on file"
# Effects that concern money at Stripe; letters are not its business.
AT_STRIPE = ("payment.method_saved", "payment_method.detach")


def pick(rows: list[T], index: int) -> T | None:
    """Return one of the rows, or None when there are none."""
    return rows[index % len(rows)] if rows else None


class Deeds(World):
    """The deeds of everybody."""

    # -- customers ---------------------------------------------------------------------------------------------
    def pay(self, payer: str, which: list[int], method: str, part: int | None, saves: bool) -> None:
        """Fill in the form for some invoices and press the button."""
        wanted = [self.invoices[0]] if payer == "link" else self._choose(which)
        with self.bench.acme():
            invoices = list(Invoice.objects.filter(pk__in=wanted))
            kept = PaymentMethod.objects.filter(state="active").order_by("-pk").first() if method == ON_FILE else None
        token = "" if kept else self.token("pm_card_visa" if method == ON_FILE else method)
        due = sum(payable_cents(invoice) for invoice in invoices)
        form = Submission(
            uuid4(), due, token, part, "Pat", "pat@example.net", kept.pk if kept else None, saves, "a browser"
        )
        self.last_form = (payer, wanted, form)
        self.press_again()

    def _choose(self, which: list[int]) -> list[UUID]:
        """Return some invoices that can be paid, as the page offers no others; or some that cannot, if that is all."""
        with self.bench.acme():
            offered = [
                row.pk for row in Invoice.objects.filter(pk__in=self.invoices).order_by("pk") if payable_cents(row)
            ]
        rows = offered or self.invoices
        return sorted({rows[index % len(rows)] for index in which})

    def press_again(self) -> None:
        """Press the button of the last form, once more or for the first time (F5)."""
        if self.last_form is None:
            return
        payer, wanted, form = self.last_form
        with self.bench.acme() as context:
            submit_payment(
                context=context,
                bill_to_id=self.customer,
                invoice_ids=wanted,
                payer=self.payers[payer],
                submission=form,
                rules=RULES,
                by=ALICE,
                now=self.now,
            )

    def answer(self, index: int, passed: bool) -> None:
        """Answer on the bank's page; or never, which nobody needs to do (F14)."""
        waiting = [intent for intent in self.at_stripe("payment_intent") if intent["status"] == "requires_action"]
        intent = pick(waiting, index)
        if intent:
            with self.double.lock:
                try:
                    finish_authentication(self.scope(), intent, passed=passed)
                except StripeError:
                    # The bank was asked and refuses all the same: the event tells of it.
                    return

    def allow_autopay(self, method: str, cap: int) -> None:
        """Put a card or bank account on file and have it charged by itself from now on."""
        with self.bench.acme() as context:
            alice = PortalUser.objects.get(email="alice@example.com")
            added = add_method(
                context=context,
                customer_id=self.customer,
                portal_user_id=alice.pk,
                addition=Addition(uuid4(), self.token(method)),
                excluded=[],
                by=ALICE,
                now=self.now,
            )
            if added.row.state == PaymentMethod.State.ACTIVE:
                terms = mandates.Terms(added.row.pk, cap, notice_days=1)
                turning_on.authorise(
                    context=context,
                    customer_id=self.customer,
                    portal_user_id=alice.pk,
                    terms=terms,
                    consent=Consent("I allow it.", "en"),
                    by=ALICE,
                    now=self.now,
                )

    # -- the office --------------------------------------------------------------------------------------------
    def take_cash(self, which: list[int], amount: int, keeps_rest: bool) -> None:
        """Write down money that was handed over."""
        with self.bench.acme() as context:
            record_payment(
                customer_id=self.customer,
                invoice_ids=self._choose(which),
                recorded=Recorded(uuid4(), amount, "cash", timezone.localdate(), keep_rest=keeps_rest),
                currency="USD",
                zone=context.tenant.zone,
                by=OLIVE,
                now=self.now,
            )

    def _payment(self, index: int, *, by_hand: bool = False) -> Payment | None:
        with self.bench.acme():
            paid = Payment.objects.filter(received_cents__gt=0, stripe_pi_id__isnull=by_hand)
            return pick(list(paid.order_by("pk")), index)

    def reverse(self, index: int) -> None:
        """Take a payment recorded by mistake out again."""
        payment = self._payment(index, by_hand=True)
        if payment:
            with self.bench.acme():
                reverse_payment(payment_id=payment.pk, note="a mistake", by=OLIVE, now=self.now)

    def refund(self, index: int, amount: int | None, keeps_paid: bool, by_hand: bool) -> None:
        """Give money back, of a card or out of the till."""
        payment = self._payment(index, by_hand=by_hand)
        if payment:
            self.bench.refund(amount, payment=payment, keeps_paid=keeps_paid, now=self.now)

    def use_credit(self, index: int) -> None:
        """Pay an invoice out of a credit."""
        with self.bench.acme():
            credit = pick(list(Credit.objects.filter(remaining_cents__gt=0).order_by("pk")), index)
            fitting = open_invoices(credit) if credit else []
            if credit and fitting:
                seen = credit.remaining_cents
                apply_credit(credit_id=credit.pk, invoice_id=fitting[0].pk, seen_cents=seen, by=OLIVE, now=self.now)

    # -- banks, and the contractor in Stripe's own dashboard ---------------------------------------------------
    def refund_at_stripe(self, index: int, amount: int) -> None:
        """Refund by hand where our books do not see it (F21)."""
        charge = pick([c for c in self.at_stripe("charge") if c["paid"] and not c["refunded"]], index)
        if charge:
            with self.double.lock:
                left = charge["amount_captured"] - charge["amount_refunded"]
                if not is_disputed(self.scope(), charge):
                    refund_charge(self.scope(), charge, {"amount": min(amount, left)})

    def cancel_at_stripe(self, index: int) -> None:
        """Cancel by hand what waits for its payer's bank."""
        waiting = [intent for intent in self.at_stripe("payment_intent") if intent["status"] == "requires_action"]
        intent = pick(waiting, index)
        if intent:
            with self.double.lock:
                intent.update(status="canceled", next_action=None, canceled_at=self.double.store.now())
                self.scope().emit("payment_intent.canceled", intent)

    def dispute(self, index: int, status: str, part: int | None) -> None:
        """Have a payer's bank take money back, once for each charge (F17, F20, F26)."""
        disputed = {row["charge"] for row in self.at_stripe("dispute")}
        charge = pick([c for c in self.at_stripe("charge") if c["paid"] and c["id"] not in disputed], index)
        if charge:
            amount = min(part, charge["amount"]) if part else None
            with self.double.lock:
                open_dispute(self.scope(), charge, reason="fraudulent", status=status, amount=amount)

    def decide(self, index: int, verdict: str) -> None:
        """Let a dispute be won or lost, or an inquiry become one."""
        dispute = pick([row for row in self.at_stripe("dispute") if row["status"] in ANSWERABLE], index)
        if dispute:
            with self.double.lock:
                if verdict == "escalate":
                    if dispute["status"] == INQUIRY:
                        escalate(self.scope(), dispute)
                else:
                    close(self.scope(), dispute, verdict)

    # -- the network -------------------------------------------------------------------------------------------
    def break_api(self, kind: str, method: str, path: str, times: int) -> None:
        """Have the next requests fail, before or after they were carried out (F1, F3, F4)."""
        fault: dict[str, Any] = {"kind": kind, "method": method, "path": path, "times": times, "seconds": 0}
        with self.double.lock:
            self.double.faults.add({"api": [fault]})

    def hear(self, picks: list[int], damage: Damage | None) -> None:
        """Receive some of Stripe's events: in any order, again, damaged, or never (F9…F12)."""
        events = self.events()
        for index in picks:
            event = pick(events, index)
            if event:
                self.deliver(event, damage)

    # -- workers -----------------------------------------------------------------------------------------------
    def work_off(self, order: int, count: int) -> None:
        """Work off some of what has been received, in any order."""
        due = due_events(self.now + timedelta(minutes=2))
        Random(order).shuffle(due)
        for inbox_id in due[:count]:
            process_event(inbox_id=inbox_id, now=self.now)

    def work_a_batch(self) -> None:
        """Work off what a hint asks for: a batch, the freshest first."""
        work_off_inbox(now=self.now + timedelta(minutes=2))

    def sweep(self) -> None:
        """Settle what a crash, a lost answer or a lost event left open (R1)."""
        with self.bench.acme() as context:
            resume_attempts(context=context, now=self.now)
            resume_refunds(context=context, now=self.now)
            resume_methods(context=context, now=self.now)

    def autopay(self) -> None:
        """Run the job of the day."""
        with self.bench.acme() as context:
            charging.run_autopay(context=context, now=self.now)

    def read_events(self) -> None:
        """Read the account's event list (R2)."""
        pull_all_events(now=self.now)

    def compare_books(self) -> None:
        """Compare with Stripe's books as every night (R3); what differs is only noted."""
        since = self.now - timedelta(days=2)
        reconcile_account(tenant_id=ACME, account_id=self.bench.account, since=since, now=self.now)

    def deliver_effects(self) -> None:
        """Deliver what waits in the outbox and concerns Stripe."""
        with self.bench.acme() as context:
            # The outbox goes by the clock on the wall, which does not move in a history.
            waiting, present = OutboxEvent.objects.exclude(state__in=["done", "dead"]), timezone.now()
            waiting.filter(type__in=AT_STRIPE).update(next_at=present)
            waiting.exclude(type__in=AT_STRIPE).update(next_at=present + timedelta(days=365))
            deliver_outbox(context=context)
