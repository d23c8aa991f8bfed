"""Why a payment was refused before Stripe was asked; views turn each into words."""

from __future__ import annotations

from datetime import datetime


class PaymentRefused(Exception):
    """The payment was not started; nothing was charged, nothing is reserved."""


class PaymentsOff(PaymentRefused):
    """The company cannot take cards at the moment (PLT-18, F22)."""


class StripeIsAway(PaymentRefused):
    """Stripe does not answer at the moment; nobody is asked to wait for it (F23)."""


class NotPayable(PaymentRefused):
    """The invoice is void, a draft, or has nothing left to pay."""


class AmountChanged(PaymentRefused):
    """The amount on the payer's page is no longer what is due (PAY-03)."""

    def __init__(self, payable_cents: int) -> None:
        super().__init__(f"now {payable_cents}")
        self.payable_cents = payable_cents


class SomebodyIsPaying(PaymentRefused):
    """Another attempt holds the money of this invoice (F6)."""

    def __init__(self, started_at: datetime) -> None:
        super().__init__(f"since {started_at.isoformat()}")
        self.started_at = started_at


class ProofNeeded(PaymentRefused):
    """What is paid with is to be kept, and the payer's last sign-in is too old for that (AUN-29)."""


class AmountOutOfRange(PaymentRefused):
    """Stripe takes no such amount: below its minimum or above its maximum."""


class PartNotAllowed(PaymentRefused):
    """The company takes no part of this, or not of several invoices at once (PAY-06)."""


class PartUnreadable(PaymentRefused):
    """What was typed is no amount."""


class PartTooLarge(PaymentRefused):
    """More was typed than is due."""

    def __init__(self, payable_cents: int) -> None:
        super().__init__(f"only {payable_cents}")
        self.payable_cents = payable_cents


class PartTooSmall(PaymentRefused):
    """Less was typed than the company takes at once."""

    def __init__(self, minimum_cents: int) -> None:
        super().__init__(f"at least {minimum_cents}")
        self.minimum_cents = minimum_cents


class LeavesTooLittle(PaymentRefused):
    """What would be left of an invoice is too little to be paid by card."""

    def __init__(self, left_cents: int, smallest_cents: int) -> None:
        super().__init__(f"leaves {left_cents}")
        self.left_cents = left_cents
        self.smallest_cents = smallest_cents


class PayerUnknown(PaymentRefused):
    """Whoever pays without signing in has not said to whom the receipt goes."""


class MethodGone(PaymentRefused):
    """The method on file was removed meanwhile, cannot be used, or is not this customer's (PAY-20)."""


class TooManyDeclines(PaymentRefused):
    """Cards of this payer, customer or address were declined too often in a short time (PAY-19)."""


class SignInNeeded(PaymentRefused):
    """Somebody tries cards at this company: for a while only those pay who have signed in (PAY-19)."""


class FormReused(PaymentRefused):
    """The form key was used before for something else; a fresh page is needed."""


class RefundRefused(PaymentRefused):
    """The refund was not started; no money moved."""


class NothingToRefund(RefundRefused):
    """Nothing of this payment can be given back."""


class PaymentDisputed(RefundRefused):
    """The payer's bank is deciding about this payment, or has taken it back (F20)."""


class RefundTooLarge(RefundRefused):
    """More is wanted than is left of the payment or of one of its parts (F19)."""

    def __init__(self, left_cents: int) -> None:
        super().__init__(f"left {left_cents}")
        self.left_cents = left_cents


class SecondPersonNeeded(RefundRefused):
    """So much is not given back by one person alone (PAY-16)."""

    def __init__(self, limit_cents: int) -> None:
        super().__init__(f"above {limit_cents}")
        self.limit_cents = limit_cents


class SamePerson(RefundRefused):
    """Whoever asked for a refund does not decide about it (PAY-16)."""


class AlreadyDecided(RefundRefused):
    """Somebody has decided about this refund in the meantime."""


class AlreadyProposed(RefundRefused):
    """A refund of this payment waits for a second person already."""


class IntentDisagrees(Exception):
    """A PaymentIntent does not match the attempt it names: tenant, plan, amount or currency (PAY-08, F25)."""


class UnknownIntent(Exception):
    """A PaymentIntent was not made by an attempt of this company: a payment made outside (payments.md 3c.6)."""
