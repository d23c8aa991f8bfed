"""Starts the real servers that the tests run against, once per run, and ends them with it."""

import atexit
import os
from contextlib import ExitStack

MARK = "PORCHLIGHT_TEST_SERVERS"


def ensure_servers() -> None:
    """Start PostgreSQL and Valkey in this process unless a parent has; point the environment at them."""
    if os.environ.get(MARK):
        return
    from infra.embedded.bootstrap import bootstrap_embedded
    from infra.embedded.postgres import temporary_postgres
    from infra.embedded.valkey import temporary_valkey

    stack = ExitStack()
    atexit.register(stack.close)
    postgres = stack.enter_context(temporary_postgres())
    valkey = stack.enter_context(temporary_valkey())
    owner, app = bootstrap_embedded(postgres)
    os.environ.update(
        {
            MARK: "started",
            "SECRET_KEY": "tests-only-3fJ9x2Lq8Zr5Tn1Vb7Kd4Mw6Yc0Hs-tests-only",
            "DATABASE_URL": owner,
            "DATABASE_APP_URL": app,
            "DATABASE_LOGIN": "app",
            "REDIS_URL": valkey.url(),
            "PUBLIC_SCHEME": "http",
            "PUBLIC_PORT": "",
            "DEMO": "true",
            "EMAIL_URL": "",
            "SENTRY_DSN": "",
            "STRIPE_SECRET_KEY": "sk_test_porchlight",
            "STRIPE_PUBLISHABLE_KEY": "pk_test_porchlight",
            "STRIPE_WEBHOOK_SECRETS_CONNECT": "whsec_connect_tests",
            "STRIPE_WEBHOOK_SECRETS_PLATFORM": "whsec_platform_tests",
        }
    )
