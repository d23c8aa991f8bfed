"""Fixtures of the payment tests."""

from tests.portal.payments.fixtures import bench, committed, stripe_double

__all__ = ["bench", "committed", "stripe_double"]
