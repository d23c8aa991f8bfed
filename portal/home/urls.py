"""Addresses of the customer's first page."""

from django.urls import path

from portal.home import views

app_name = "home"
urlpatterns = [
    path("", views.show_home, name="home"),
    path("accounts", views.choose_account, name="accounts"),
]
