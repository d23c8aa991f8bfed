"""Flash messages in a signed cookie that no other host accepts (AUN-01)."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.core import signing
from django.http import HttpRequest


class FlashStorage(CookieStorage):
    """Django's cookie storage, signed for one host."""

    cookie_name = "__Host-flash" if settings.SECURE else "flash"

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        host = getattr(request, "host", None)
        self.signer = signing.get_cookie_signer(salt=f"flash:{host.name if host else 'nowhere'}")
