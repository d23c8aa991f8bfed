"""The office's pages at /office/."""

from django.urls import URLPattern, URLResolver, include, path

from portal.methods.office_rules import method_rules
from portal.methods.office_views import ask_for_card
from portal.office.views import access, customers, session, settings, today

app_name = "office"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", today.today, name="today"),
    path("setup/<slug:step>", today.setup_step, name="setup_step"),
    path("share", today.share, name="share"),
    path("sign-in", session.sign_in, name="sign_in"),
    path("sign-out", session.sign_out, name="sign_out"),
    path("forgot", session.forgot, name="forgot"),
    path("welcome/<str:token>/", session.welcome, name="welcome"),
    path("customers", customers.customers, name="customers"),
    path("customers/<uuid:customer_id>", customers.customer, name="customer"),
    path("customers/<uuid:customer_id>/invite", access.invite, name="invite"),
    path("customers/<uuid:customer_id>/access/<uuid:access_id>", access.change, name="customer_access"),
    path("customers/<uuid:customer_id>/access/<uuid:access_id>/memo", access.memo, name="customer_memo"),
    path("customers/<uuid:customer_id>/access/<uuid:access_id>/revoke", access.revoke, name="customer_revoke"),
    path("customers/<uuid:customer_id>/ask-for-card", ask_for_card, name="customer_ask_for_card"),
    path("settings", settings.availability, name="settings"),
    path("settings/brand", settings.brand, name="settings_brand"),
    path("settings/company", settings.company, name="settings_company"),
    path("import", include("portal.office.imports.urls")),
    path("payments/methods", method_rules, name="payments_methods"),
    path("payments/autopay", include("portal.autopay.office_urls")),
    path("payments/", include("portal.payments.office_urls")),
    path("", include("portal.estimates.office_urls")),
    path("", include("portal.payments.estimate_urls")),
    path("", include("portal.sharing.office_urls")),
]
