"""Stolen cards are not tried here: declines are counted by payer, customer, address and company (PAY-19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from infra.ids import uuid7
from portal.accounts.models import PortalUser
from portal.customers.models import Customer
from portal.invoices.models import Invoice
from portal.payments import errors
from portal.payments.models import PaymentAttempt, PaymentMethod
from portal.payments.payers import Payer
from portal.payments.services.card_testing import FOR_COMPANY, FOR_ONE, WINDOW, refuse_card_testing
from portal.payments.services.submit import Submission, submit_payment
from tenants.audit import Actor, record
from tests.cast import GLOBEX
from tests.conftest import HostClient
from tests.parallel import in_parallel
from tests.portal.sharing.making import make_link

from .bench import Bench
from .test_pages import form_of

HERE, THERE = "203.0.113.9", "203.0.113.10"
LINK = Payer(share_link_id=uuid4(), browser_hash=b"b" * 32)


@pytest.fixture
def now() -> datetime:
    """The moment at which somebody presses the button."""
    return timezone.now()


def decline(
    count: int,
    at: datetime,
    *,
    customer: str = "C-1002",
    payer: Payer | None = None,
    ip: str = THERE,
    code: str = "card_declined",
    mandate: bool = False,
) -> None:
    """Write down declines as they happen; in an open scope. Unless told, they are nobody's whom a test asks about."""
    owner = Customer.objects.get(number=customer)
    for _ in range(count):
        attempt = PaymentAttempt(
            id=uuid7(),
            bill_to=owner,
            form_key=uuid7(),
            plan=[],
            plan_hash="x",
            request_hash="x",
            amount_cents=100,
            currency="USD",
            state="failed",
            failure_code=code,
            created_at=at,
            submitted_at=at,
            expires_at=at,
            closed_at=at,
        )
        nobody = Payer(mandate_id=uuid7()) if mandate else Payer(share_link_id=uuid4(), browser_hash=b"x" * 32)
        (payer or nobody).sign(attempt)
        attempt.save(force_insert=True)
        record("payment.submitted", by=Actor("visitor", None, "", ip), now=at, target=attempt)


def is_refused(payer: Payer, now: datetime, *, customer: str = "C-1001", ip: str | None = HERE) -> bool:
    """Whether the next card of this payer is not tried."""
    from django.db import transaction

    try:
        with transaction.atomic():
            owner = Customer.objects.get(number=customer)
            refuse_card_testing(payer=payer, bill_to_id=owner.pk, ip=ip, now=now)
    except errors.TooManyDeclines:
        return True
    return False


def alice() -> Payer:
    """Alice, signed in."""
    return Payer(portal_user_id=PortalUser.objects.get(email="alice@example.com").pk)


@pytest.mark.parametrize("what", ["customer", "payer", "link", "address"])
def test_five_declines_are_borne_and_six_are_too_many(acme: object, now: datetime, what: str) -> None:
    """PAY-19, at the border, for each of the counters."""
    payer = LINK if what == "link" else alice()
    about = {
        "customer": {"customer": "C-1001"},
        "payer": {"payer": payer},
        "link": {"payer": Payer(share_link_id=LINK.share_link_id, browser_hash=b"c" * 32)},
        "address": {"ip": HERE},
    }[what]
    decline(FOR_ONE, now - timedelta(minutes=1), **about)  # type: ignore[arg-type]
    assert not is_refused(payer, now)
    decline(1, now - timedelta(minutes=1), **about)  # type: ignore[arg-type]
    assert is_refused(payer, now)


def test_after_ten_minutes_it_is_forgotten(acme: object, now: datetime) -> None:
    """PAY-19, at the border of time."""
    decline(FOR_ONE + 1, now, customer="C-1001")
    assert is_refused(alice(), now + WINDOW - timedelta(milliseconds=1))
    assert not is_refused(alice(), now + WINDOW)


def test_declines_of_others_are_not_mine(acme: object, now: datetime) -> None:
    decline(20, now)
    assert not is_refused(alice(), now)
    assert not is_refused(LINK, now)
    assert not is_refused(alice(), now, ip=None)


def test_what_was_not_the_cards_fault_and_what_autopay_tried_is_not_counted(acme: object, now: datetime) -> None:
    decline(20, now, customer="C-1001", code="not_now")
    decline(20, now, customer="C-1001", mandate=True)
    assert not is_refused(alice(), now)


@pytest.mark.parametrize("what", ["customer", "payer", "address"])
def test_cards_that_were_not_kept_count_like_cards_that_did_not_pay(acme: object, now: datetime, what: str) -> None:
    """PAY-19: for each of the counters, three of each kind are six."""
    payer = alice()
    about = {"customer": {"customer": "C-1001"}, "payer": {"payer": payer}, "address": {"ip": HERE}}[what]
    decline(3, now, **about)  # type: ignore[arg-type]
    refuse_to_keep(2, now, **about)  # type: ignore[arg-type]
    assert not is_refused(payer, now)
    refuse_to_keep(1, now, **about)  # type: ignore[arg-type]
    assert is_refused(payer, now)
    assert not is_refused(payer, now + WINDOW)


def test_what_is_being_kept_from_one_address_counts_before_its_answer(acme: object, now: datetime) -> None:
    """PAY-19: a burst is counted like a row."""
    refuse_to_keep(FOR_ONE + 1, now, ip=HERE, state="adding")
    assert is_refused(alice(), now)


def refuse_to_keep(
    count: int,
    at: datetime,
    *,
    customer: str = "C-1002",
    payer: Payer | None = None,
    ip: str = THERE,
    state: str = "failed",
) -> None:
    """Write down cards that the bank did not let be kept, as they happen; in an open scope."""
    for _ in range(count):
        row = PaymentMethod.objects.create(
            bill_to=Customer.objects.get(number=customer),
            added_by_id=payer.portal_user_id if payer else None,
            form_key=uuid7(),
            state=state,
            failure_code="card_declined" if state == "failed" else "",
            created_at=at,
            ended_at=at if state == "failed" else None,
        )
        record("payment_method.submitted", by=Actor("customer", None, "", ip), now=at, target=row)


def test_above_thirty_in_a_company_a_link_is_not_enough(acme: object, now: datetime) -> None:
    """PAY-19: whoever has signed in goes on paying."""
    decline(FOR_COMPANY, now)
    assert not is_refused(LINK, now)
    decline(1, now)
    with pytest.raises(errors.SignInNeeded):
        is_refused(LINK, now)
    assert not is_refused(alice(), now)
    assert not is_refused(LINK, now + WINDOW)


def test_another_companys_declines_are_not_counted(acme: object, now: datetime) -> None:
    """ISO-40: the counters live in the company's own schema."""
    from tenants.scope import tenant_scope

    with tenant_scope(GLOBEX, "t_610be8000000000000000002"):
        decline(FOR_COMPANY + 1, now, customer="C-1001", ip=HERE)
    assert not is_refused(LINK, now)


def submit(bench: Bench, payer: Payer, number: str, method: str, ip: str = HERE) -> PaymentAttempt:
    """Pay one invoice as a view does."""
    with bench.acme() as context:
        invoice = Invoice.objects.get(number=number)
        due = invoice.balance_cents - invoice.pending_cents - invoice.reserved_cents
        return submit_payment(
            context=context,
            bill_to_id=invoice.bill_to_id,
            invoice_ids=[invoice.pk],
            payer=payer,
            submission=Submission(uuid4(), due, bench.token(method), name="A", email="a@example.com"),
            by=Actor("visitor", None, "", ip),
            now=timezone.now(),
        ).attempt


def test_a_row_of_declined_cards_ends_with_a_clear_sentence(bench: Bench) -> None:
    with bench.acme():
        payer = alice()
    for _ in range(FOR_ONE + 1):
        assert submit(bench, payer, "1042", "pm_card_chargeDeclined").state == "failed"
    before = len(bench.intents())
    token = bench.token()
    browser = bench.browser()
    page = browser.get(f"/pay/{bench.invoice().pk}").content.decode()
    assert "Pay $412.50" in page
    form = {"form_key": str(uuid4()), "seen_cents": "41250", "token": token}
    answer = browser.post(f"/pay/{bench.invoice().pk}", form)
    assert answer.status_code == 409
    assert "Too many cards were declined" in answer.content.decode()
    assert "Try again in ten minutes, or call us." in answer.content.decode()
    assert len(bench.intents()) == before
    assert bench.invoice().reserved_cents == 0


def test_a_burst_from_one_address_is_counted_like_a_row(bench: Bench) -> None:
    """PAY-19: side by side they would not see one another's declines."""
    with bench.acme():
        base = Invoice.objects.get(number="1043")
        for number in range(12):
            owner = Customer.objects.create(
                number=f"C-2{number:03}",
                name=f"Target {number}",
                created_at=base.created_at,
                updated_at=base.updated_at,
            )
            base.pk, base.number, base.external_id, base.bill_to = uuid7(), f"9{number:03}", f"INV-9{number:03}", owner
            base._state.adding = True
            base.short_code = None
            base.save()
    numbers = iter([f"9{number:03}" for number in range(12)])

    def one() -> PaymentAttempt:
        number = next(numbers)
        payer = Payer(share_link_id=uuid4(), browser_hash=uuid4().bytes)
        return submit(bench, payer, number, "pm_card_chargeDeclined")

    answers = in_parallel(12, one)
    tried = [answer for answer in answers if isinstance(answer, PaymentAttempt)]
    refused = [answer for answer in answers if isinstance(answer, errors.TooManyDeclines)]
    assert len(tried) + len(refused) == 12, answers
    assert len(tried) <= FOR_ONE + 1


def test_a_link_asks_for_a_sign_in_while_somebody_tries_cards(bench: Bench) -> None:
    """PAY-19, SHARE-09: page and form say the same; in the portal everything goes on."""
    made = make_link()
    browser = HostClient("acme.portal.localhost")
    url = browser.get(f"/s/{made.token}/pay")["Location"]
    form = form_of(browser.get(url).content.decode())
    with bench.acme():
        decline(FOR_COMPANY + 1, timezone.now())
    page = browser.get(url).content.decode()
    assert "Please sign in to pay" in page
    assert "payment-element" not in page
    assert f'href="/sign-in?next=/pay/{bench.invoice().pk}"' in page
    who = {"name": "Pat Payer", "email": "pat@example.net", "token": bench.token()}
    answer = browser.post(url, {**form, **who})
    assert answer.status_code == 409
    assert "only people who have signed in can pay right now" in answer.content.decode()
    assert bench.intents() == []
    assert "Pay $412.50" in bench.browser().get(f"/pay/{bench.invoice().pk}").content.decode()
