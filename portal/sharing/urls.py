"""Addresses of share links, included as `s/`; they work while the portal is off (C-19)."""

from django.urls import path

from portal.sharing import views

app_name = "sharing"
urlpatterns = [
    path("pay/<uuid:link_id>", views.pay, name="pay"),
    path("paid/<uuid:attempt_id>", views.paid, name="paid"),
    path("paid/<uuid:attempt_id>/status", views.status, name="status"),
    path("<str:token>", views.show, name="show"),
    path("<str:token>/pdf", views.download, name="pdf"),
    path("<str:token>/pay", views.begin, name="begin"),
    path("<str:token>/fresh", views.fresh, name="fresh"),
    path("<str:token>/approve", views.approve, name="approve"),
    path("<str:token>/answer", views.answer, name="answer"),
    path("<str:token>/again", views.again, name="again"),
]
