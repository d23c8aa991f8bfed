"""Fixtures of everything that touches Stripe."""

from tests.portal.payments.fixtures import bench, stripe_double

__all__ = ["bench", "stripe_double"]
