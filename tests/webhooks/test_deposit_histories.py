"""Random stories with deposits among the money: paid, moved to invoices, given back, taken back; the books agree."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from portal.accounts.models import PortalUser
from portal.estimates.errors import NotCancelable, NotConvertible
from portal.estimates.models import Estimate
from portal.estimates.policy import payable_deposit
from portal.payments import errors
from portal.payments.payers import Payer
from portal.payments.services.estimates import cancel_estimate, convert_estimate
from portal.payments.services.submit import Submission, submit_payment
from tests.parallel import in_parallel
from tests.portal.estimates import making
from tests.portal.payments.bench import Bench

from .test_random_histories import CARDS, STEPS, History
from .test_random_walks import PAYERS, SEEDS

METHODS = [*CARDS, "pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds"]


class DepositHistory(History):
    """A story in which customers approve estimates and pay for them in advance."""

    def __init__(self, bench: Bench, seed: int) -> None:
        super().__init__(bench, seed)
        line = making.Line("a1", "A small job", "1", 4_000, 4_000)
        self.only = making.Option("a", "Only", "", False, (line,))
        for _ in range(3):
            self.approve()

    def step(self) -> None:
        """Let something happen, mostly to deposits."""
        mine = [self.pay_deposit, self.pay_deposit, self.two_pay_deposit, self.convert, self.cancel, self.approve]
        if self.random.random() < 0.5:
            self.random.choice(mine)()
        else:
            super().step()

    def approve(self) -> None:
        with self.bench.acme():
            estimate = making.sent(what=making.offer("percent", 2500, 0, self.only))
            making.approve(estimate, making.approval("a", (), 4_000))

    def _any(self) -> Estimate:
        with self.bench.acme():
            return self.random.choice(list(Estimate.objects.order_by("id")))

    def _pay(self, estimate: Estimate, method: str, user: str) -> Any:
        with self.bench.acme() as context:
            seen = payable_deposit(Estimate.objects.get(pk=estimate.pk)) or 1_000
            return submit_payment(
                context=context,
                bill_to_id=estimate.customer_id,
                estimate_id=estimate.pk,
                payer=Payer(portal_user_id=PortalUser.objects.get(email=user).pk),
                submission=Submission(uuid4(), seen, self.bench.token(method)),
                by=making.ALICE,
                now=self.now,
            )

    def pay_deposit(self) -> None:
        try:
            self._pay(self._any(), self.random.choice(METHODS), self.random.choice(PAYERS))
        except errors.PaymentRefused:
            return

    def two_pay_deposit(self) -> None:
        """Two people pay the same deposit at the same moment."""
        estimate, method, payers = self._any(), self.random.choice(METHODS), iter(PAYERS)
        for result in in_parallel(2, lambda: self._pay(estimate, method, next(payers))):
            assert not isinstance(result, Exception) or isinstance(result, errors.PaymentRefused), repr(result)

    def convert(self) -> None:
        estimate, number = self._any(), f"V-{uuid4().hex[:8]}"
        try:
            with self.bench.acme():
                convert_estimate(
                    estimate_id=estimate.pk, number=number, today=making.today(), by=making.OLIVE, now=self.now
                )
        except NotConvertible:
            return

    def cancel(self) -> None:
        if self.random.random() < 0.5:
            return
        estimate = self._any()
        try:
            with self.bench.acme():
                cancel_estimate(estimate_id=estimate.pk, by=making.OLIVE, now=self.now)
        except NotCancelable:
            return


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_becomes_of_deposits_the_books_equal_stripes(live: Bench, seed: int) -> None:
    """F6, F17…F21, PAY-09, PAY-14: more histories with PAYMENT_WALKS=100."""
    history = DepositHistory(live, seed)
    history.run(STEPS)
    history.check()
    with live.acme():
        assert not Estimate.objects.exclude(deposit_reserved_cents=0, deposit_pending_cents=0).exists()
