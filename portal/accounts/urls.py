"""Addresses of signing in and out as a customer."""

from django.urls import path

from portal.accounts import link_views, proof_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in", views.sign_in, name="sign_in"),
    path("sign-in/mail", views.check_mail, name="check_mail"),
    path("sign-in/code", views.enter_code, name="code"),
    path("sign-in/proof", proof_views.prove, name="proof"),
    path("sign-in/proof/mail", proof_views.mail_code, name="proof_mail"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("l/<str:token>", link_views.open_link, name="link"),
    path("l/<str:token>/fresh", link_views.send_fresh_link, name="fresh_link"),
]
