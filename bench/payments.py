"""How fast Stripe's webhooks are taken in and become payments: real web, worker and double, one company."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench.deliveries import deliver, told_again
from bench.place import server_version, temporary_place
from bench.programs import Programs, programs_with_stripe, wait_for
from bench.quiet import tell
from bench.report import AtLeast, AtMost, Measured, Row

ABOUT = (
    "Customers of one company pay by card at the Stripe double, and every answer to us is lost: only webhooks tell."
    " The web takes them in while the worker is away, so that all of them lie there as a backlog; then the worker"
    " starts and posts them, and meanwhile others arrive, whose way from the delivery to the invoice shown as paid is"
    " timed. At last the same payments are told again under new event ids while the worker works: 50 a second, each at"
    " its own moment whether or not those before it have been answered (open loop, timed from that moment), and as fast"
    " as four connections can (closed loop). Web, worker, double, server and this benchmark share the machine."
)
SCHEMA = "t_ac3e00000000000000000001"
PAYERS = 4
PACE = 50
ARRIVING = 40
BETWEEN = 0.25


def run(*, size: int = 1_000, careless: bool = False, **_: object) -> Measured:
    """Measure with a backlog of `size` webhooks."""
    with programs_with_stripe() as programs, temporary_place(durable=not careless) as server:
        from tests.cast import make_cast

        make_cast()
        programs.start("stripe")
        wait_for(lambda: _double_answers(programs))
        account = connect_acme(programs)
        programs.start("web")
        wait_for(programs.is_ready)
        tell(f"{size} payments are made, whose answers are lost")
        invoices = make_invoices(size + 2 * ARRIVING)
        pay_all(programs, invoices[:size])
        with psycopg.connect(server.url(dbname="porchlight"), autocommit=True) as watcher:
            wait_for(lambda: _waiting(watcher) >= size)
            tell("measuring begins")
            samples, rows = measure(programs, watcher, invoices, size, account)
        return Measured(rows, server_version(server), samples, durable=not careless)


def measure(
    programs: Programs, watcher: psycopg.Connection[Any], invoices: list[UUID], size: int, account: str
) -> tuple[dict[str, list[float]], list[Row]]:
    """Work the backlog off while others arrive, let some arrive alone, then tell everything again."""
    programs.start("worker")
    wait_for(lambda: _posted(watcher))
    began, posted_before = perf_counter(), _posted(watcher)
    behind = Arrivals(programs, watcher, invoices[size : size + ARRIVING])
    behind.start()
    wait_for(lambda: _posted(watcher) >= size, pause=0.05)
    posting = (size - posted_before) / (perf_counter() - began)
    behind.join()
    wait_for(lambda: not _waiting(watcher))
    alone = Arrivals(programs, watcher, invoices[size + ARRIVING :])
    alone.start()
    alone.join()
    paced = deliver(programs, told_again(watcher, account, size), pace=PACE)
    wait_for(lambda: not _waiting(watcher))
    again = told_again(watcher, account, size)
    began = perf_counter()
    at_once = deliver(programs, again, pace=None)
    taken_in = len(at_once) / (perf_counter() - began)
    samples = {"behind the backlog": behind.took, "alone": alone.took, "to 200, paced": paced, "to 200": at_once}
    return samples, [
        Row("webhooks taken in, four connections", "webhooks/s", taken_in, target=AtLeast(50)),
        Row(f"webhook to its 200, {PACE} arriving a second, median", "ms", _share(paced, 50)),
        Row(
            f"webhook to its 200, {PACE} arriving a second, 99th percentile", "ms", _share(paced, 99), target=AtMost(50)
        ),
        Row("webhook to its 200, four connections at once, 99th percentile", "ms", _share(at_once, 99)),
        Row(f"payments posted from a backlog of {size}", "payments/s", posting, target=AtLeast(20)),
        Row("webhook to a paid invoice, nothing else to do, 99th percentile", "ms", _share(alone.took, 99)),
        Row(f"webhook to a paid invoice behind {size}, median", "ms", _share(behind.took, 50)),
        Row(
            f"webhook to a paid invoice behind {size}, 99th percentile",
            "ms",
            _share(behind.took, 99),
            target=AtMost(10_000),
        ),
    ]


class Arrivals(threading.Thread):
    """Customers who pay one after the other; `took` says how long each waited from paying to a paid invoice."""

    def __init__(self, programs: Programs, watcher: psycopg.Connection[Any], invoices: list[UUID]) -> None:
        super().__init__()
        self.programs, self.watcher, self.invoices = programs, watcher, invoices
        self.took: list[float] = []

    def run(self) -> None:
        """Pay, wait a little, pay; then wait for all of them."""
        paid_at: dict[UUID, float] = {}
        for invoice in self.invoices:
            pay_all(self.programs, [invoice])
            paid_at[invoice] = perf_counter()
            self._look(paid_at)
            time.sleep(BETWEEN)
        wait_for(lambda: self._look(paid_at))

    def _look(self, paid_at: dict[UUID, float]) -> bool:
        """Note who has been served meanwhile; says whether everybody has."""
        asked = f"SELECT id FROM {SCHEMA}.invoices_invoice WHERE status = 'paid' AND id = ANY(%s)"
        for (invoice,) in self.watcher.execute(asked, [list(paid_at)]).fetchall():
            self.took.append(perf_counter() - paid_at.pop(invoice))
        return not paid_at


def _share(seconds: list[float], percent: int) -> float:
    """Return a percentile in milliseconds."""
    return quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


def connect_acme(programs: Programs) -> str:
    """Give Acme an account of the double that may take cards; returns its id."""
    from infra.stripe_client import platform_stripe
    from tenants.models import PaymentAccount
    from tenants.scope import control_scope
    from tests.cast import ACME

    client = platform_stripe()
    account = client.v2.core.accounts.create(
        {
            "display_name": "Acme",
            "dashboard": "full",
            "identity": {"country": "us"},
            "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
            "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
        }
    )
    page: Any = {"refresh_url": "http://x.example/", "return_url": "http://x.example/"}
    use_case: Any = {"type": "account_onboarding", "account_onboarding": page}
    link = client.v2.core.account_links.create({"account": account.id, "use_case": use_case})
    connection = http.client.HTTPConnection("127.0.0.1", programs.double_port, timeout=10)
    connection.request("POST", "/" + link.url.split("/", 3)[3])
    connection.getresponse().read()
    connection.close()
    with control_scope():
        PaymentAccount.objects.filter(tenant_id=ACME).update(account_id=account.id)
    return account.id


def make_invoices(count: int) -> list[UUID]:
    """Give Acme so many open invoices, of as many customers."""
    from django.utils import timezone

    from portal.customers.models import Customer
    from portal.invoices.models import Invoice
    from tenants.context import serving
    from tests.cast import ACME

    now = timezone.now()
    with serving(ACME, now):
        alice = Customer.objects.get(number="C-1001")
        fields = {field.attname: getattr(alice, field.attname) for field in Customer._meta.concrete_fields}
        own = ({"id": uuid4(), "number": f"B-{number}", "external_id": f"B-{number}"} for number in range(count))
        customers = [Customer(**(fields | each)) for each in own]
        Customer.objects.bulk_create(customers)
        made = Invoice.objects.bulk_create(
            Invoice(
                number=f"B-{number}",
                bill_to=customer,
                status="open",
                issued_on=now.date(),
                due_on=now.date(),
                currency="USD",
                subtotal_cents=10_000,
                total_cents=10_000,
                created_at=now,
                updated_at=now,
            )
            for number, customer in enumerate(customers)
        )
        return [invoice.pk for invoice in made]


def pay_all(programs: Programs, invoices: list[UUID]) -> None:
    """Pay each invoice by card so that Stripe has the money and we do not know it."""
    import stripe

    # The answers are lost on purpose; waiting longer for the next one measures nothing.
    stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0
    tries = 3 * len(invoices)
    lost = {"kind": "timeout_after", "path": "^/v1/payment_intents$", "method": "POST", "times": tries, "seconds": 0}
    programs.control("faults", api=[lost])
    with ThreadPoolExecutor(min(PAYERS, len(invoices))) as pool:
        list(pool.map(_pay, invoices))


def _pay(invoice_id: UUID) -> None:
    from django.db import connections
    from django.utils import timezone

    from infra.stripe_client import tenant_stripe
    from portal.accounts.models import PortalUser
    from portal.invoices.models import Invoice
    from portal.payments.payers import Payer
    from portal.payments.services.submit import Submission, submit_payment
    from tenants.audit import SYSTEM
    from tenants.context import serving
    from tests.cast import ACME

    now = timezone.now()
    try:
        with serving(ACME, now) as context:
            assert context.tenant.payment_account
            method: Any = {"payment_method": "pm_card_visa"}
            client = tenant_stripe(context.tenant.payment_account.account_id)
            token = str(client.v1.test_helpers.confirmation_tokens.create(method).id)
            invoice = Invoice.objects.get(pk=invoice_id)
            submit_payment(
                context=context,
                bill_to_id=invoice.bill_to_id,
                invoice_ids=[invoice.pk],
                payer=Payer(portal_user_id=PortalUser.objects.values_list("pk", flat=True)[0]),
                submission=Submission(uuid4(), invoice.balance_cents, token),
                by=SYSTEM,
                now=now,
            )
    finally:
        connections.close_all()


def _waiting(watcher: psycopg.Connection[Any]) -> int:
    return _count(watcher, "SELECT count(*) FROM webhooks_webhookinbox WHERE state = 'received'")


def _posted(watcher: psycopg.Connection[Any]) -> int:
    return _count(watcher, f"SELECT count(*) FROM {SCHEMA}.payments_payment WHERE status = 'succeeded'")


def _count(watcher: psycopg.Connection[Any], statement: str) -> int:
    row = watcher.execute(statement.encode()).fetchone()
    assert row
    return int(row[0])


def _double_answers(programs: Programs) -> bool:
    try:
        return bool(programs.control("state"))
    except OSError:
        return False
