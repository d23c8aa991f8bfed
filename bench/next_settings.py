"""The product's settings with one migration more: the release that a fleet is rolled out to."""

from config.settings import *  # noqa: F403

MIGRATION_MODULES = {"invoices": "bench.next_release"}
