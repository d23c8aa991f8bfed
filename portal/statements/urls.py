"""Addresses of a customer's statement, included as `invoices/statement`."""

from django.urls import path

from portal.statements import views

app_name = "statements"
urlpatterns = [
    path("", views.show, name="show"),
    path("/pdf", views.download, name="pdf"),
    path("/mail", views.mail, name="mail"),
]
