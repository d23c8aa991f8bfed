"""Settings of the peer: django-tenants with its own backend, its own models, and the product's tenant tables."""

from __future__ import annotations

import os

from infra.env import database_settings

# The process has neither web nor worker; only what migrations need is set.
SECRET_KEY = os.environ["SECRET_KEY"]
TENANT_APPS = os.environ["BENCH_TENANT_APPS"].split()
SHARED_APPS = ["django_tenants", "bench.peer", "django.contrib.contenttypes"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "peer.Tenant"
TENANT_DOMAIN_MODEL = "peer.Domain"
DATABASES = {
    "default": {
        **database_settings(os.environ["BENCH_PEER_URL"]),
        "ENGINE": "django_tenants.postgresql_backend",
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
USE_TZ = True
TIME_ZONE = "UTC"
