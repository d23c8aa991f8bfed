"""Paying with what is on file, and putting on file what was paid with (PAY-03, PAY-10, PAY-20)."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from portal.accounts.models import PortalSession, PortalUser
from portal.payments import errors
from portal.payments.models import PaymentAttempt, PaymentMethod
from portal.payments.payers import Payer
from portal.payments.plans import PayRules
from portal.payments.services.settle import Settled
from portal.payments.services.submit import Submission, submit_payment
from tenants.audit import Actor
from tests.parallel import in_parallel
from tests.portal.payments.bench import Bench, later

from .keeping import at_stripe, choose, keep, methods

State = PaymentAttempt.State
BOTH = PayRules(methods=("card", "ach"), lets_save=True)


def pay_with(
    bench: Bench,
    method_id: UUID | None,
    *,
    token: str = "",
    saves: bool = False,
    form_key: UUID | None = None,
    payer: Payer | None = None,
    rules: PayRules = BOTH,
) -> Settled:
    """Pay invoice 1042 with a method on file, or by a token that is to be kept."""
    with bench.acme() as context:
        user = PortalUser.objects.get(email="alice@example.com")
        invoice = bench.invoice()
        return submit_payment(
            context=context,
            bill_to_id=invoice.bill_to_id,
            invoice_ids=[invoice.pk],
            payer=payer or Payer(portal_user_id=user.pk),
            submission=Submission(
                form_key or uuid4(), invoice.balance_cents, token, method_id=method_id, saves=saves, user_agent="test"
            ),
            rules=rules,
            by=Actor("customer", user.pk, "Alice Archer", "203.0.113.9"),
            now=later(),
        )


def test_a_card_on_file_pays(bench: Bench) -> None:
    """PAY-03: no form, no token; the receipt says with what."""
    row = keep(bench).row
    attempt = pay_with(bench, row.pk).attempt
    assert (attempt.state, attempt.method_id) == (State.SUCCEEDED, row.pk)
    assert bench.charged() == 41250
    (payment,) = bench.payments()
    assert payment.method == {"kind": "card", "brand": "visa", "last4": "4242"}


def test_eight_taps_with_a_card_on_file_are_one_payment(bench: Bench) -> None:
    """F5, PAY-04."""
    row, form_key = keep(bench).row, uuid4()
    in_parallel(8, lambda: pay_with(bench, row.pk, form_key=form_key))
    assert bench.charged() == 41250
    assert len(bench.intents()) == 1


@pytest.mark.parametrize("kind", ["timeout_after", "500_after", "500_saved"])
def test_a_lost_answer_with_a_card_on_file_is_found(bench: Bench, kind: str) -> None:
    """F1, F3, F4: the stored request names the method, so it can be repeated to the letter."""
    from portal.payments.services.settle import resume_attempts

    row = keep(bench).row
    bench.break_api(kind, times=3, seconds=0.01)
    assert pay_with(bench, row.pk).attempt.state == State.UNKNOWN
    with bench.acme() as context:
        resume_attempts(context=context, now=later(minutes=2))
    assert bench.invoice().status == "paid"
    assert bench.charged() == 41250


def test_a_card_of_somebody_else_pays_nothing(bench: Bench) -> None:
    """PAY-20: refused before Stripe is asked; nothing is reserved."""
    bobs = keep(bench, user="bob@example.com").row
    with pytest.raises(errors.MethodGone):
        pay_with(bench, bobs.pk)
    assert (bench.charged(), bench.invoice().reserved_cents) == (0, 0)


def test_a_removed_card_pays_nothing(bench: Bench) -> None:
    from portal.methods.services.changing import remove_method

    row = keep(bench).row
    with bench.acme():
        remove_method(customer_id=row.bill_to_id, method_id=row.pk, by=Actor("customer"), now=later())
    with pytest.raises(errors.MethodGone):
        pay_with(bench, row.pk)


def test_a_link_alone_opens_nothing_that_is_on_file(bench: Bench) -> None:
    """PAY-20: whoever pays without signing in types a card."""
    row = keep(bench).row
    with pytest.raises(errors.MethodGone):
        pay_with(bench, row.pk, payer=Payer(share_link_id=uuid4(), browser_hash=b"x" * 32))
    assert bench.charged() == 0


def test_a_company_that_takes_no_bank_debits_takes_none_on_file_either(bench: Bench) -> None:
    """PAY-04: the setting counts, not what the browser sends."""
    row = keep(bench, "pm_usBankAccount_success").row
    with pytest.raises(errors.MethodGone):
        pay_with(bench, row.pk, rules=replace(BOTH, methods=("card",)))
    declined = pay_with(
        bench, None, token=bench.token("pm_usBankAccount_success"), rules=replace(BOTH, methods=("card",))
    )
    assert declined.attempt.state == State.FAILED
    assert bench.charged() == 0


def test_what_was_paid_with_is_kept_when_its_payer_asks(bench: Bench) -> None:
    """CARD-01."""
    assert pay_with(bench, None, token=bench.token(), saves=True).attempt.state == State.SUCCEEDED
    for _ in range(2):
        bench.deliver_mail()
    (row,) = methods(bench)
    assert (row.state, row.last4, row.is_default) == (PaymentMethod.State.ACTIVE, "4242", True)
    assert row.added_by_id is not None


def test_what_was_paid_with_is_not_kept_otherwise(bench: Bench) -> None:
    pay_with(bench, None, token=bench.token())
    bench.deliver_mail()
    assert methods(bench) == []
    assert at_stripe(bench) == []


@pytest.mark.parametrize("off", [{"cards__allow_add": False}, {"sections__payment_methods": "hide"}])
def test_where_nothing_may_be_kept_the_page_does_not_ask(bench: Bench, off: dict[str, object]) -> None:
    """CARD-08, CARD-09: and a forged box keeps nothing."""
    choose(bench, **off)
    browser = bench.browser()
    url = f"/pay/{bench.invoice().pk}"
    html = browser.get(url).content.decode()
    assert 'name="save"' not in html
    key = re.findall(r'name="form_key" value="([^"]+)"', html)[0]
    browser.post(url, {"form_key": key, "seen_cents": 41250, "token": bench.token(), "save": "1"})
    bench.deliver_mail()
    assert bench.charged() == 41250
    assert at_stripe(bench) == []


def test_the_pay_page_offers_what_is_on_file_first(bench: Bench) -> None:
    """PAY-10: the default is chosen; an expired card is not offered; nobody else's is."""
    keep(bench)
    keep(bench, "pm_card_mastercard")
    expired = keep(bench, "pm_card_amex").row
    keep(bench, "pm_card_visa_debit", user="bob@example.com")
    with bench.acme():
        PaymentMethod.objects.filter(pk=expired.pk).update(exp_year=2020)
    html = bench.browser().get(f"/pay/{bench.invoice().pk}").content.decode()
    offered = re.findall(r'name="method" value="[^"]*"( checked)?>.*?<span>([^<]+)</span>', html)
    assert offered == [
        (" checked", "Visa ending 4242"),
        ("", "Mastercard ending 4444"),
        ("", "Another card or bank account"),
    ]


def test_a_form_without_script_pays_with_a_card_on_file(bench: Bench) -> None:
    row = keep(bench).row
    browser = bench.browser()
    url = f"/pay/{bench.invoice().pk}"
    html = browser.get(url).content.decode()
    key = re.findall(r'name="form_key" value="([^"]+)"', html)[0]
    answer = browser.post(url, {"form_key": key, "seen_cents": 41250, "method": str(row.pk)})
    assert answer.status_code == 303
    assert "Paid $412.50" in browser.get(answer["Location"]).content.decode()


def test_keeping_what_is_paid_with_needs_a_fresh_sign_in(bench: Bench) -> None:
    """AUN-29: paying does not, so the page pays without keeping; a box of an older page is refused before Stripe."""
    browser = bench.browser()
    address = f"/pay/{bench.invoice().pk}"
    assert 'name="save"' in browser.get(address).content.decode()
    with bench.acme():
        PortalSession.objects.update(proved_at=later(minutes=-15))
    html = browser.get(address).content.decode()
    assert 'name="save"' not in html
    assert f'href="/sign-in/proof?next={quote(address, safe="")}"' in html
    form = {"form_key": str(uuid4()), "seen_cents": "41250", "token": bench.token()}
    refused = browser.post(address, {**form, "save": "1"})
    assert refused.status_code == 409
    assert "First show that it’s you" in refused.content.decode()
    assert bench.intents() == []
    assert browser.post(address, form).status_code == 303
    assert bench.charged() == 41250
    assert methods(bench) == []
