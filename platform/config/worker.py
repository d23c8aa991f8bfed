"""The worker process, for `dramatiq config.worker`: Django set up, every task known to the broker."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import tenants.outbox  # noqa: E402, F401  registers the outbox tasks
