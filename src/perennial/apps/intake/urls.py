from __future__ import annotations

from django.urls import path

from perennial.apps.intake import views

app_name = "intake"
urlpatterns = [
    path("", views.data, name="data"),
    path("refresh/", views.refresh, name="refresh"),
    path("import/", views.upload, name="upload"),
    path("import/<slug:token>/", views.uploaded, name="uploaded"),
    path("import/<slug:token>/check/", views.check, name="check"),
    path("import/<slug:token>/start/", views.start, name="start"),
    path("import/<slug:token>/cancel/", views.cancel, name="cancel"),
    path("imports/<slug:import_id>/", views.imported, name="imported"),
    path(
        "imports/<slug:import_id>/rejects.csv", views.rejects_file, name="rejects_file"
    ),
]
