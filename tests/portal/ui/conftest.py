"""Renders a template the way a page does, without a database."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import get_template
from django.test import RequestFactory
from django.urls import resolve

Render = Callable[..., str]

PATHS = {
    "home": "/home/",
    "invoices": "/invoices/",
    "payments": "/payments/pay/1",
    "estimates": "/estimates/",
    "statements": "/statements/",
    "accounts": "/accounts/in",
    "office": "/office/customers",
    "ui": "/office/",
    "signup": "/signup/",
    "console": "/console/tenants",
}


@pytest.fixture
def render(settings: Any) -> Render:
    """Return a function (template name, context, theme) → HTML."""
    settings.ROOT_URLCONF = "tests.portal.ui.urls"

    def page(name: str, context: dict[str, Any], theme: str = "") -> str:
        name = name.partition("#")[0]
        folder = name.partition("/")[0]
        if folder not in PATHS:
            # Mails and error pages are drawn without a request.
            return str(get_template(name).render(dict(context)))
        request = RequestFactory().get(PATHS[folder])
        request.resolver_match = resolve(request.path)
        request.COOKIES["theme"] = theme
        extra = SimpleNamespace(
            brand=context.get("brand"), person=context.get("person"), csp_nonce="nonce-of-this-page"
        )
        vars(request).update(vars(extra))
        return str(get_template(name).render(dict(context), request))

    return page
