"""The addresses of the apex site: landing, sign-up, progress, and the demo's mailbox."""

from __future__ import annotations

from django.urls import URLPattern, path

from signup.views import address, cancel, mailbox, progress, start, verify

app_name = "signup"

urlpatterns: list[URLPattern] = [
    path("", start.landing, name="landing"),
    path("signup/", start.start, name="start"),
    path("signup/address/", address.address, name="address"),
    path("signup/address/check/", address.check_address, name="check_address"),
    path("signup/verify/", verify.verify, name="verify"),
    path("signup/verify/<str:token>/", verify.verify_link, name="verify_link"),
    path("signup/cancel/", cancel.cancel, name="cancel"),
    path("progress/<uuid:run_id>/", progress.progress, name="progress"),
    path("progress/<uuid:run_id>/retry/", progress.retry, name="retry"),
    path("progress/<uuid:run_id>/office/", progress.open_office, name="open_office"),
    path("mailbox", mailbox.mailbox, name="mailbox"),
    path("mailbox/<uuid:name>/", mailbox.mail, name="mail"),
    path("mailbox/<uuid:name>/page/", mailbox.mail_page, name="mail_page"),
]
