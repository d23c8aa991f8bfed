"""Fixtures of everything that touches Stripe."""

from tests.portal.payments.fixtures import bench, live, stripe_double

__all__ = ["bench", "live", "stripe_double"]
