"""One company, its Stripe account and everybody who moves money there; a clock that only moves when told to."""

from __future__ import annotations

import copy
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import stripe
from django.core import mail
from django.utils import timezone

from infra.stripe_double.double import Call, Scope
from infra.stripe_double.errors import Json, public
from infra.stripe_double.resources.confirmation_tokens import create_in_test
from infra.stripe_double.settlement import advance_clock
from infra.stripe_double.webhooks import STALE_SECONDS, signature_header
from portal.accounts.models import PortalUser
from portal.autopay.errors import AutopayRefused
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.methods.errors import MethodRefused
from portal.payments.errors import PaymentRefused
from portal.payments.intents import AnswerUnknown
from portal.payments.payers import Payer
from portal.payments.plans import PayRules
from tenants.config import snapshot as remembered
from tests.conftest import HostClient
from tests.portal.payments.bench import Bench
from tests.portal.payments.fixtures import CONNECT_SECRET
from tests.portal.sharing.making import make_link
from webhooks.events import is_handled

from .boundaries import Boundaries, Moment
from .database import Snapshot

Damage = Literal["tamper", "stale", "secret"]
SCHEMA = "t_ac3e00000000000000000001"
HOST = "portal.localhost"
# What is due on each of Alice's invoices when a history begins.
AMOUNTS = (1_000, 1_007, 1_500, 2_050, 5_000)
RULES = PayRules("any", 500, several=True, lets_save=True)
REFUSED = (PaymentRefused, AutopayRefused, MethodRefused, AnswerUnknown, stripe.StripeError)
# Holding every message to Stripe's document takes a third of the time: of a campaign's histories some are held to it.
HELD_EVERY = 10
# Stripe keeps events for thirty days, and a company reads them every hour: no history is longer.
LONGEST = timedelta(days=20)


class Swallowed(logging.Handler):
    """Keeps the errors that were logged and not raised: a sweep goes on, the one who tests it must know."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is a fault of ours, not of the network."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, (AnswerUnknown, stripe.StripeError)):
            return
        if error is not None or record.levelno >= logging.CRITICAL:
            self.found.append(f"{record.getMessage()}: {error!r}")


class World:
    """Everything one history works with; `begin` makes it new."""

    def __init__(self, bench: Bench, boundaries: Boundaries) -> None:
        self.bench, self.boundaries = bench, boundaries
        self.double = bench.running.double
        self.client = HostClient(HOST)
        self.swallowed = Swallowed()
        logging.getLogger("porchlight").addHandler(self.swallowed)
        self.tally: Counter[str] = Counter()
        self.witness, self.held_every, self.begun = self.double.witness, 1, 0
        self._furnish()
        self.snapshot = Snapshot(SCHEMA)
        with self.double.lock:
            self.books = copy.deepcopy(self.double.store.books)

    def _furnish(self) -> None:
        """Give Alice some invoices, and one of them a link that is passed on."""
        with self.bench.acme():
            alice = Customer.objects.get(number="C-1001")
            Invoice.objects.filter(bill_to=alice).exclude(status="paid").update(status="void", voided_at=timezone.now())
            today = timezone.localdate()
            rows = [
                Invoice(
                    number=f"W-{index}",
                    bill_to=alice,
                    status="open",
                    issued_on=today,
                    due_on=today,
                    currency="USD",
                    subtotal_cents=amount,
                    total_cents=amount,
                    created_at=timezone.now(),
                    updated_at=timezone.now(),
                )
                for index, amount in enumerate(AMOUNTS)
            ]
            self.invoices = [row.pk for row in Invoice.objects.bulk_create(rows)]
            self.customer = alice.pk
            users = dict(PortalUser.objects.values_list("email", "pk"))
        link = make_link("W-0")
        self.payers = {
            "alice": Payer(portal_user_id=users["alice@example.com"]),
            "bob": Payer(portal_user_id=users["bob@example.com"]),
            "link": Payer(share_link_id=link.row.pk, browser_hash=b"one browser".ljust(32, b".")),
        }

    def close(self) -> None:
        """Leave everything as it was found."""
        logging.getLogger("porchlight").removeHandler(self.swallowed)
        self.double.witness = self.witness
        self.snapshot.restore()
        self.snapshot.close()

    # -- one history -------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Forget the history before."""
        self.begun += 1
        self.snapshot.restore()
        remembered._snapshots.clear()
        mail.outbox.clear()
        self.swallowed.found.clear()
        with self.double.lock:
            self.double.reset()
            self.double.witness = None if self.begun % self.held_every else self.witness
            self.double.store.books = copy.deepcopy(self.books)
            # The same story has the same ids, so that one that has failed fails again.
            self.double.store._random = random.Random(1)
        self.start = self.now = timezone.now()
        self.last_form: Any = None

    def act(self, deed: Callable[[], object], moment: Moment | None = None) -> None:
        """Let somebody do something, with what happens at a moment of it; a refusal is an answer like another."""
        with self.boundaries.watching(moment):
            try:
                deed()
            except REFUSED as error:
                self.tally[f"refused: {type(error).__name__}"] += 1

    def wait(self, seconds: int) -> None:
        """Let time pass for us and for Stripe; debits clear, refunds end, banks take back."""
        if self.now + timedelta(seconds=seconds) - self.start > LONGEST:
            return
        self.now += timedelta(seconds=seconds)
        with self.double.lock:
            advance_clock(self.double, seconds)

    # -- Stripe's side -----------------------------------------------------------------------------------------
    def scope(self) -> Scope:
        """Return Acme's account as the double keeps it; the caller holds the lock."""
        return self.double.scope(self.bench.account)

    def at_stripe(self, kind: str) -> list[Json]:
        """Return the account's objects of a kind, oldest first."""
        with self.double.lock:
            return list(self.scope().book.kind(kind).values())

    def token(self, method: str) -> str:
        """Return what a browser gets from Stripe's form; our server is not asked."""
        with self.double.lock:
            call = Call(self.double, self.bench.account, params={"payment_method": method})
            return str(create_in_test(call)["id"])

    def events(self) -> list[Json]:
        """Return what Stripe has to tell us so far."""
        return [event for event in self.at_stripe("event") if is_handled(event["type"])]

    def deliver(self, event: Json, damage: Damage | None = None) -> None:
        """Post an event to the product's address, as it is or damaged on the way (F12)."""
        body = json.dumps(public(event))
        signed_at = int(time.time()) - (STALE_SECONDS if damage == "stale" else 0)
        header = signature_header(body, "whsec_other" if damage == "secret" else CONNECT_SECRET, signed_at)
        if damage == "tamper":
            body = body.replace('"livemode": false', '"livemode": true')
        answer = self.client.post(
            "/webhooks/stripe/connect/",
            body,
            content_type="application/json",
            headers={"host": HOST, "stripe-signature": header},
        )
        assert answer.status_code == (400 if damage else 200), (event["type"], damage, answer.status_code)
