"""Fixtures of share links: payments, and the browsers of the office."""

from tests.portal.office.conftest import staff_of
from tests.portal.payments.fixtures import bench, live, stripe_double

__all__ = ["bench", "live", "staff_of", "stripe_double"]
