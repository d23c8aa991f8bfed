"""Settings of the peers: each with its own backend and its own models, over the product's tenant tables."""

from __future__ import annotations

import json
import os
from typing import Any

from infra.env import database_settings

# The process has neither web nor worker; only what migrations need is set.
SECRET_KEY = os.environ["SECRET_KEY"]
ENGINE = os.environ["BENCH_PEER"]
TENANT_APPS = os.environ["BENCH_TENANT_APPS"].split()
MIGRATION_MODULES: dict[str, str] = json.loads(os.environ["BENCH_MIGRATION_MODULES"])
TEMPLATE_SCHEMA = "template_of_peer"
CLONE = os.environ["BENCH_PEER_CLONE"] == "1"
DATABASES: dict[str, Any] = {"default": database_settings(os.environ["BENCH_PEER_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
USE_TZ = True
TIME_ZONE = "UTC"
WORKERS = 2

if ENGINE == "django-tenants":
    SHARED_APPS = ["django_tenants", "bench.peer_tenants", "django.contrib.contenttypes"]
    DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
    DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
    TENANT_MODEL = "peer.Tenant"
    TENANT_DOMAIN_MODEL = "peer.Domain"
    TENANT_MULTIPROCESSING_MAX_PROCESSES = WORKERS
    MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
    if CLONE:
        TENANT_CREATION_FAKES_MIGRATIONS = True
        TENANT_BASE_SCHEMA = TEMPLATE_SCHEMA
else:
    SHARED_APPS = ["django_pgschemas", "bench.peer_pgschemas", "django.contrib.contenttypes"]
    DATABASES["default"]["ENGINE"] = "django_pgschemas.postgresql"
    DATABASE_ROUTERS = ["django_pgschemas.routers.TenantAppsRouter"]
    TENANTS: dict[str, dict[str, Any]] = {
        "public": {"APPS": SHARED_APPS},
        "default": {
            "TENANT_MODEL": "peer.Tenant",
            "DOMAIN_MODEL": "peer.Domain",
            "APPS": TENANT_APPS,
            "URLCONF": "config.urls_nowhere",
        },
    }
    PGSCHEMAS_PARALLEL_MAX_THREADS = WORKERS
    MIDDLEWARE = ["django_pgschemas.routing.middleware.DomainRoutingMiddleware"]
    if CLONE:
        TENANTS["default"]["CLONE_REFERENCE"] = TEMPLATE_SCHEMA
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
