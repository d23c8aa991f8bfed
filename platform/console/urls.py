"""Routes of the operators' host."""

from django.urls import path

from console import billing_views, views, webhook_views

app_name = "console"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("tenants/", views.tenants, name="tenants"),
    path("tenants/<uuid:tenant_id>/", views.tenant, name="tenant"),
    path("tenants/<uuid:tenant_id>/hold/", views.hold, name="hold"),
    path("tenants/<uuid:tenant_id>/trial/", billing_views.extend, name="extend_trial"),
    path("holds/<uuid:hold_id>/release/", views.release, name="release"),
    path("webhooks/", webhook_views.webhooks, name="webhooks"),
    path("webhooks/<uuid:inbox_id>/replay/", webhook_views.replay, name="replay"),
    path("runs/<uuid:run_id>/", views.run, name="run"),
    path("runs/<uuid:run_id>/retry/", views.retry, name="retry"),
]
