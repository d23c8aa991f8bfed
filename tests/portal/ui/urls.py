"""Every route name the templates use, answered by nothing; real routes live with their apps."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal.ui import urls as ui_urls


def page(request: HttpRequest, **_: str) -> HttpResponse:
    """Answer with an empty page."""
    return HttpResponse()


def _app(namespace: str, *routes: tuple[str, str]) -> object:
    patterns = [path(f"{namespace}/{route}", page, name=name) for route, name in routes]
    return path("", include((patterns, namespace), namespace=namespace))


urlpatterns = [
    path("ui/", include(ui_urls)),
    _app("home", ("", "home"), ("accounts", "accounts")),
    _app("invoices", ("", "list"), ("<id>", "detail"), ("<id>.pdf", "pdf")),
    _app("statements", ("", "show"), ("pdf", "pdf"), ("mail", "mail")),
    _app("genuine", ("", "ask"), ("<code>", "check")),
    _app("payments", ("pay/<id>", "pay"), ("deposit/<id>", "deposit"), ("result/<id>", "result")),
    _app("estimates", ("", "list"), ("<id>", "detail")),
    _app(
        "accounts",
        ("in", "sign_in"),
        ("check", "check_mail"),
        ("code", "code"),
        ("l/<token>", "link"),
        ("out", "sign_out"),
    ),
    _app(
        "office",
        ("", "today"),
        ("in", "sign_in"),
        ("out", "sign_out"),
        ("customers", "customers"),
        ("customers/<id>", "customer"),
        ("customers/<id>/invite", "invite"),
        ("invoices/<id>/links", "invoice_links"),
        ("invoices/<id>/mail", "invoice_mail"),
        ("invoices/<id>/copy", "invoice_copy_link"),
        ("links/<id>/revoke", "link_revoke"),
        ("settings", "settings"),
        ("import", "import"),
        ("import/<id>", "import_job"),
        ("payments", "payments_setup"),
    ),
    _app(
        "signup",
        ("", "landing"),
        ("start", "start"),
        ("verify", "verify"),
        ("progress/<id>", "progress"),
        ("cancel", "cancel"),
    ),
    _app(
        "console",
        ("", "overview"),
        ("tenants", "tenants"),
        ("tenants/<id>", "tenant"),
        ("runs/<id>", "run"),
        ("in", "sign_in"),
        ("out", "sign_out"),
    ),
]
