"""The product's settings for tests: real servers, one plain connection instead of the pool, mail in memory."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for _root in (str(ROOT / "platform"), str(ROOT)):
    if _root not in sys.path:
        sys.path.insert(0, _root)

from tests.services import ensure_servers  # noqa: E402

ensure_servers()

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

DATABASES["default"]["OPTIONS"].pop("pool")
DATABASES["default"]["CONN_MAX_AGE"] = None
# New passwords are hashed cheaply; the cast's are real ones, so that the running product knows them too.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
