"""Fixtures of estimates: payments, and the browsers of the office."""

from tests.portal.office.conftest import olive, staff_of
from tests.portal.payments.fixtures import bench, live, stripe_double

__all__ = ["bench", "live", "olive", "staff_of", "stripe_double"]
