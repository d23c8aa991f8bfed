"""The office's pages at /office/."""

from django.urls import URLPattern, URLResolver, path

from portal.office.views import session

app_name = "office"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", session.sign_in, name="sign_in"),
    path("sign-out", session.sign_out, name="sign_out"),
    path("forgot", session.forgot, name="forgot"),
    path("welcome/<str:token>/", session.welcome, name="welcome"),
]
