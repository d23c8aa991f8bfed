"""The product's settings with a pool far smaller than the crowd; STRESS_BACKEND picks the backend under it."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, ENV

BACKEND = os.environ["STRESS_BACKEND"]
POOL = {"min_size": 1, "max_size": 4, "timeout": 2}

_database = DATABASES["default"]
if BACKEND == "library":
    # As it comes: its backend, its switch, Django's pool without a reset function.
    _database["ENGINE"] = "django_tenants.postgresql_backend"
    _database["OPTIONS"]["pool"] = POOL
else:
    _database["OPTIONS"]["pool"] |= POOL
    # So few that connections are replaced all the time.
    _database["TENANTS_PER_CONNECTION"] = _database["MOST_TENANTS_PER_CONNECTION"] = ENV.tenants_per_connection
