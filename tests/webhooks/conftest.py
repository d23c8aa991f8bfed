"""Fixtures of everything that touches Stripe."""

from tests.portal.payments.fixtures import bench, committed, live, stripe_double

__all__ = ["bench", "committed", "live", "stripe_double"]
