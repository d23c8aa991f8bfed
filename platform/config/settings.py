"""Django's settings, all derived from infra.env; tests add a few lines of their own."""

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from infra.env import load_env
from infra.observability import start_sentry

ENV = load_env()
BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = ENV.secret_key
SECRET_KEY_FALLBACKS = list(ENV.secret_key_fallbacks)
DEBUG = ENV.debug
ALLOWED_HOSTS = ["*"]  # tenants.middleware.HostMiddleware decides, and decides more strictly
SECURE = ENV.public_scheme == "https"

# -- applications: each table belongs to exactly one half (Decided 4) --------------------------------------
SHARED_APPS = [
    "django_tenants",
    "tenants",
    "provisioning",
    "signup",
    "console",
    "webhooks",
    "django.contrib.contenttypes",
]
TENANT_APPS = [
    "tenants.schema",
    "portal.accounts",
    "portal.access",
    "portal.settings",
    "portal.documents",
    "portal.customers",
    "portal.invoices",
    "portal.estimates",
    "portal.payments",
    "portal.methods",
    "portal.autopay",
    "portal.messaging",
    "portal.importing",
    "portal.sharing",
]
INSTALLED_APPS = [
    *SHARED_APPS,
    *TENANT_APPS,
    "portal.ui",
    "portal.home",
    "portal.statements",
    "portal.office",
    "billing",
    "config",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "csp",
]
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Hostname"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database() -> dict[str, Any]:
    database = ENV.database
    limits = "" if ENV.database_login == "owner" else " -c statement_timeout=20000"
    options = database.pop("OPTIONS")
    # Limits stand in the connection's own start-up options, so that RESET ALL returns to them (OPS-04).
    start = f"-c TimeZone=UTC -c lock_timeout=4000 -c idle_in_transaction_session_timeout=30000{limits}"
    options["options"] = f"{options.get('options', '')} {start}".strip()
    options["pool"] = {
        "min_size": ENV.connections_kept,
        "max_size": 12,
        "max_lifetime": 600,
        "timeout": 10,
    }
    return {
        **database,
        "ENGINE": "tenants.backend",
        "ATOMIC_REQUESTS": True,
        "TENANTS_PER_CONNECTION": ENV.tenants_per_connection,
        "MOST_TENANTS_PER_CONNECTION": ENV.most_tenants_per_connection,
        "MEGABYTES_PER_CONNECTION": ENV.megabytes_per_connection,
        "OPTIONS": options,
    }


DATABASES = {"default": _database()}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENV.redis_url,
        "KEY_FUNCTION": "tenants.cache.make_key",
    },
}

# -- requests ----------------------------------------------------------------------------------------------
WSGI_APPLICATION = "config.wsgi.application"
ROOT_URLCONF = "config.urls_nowhere"
MIDDLEWARE = [
    "tenants.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.HostMiddleware",
    "tenants.middleware.OriginMiddleware",
    "portal.settings.middleware.BrandMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
APPEND_SLASH = False
MESSAGE_STORAGE = "tenants.flash.FlashStorage"
CSRF_FAILURE_VIEW = "portal.ui.errors.csrf_failure"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_NAME = "__Host-language" if SECURE else "language"
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False  # the edge redirects; behind it we only see http
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.trusted_proxy_hops else None
SECURE_HSTS_SECONDS = 63_072_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, "'strict-dynamic'"],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# -- templates ---------------------------------------------------------------------------------------------
_loaders = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "OPTIONS": {
            "loaders": [("template_partials.loader.Loader", [("django.template.loaders.cached.Loader", _loaders)])],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "portal.ui.context.ui",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# -- words, time, files ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "ui" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
# The demo serves files where they lie; production collects them once (manage.py collectstatic).
STATIC_ROOT = None if ENV.demo else BASE_DIR / ".data" / "static"
MEDIA_ROOT = ENV.media_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not ENV.demo
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = ENV.demo
WHITENOISE_AUTOREFRESH = False

# -- passwords, mail ---------------------------------------------------------------------------------------
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
EMAIL_BACKEND = "infra.mail.SmtpBackend" if ENV.email_url else "infra.mail.MailboxBackend"
MAILBOX_DIR = ENV.mailbox_dir
DEFAULT_FROM_EMAIL = ENV.email_from
SERVER_EMAIL = ENV.email_from

SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # the edge redirects to https
    "django_tenants.W003",
]
LOGGING_CONFIG = "infra.logs.configure"
LOGGING: dict[str, Any] = {"level": ENV.log_level, "json": not ENV.demo}

start_sentry(ENV)
