"""Routes of the import pages, included by the office at import."""

from django.urls import path

from portal.office.imports import views

urlpatterns = [
    path("", views.upload, name="import"),
    path("/example-<str:kind>.csv", views.example, name="import_example"),
    path("/<uuid:job_id>", views.go_on, name="import_job"),
    path("/<uuid:job_id>/columns", views.columns, name="import_columns"),
    path("/<uuid:job_id>/preview", views.preview, name="import_preview"),
    path("/<uuid:job_id>/progress", views.progress, name="import_progress"),
    path("/<uuid:job_id>/report", views.report, name="import_report"),
    path("/<uuid:job_id>/problems.csv", views.problems, name="import_problems"),
]
