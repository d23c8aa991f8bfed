"""Why a method on file was not changed; views turn each into words."""

from __future__ import annotations


class MethodRefused(Exception):
    """Nothing was changed."""


class MethodsOff(MethodRefused):
    """Stripe cannot be reached, or the company takes no payments at the moment."""


class NotAllowed(MethodRefused):
    """The company lets its customers add, or remove, nothing (CARD-09)."""


class TooManyDeclines(MethodRefused):
    """This customer's cards were declined too often in a short time (PAY-19)."""


class FormReused(MethodRefused):
    """The form key was used before for something else; a fresh page is needed."""


class UnknownMethod(MethodRefused):
    """There is no such method of this customer, or it is not on file any more."""


class StillNeeded(MethodRefused):
    """Autopay charges it: another method must take its place first (CARD-03)."""


class NobodyToAsk(MethodRefused):
    """Nobody of this customer can sign in and see billing."""
