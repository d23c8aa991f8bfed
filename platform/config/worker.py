"""The worker process, for `dramatiq config.worker`: Django set up, every task known to the broker."""

from __future__ import annotations

import os

import django
from django.utils.module_loading import autodiscover_modules

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
from config.start import refuse_shared_sessions  # noqa: E402  Django must be set up before

refuse_shared_sessions()
# Tasks stand in each application's `tasks` module; the outbox delivers from its own.
autodiscover_modules("tasks", "outbox")
