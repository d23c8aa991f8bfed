"""What payment tests work with: the double, a database with real commits, a payer, and the ledger's truth."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import stripe
from django.utils import timezone

from infra.stripe_client import platform_stripe, tenant_stripe
from infra.stripe_double.server import RunningDouble
from infra.stripe_double.store import PLATFORM
from portal.accounts.client import Client as Browser
from portal.accounts.sessions import cookie_name, start_session
from portal.invoices.models import Invoice
from portal.payments.invariants import find_broken_invariants
from portal.payments.models import Journal, Payment, PaymentAttempt, Refund
from portal.payments.payers import Payer
from portal.payments.plans import PayRules
from portal.payments.services.disputes import look_at_dispute
from portal.payments.services.refunds import RefundLine, RefundOrder, refundable_lines, request_refund
from portal.payments.services.settle import Settled
from portal.payments.services.submit import FULL_ONLY, Submission, submit_payment
from tenants.audit import Actor
from tenants.context import TenantContext, serving
from tenants.models import PaymentAccount
from tenants.outbox import deliver_outbox
from tenants.scope import control_scope
from tests.cast import ACME, GLOBEX
from tests.conftest import HostClient
from webhooks.models import WebhookInbox
from webhooks.services.process import due_events, process_event

CREATE = "^/v1/payment_intents$"
ANY_INTENT = "^/v1/payment_intents"


@dataclass
class Bench:
    """One test's world; `account` is Acme's, `other_account` Globex'."""

    running: RunningDouble
    account: str = ""
    other_account: str = ""
    port: int = 0

    @property
    def base(self) -> str:
        """Return the double's address."""
        return f"http://127.0.0.1:{self.running.double.port}"

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        """Use the double's control plane; `state` is a GET."""
        data = None if action == "state" else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/_double/{action}", data)
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def break_api(self, kind: str, *, path: str = CREATE, method: str = "POST", times: int = 1, **more: Any) -> None:
        """Queue a fault of the API."""
        self.control("faults", api=[{"kind": kind, "path": path, "method": method, "times": times, **more}])

    def heal(self) -> None:
        """Take back every fault that has not happened yet."""
        with self.running.double.lock:
            self.running.double.faults.clear()

    def connect(self) -> None:
        """Give both companies a real account of the double, ready for cards."""
        self.account, self.other_account = self._account("acme"), self._account("globex")
        for tenant_id, account in ((ACME, self.account), (GLOBEX, self.other_account)):
            with control_scope():
                PaymentAccount.objects.filter(tenant_id=tenant_id).update(account_id=account)

    def disconnect(self) -> None:
        """Have Acme's account be one that the company has taken away from us."""
        with control_scope():
            PaymentAccount.objects.filter(tenant_id=ACME).update(disconnected_at=timezone.now())

    def _account(self, name: str) -> str:
        account = platform_stripe().v2.core.accounts.create(
            {
                "contact_email": f"owner@{name}.example",
                "display_name": name,
                "dashboard": "full",
                "identity": {"country": "us"},
                "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
                "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
            }
        )
        from infra.stripe_double.resources.accounts import finish_onboarding

        with self.running.double.lock:
            finish_onboarding(self.running.double, account.id)
        return account.id

    # -- the payer ---------------------------------------------------------------------------------------------
    def token(self, method: str = "pm_card_visa", account: str = "") -> str:
        """Return what the card form hands over."""
        params: Any = {"payment_method": method}
        client = tenant_stripe(account or self.account)
        return str(client.v1.test_helpers.confirmation_tokens.create(params).id)

    def pay(
        self,
        *numbers: str,
        method: str = "pm_card_visa",
        token: str = "",
        form_key: UUID | None = None,
        seen: int | None = None,
        now: datetime | None = None,
        user: str = "alice@example.com",
        part: int | None = None,
        rules: PayRules = FULL_ONLY,
    ) -> Settled:
        """Pay some of Acme's invoices in full, or a part of them, as the view does."""
        with self.acme() as context:
            from portal.accounts.models import PortalUser

            invoices = list(Invoice.objects.filter(number__in=numbers or ("1042",)).order_by("number"))
            due = sum(invoice.balance_cents - invoice.pending_cents - invoice.reserved_cents for invoice in invoices)
            given = Submission(form_key or uuid4(), due if seen is None else seen, token or self.token(method), part)
            return submit_payment(
                context=context,
                bill_to_id=invoices[0].bill_to_id,
                invoice_ids=[invoice.pk for invoice in invoices],
                payer=Payer(portal_user_id=PortalUser.objects.get(email=user).pk),
                submission=given,
                rules=rules,
                by=Actor("customer", None, user),
                now=now or timezone.now(),
            )

    # -- the office --------------------------------------------------------------------------------------------
    def refund(
        self,
        amount: int | None = None,
        *,
        payment: Payment | None = None,
        keeps_paid: bool = False,
        form_key: UUID | None = None,
        now: datetime | None = None,
    ) -> Refund:
        """Refund the one payment, or the given one, from its parts in order; None refunds all that is left."""
        with self.acme() as context:
            chosen = payment or Payment.objects.get()
            lines, left = [], amount
            for line in refundable_lines(chosen):
                part = line.amount_cents if left is None else min(left, line.amount_cents)
                if part > 0:
                    lines.append(RefundLine(line.invoice_id, part, keeps_paid=keeps_paid))
                    left = None if left is None else left - part
            if left:
                lines = [RefundLine(None, amount or 0)]
            return request_refund(
                context=context,
                payment_id=chosen.pk,
                order=RefundOrder(form_key or uuid4(), tuple(lines), "requested_by_customer"),
                by=Actor("staff", None, "Olive Owens"),
                now=now or timezone.now(),
            )

    def dispute(self, payment: Payment | None = None, **more: Any) -> str:
        """Have the payer's bank take the one payment, or the given one, back; return the dispute's id."""
        with self.acme():
            chosen = payment or Payment.objects.get()
        told = self.control("dispute", account=self.account, payment_intent=chosen.stripe_pi_id, **more)
        return str(told["dispute"])

    def look_at_disputes(self) -> None:
        """Look at every dispute Stripe knows of, as the events would ask for."""
        with self.acme() as context:
            for found in tenant_stripe(self.account).v1.disputes.list({"limit": 100}).data[::-1]:
                look_at_dispute(context=context, account_id=self.account, dispute_id=found.id, now=later())

    def refunds(self) -> list[Refund]:
        """Return Acme's refunds as they are now."""
        with self.acme():
            return list(Refund.objects.order_by("id"))

    @contextmanager
    def acme(self) -> Iterator[TenantContext]:
        """Act as Acme."""
        with serving(ACME, timezone.now()) as context:
            yield context

    def browser(self, email: str = "alice@example.com") -> HostClient:
        """Return a signed-in browser on Acme's host."""
        from portal.accounts.models import PortalUser

        with self.acme():
            session = start_session(
                user=PortalUser.objects.get(email=email),
                tenant_id=ACME,
                client=Browser(None, "test", ""),
                now=timezone.now(),
            )
        client = HostClient("acme.portal.localhost")
        client.cookies[cookie_name()] = session.token
        return client

    def as_bank(self, attempt: PaymentAttempt, *, passed: bool) -> None:
        """Answer on the bank's page."""
        from infra.stripe_double.payments import finish_authentication

        double = self.running.double
        with double.lock:
            scope = double.scope(self.account)
            finish_authentication(scope, scope.find("payment_intent", str(attempt.stripe_pi_id)), passed=passed)

    # -- webhooks ----------------------------------------------------------------------------------------------
    def wait_for_events(self, count: int, event_type: str = "") -> None:
        """Wait until so many events of a type stand in the inbox, counted with their repeated deliveries."""
        wait_until(lambda: self._delivered(event_type) >= count, f"{count} x {event_type or 'any event'}")

    def _delivered(self, event_type: str) -> int:
        with control_scope():
            rows = WebhookInbox.objects.filter(**({"type": event_type} if event_type else {}))
            return sum(rows.values_list("deliveries", flat=True))

    def settle_down(self) -> None:
        """Wait until the double has nothing left to deliver."""
        wait_until(lambda: self.control("state")["webhooks"]["queued"] == 0, "everything delivered")

    def inbox(self) -> dict[str, WebhookInbox]:
        """Return the inbox by event id."""
        with control_scope():
            return {row.event_id: row for row in WebhookInbox.objects.order_by("received_at")}

    def work_off(self, *, newest_first: bool = False) -> None:
        """Work off everything that is due, as a worker does."""
        due = due_events(later(minutes=2))
        for inbox_id in reversed(due) if newest_first else due:
            process_event(inbox_id=inbox_id, now=later())

    # -- the truth ---------------------------------------------------------------------------------------------
    def intents(self, account: str = "") -> list[stripe.PaymentIntent]:
        """Return every intent of an account."""
        return list(tenant_stripe(account or self.account).v1.payment_intents.list({"limit": 100}).data)

    def charged(self, account: str = "") -> int:
        """Return what customers really paid, in cents, as Stripe counts it."""
        return sum(intent.amount_received for intent in self.intents(account))

    def requests_to(self, path: str) -> list[dict[str, Any]]:
        """Return the recorded API requests to a path."""
        return [entry for entry in self.control("state")["requests"] if entry["path"] == path]

    def invoice(self, number: str = "1042") -> Invoice:
        """Return one of Acme's invoices as it is now."""
        with self.acme():
            return Invoice.objects.get(number=number)

    def attempt(self, attempt_id: UUID) -> PaymentAttempt:
        """Return an attempt as it is now."""
        with self.acme():
            return PaymentAttempt.objects.get(pk=attempt_id)

    def payments(self) -> list[Payment]:
        """Return Acme's payments."""
        with self.acme():
            return list(Payment.objects.order_by("created_at"))

    def ledger(self) -> list[tuple[Any, ...]]:
        """Return everything about money that must not depend on the way it came about."""
        with self.acme():
            legs = Journal.objects.values_list(
                "kind", "source_type", "source_id", "account", "delta_cents", "invoice__number"
            )
            counters = Invoice.objects.values_list(
                "number", "status", "paid_cents", "pending_cents", "reserved_cents", "balance_cents"
            )
            return [*sorted(map(tuple, legs), key=repr), *sorted(map(tuple, counters))]

    def deliver_mail(self) -> None:
        """Deliver what waits in Acme's outbox."""
        with self.acme() as context:
            deliver_outbox(context=context)

    def check(self) -> None:
        """Prove the ledger: our rules, and that it says what Stripe says (reliability.md 5, oracle O2)."""
        with self.acme():
            # Attempts that a test leaves open on purpose are judged at the present, not at the test's future.
            assert find_broken_invariants(timezone.now()) == []
            paid = {
                p.stripe_pi_id: p.received_cents
                for p in Payment.objects.filter(received_cents__gt=0, attempt__isnull=False)
            }
            known = set(PaymentAttempt.objects.values_list("id", flat=True))
            clearing = dict.fromkeys(paid, 0)
            for leg in Journal.objects.filter(account="stripe_clearing").select_related("payment"):
                assert leg.payment
                clearing[leg.payment.stripe_pi_id] += leg.delta_cents
        truth = {intent.id: intent for intent in self.intents()}
        ours = {pi: i for pi, i in truth.items() if i.metadata and "attempt" in i.metadata.to_dict()}
        for intent in ours.values():
            assert UUID(intent.metadata.to_dict()["attempt"]) in known, "no intent without attempt"
        attempts = [intent.metadata.to_dict()["attempt"] for intent in ours.values()]
        assert len(attempts) == len(set(attempts)), "at most one intent per attempt (PAY-04)"
        assert paid == {pi: i.amount_received for pi, i in ours.items() if pi in paid}
        txns = tenant_stripe(self.account).v1.balance_transactions.list({"limit": 100}).data
        if set(paid) == {pi for pi, intent in truth.items() if intent.amount_received}:
            assert sum(clearing.values()) == sum(txn.net for txn in txns), (
                "the journal equals Stripe's balance (PAY-14)"
            )
        state = self.control("state")
        assert state["violations"] == []
        assert not state["accounts"].get(PLATFORM, {}).get("payment_intent"), "nothing on the platform itself"


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Poll until something holds, or fail by name."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def later(**delta: float) -> datetime:
    """Return a moment from now on."""
    return timezone.now() + timedelta(**delta)
