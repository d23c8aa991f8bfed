"""Addresses of the office's pages on links, included by the office."""

from django.urls import URLPattern, path

from portal.sharing import estimate_office, office_rules, office_views

urlpatterns: list[URLPattern] = [
    path("invoices/<uuid:invoice_id>/links", office_views.links, name="invoice_links"),
    path("invoices/<uuid:invoice_id>/links/mail", office_views.mail, name="invoice_mail"),
    path("invoices/<uuid:invoice_id>/links/copy", office_views.copy, name="invoice_copy_link"),
    path("links/<uuid:link_id>/revoke", office_views.revoke, name="link_revoke"),
    path("estimates/<uuid:estimate_id>", estimate_office.estimate, name="estimate"),
    path("estimates/<uuid:estimate_id>/mail", estimate_office.mail, name="estimate_mail"),
    path("estimates/<uuid:estimate_id>/copy", estimate_office.copy, name="estimate_copy_link"),
    path("settings/links", office_rules.rules, name="settings_links"),
]
