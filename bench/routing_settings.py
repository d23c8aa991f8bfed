"""Settings of one engine of the routing benchmark: the same models, pages and middleware but for the tenancy."""

from __future__ import annotations

import os
from typing import Any

ENGINE = os.environ["BENCH_ENGINE"]
POOL = os.environ["BENCH_POOL"] == "1"

if ENGINE == "ours":
    from config.settings import *  # noqa: F403
    from config.settings import DATABASES

    MIDDLEWARE = ["tenants.middleware.HostMiddleware"]
elif ENGINE == "plain":
    from infra.env import database_settings

    SECRET_KEY = os.environ["SECRET_KEY"]
    TENANT_APPS = os.environ["BENCH_TENANT_APPS"].split()
    INSTALLED_APPS = ["django.contrib.contenttypes", *TENANT_APPS]
    DATABASES: dict[str, Any] = {  # type: ignore[no-redef]
        "default": {**database_settings(os.environ["BENCH_PEER_URL"]), "ENGINE": "django.db.backends.postgresql"}
    }
    MIDDLEWARE = []
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
else:
    from bench.peer_settings import *  # noqa: F403
    from bench.peer_settings import DATABASES

    if ENGINE == "django-pgschemas":
        from bench.peer_settings import TENANTS

        TENANTS["default"]["URLCONF"] = "bench.routing_pages"

ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
SESSION_COOKIE_SECURE = False
LOGGING_CONFIG = None  # type: ignore[assignment]
ROOT_URLCONF = "bench.routing_pages"
_default: Any = DATABASES["default"]
# The product runs every page in one transaction; whoever is measured beside it is told to do the same, or neither is.
_default["ATOMIC_REQUESTS"] = True
_default["OPTIONS"].pop("pool", None)
_default["CONN_MAX_AGE"] = 0 if POOL else None
if POOL:
    _default["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 4}
