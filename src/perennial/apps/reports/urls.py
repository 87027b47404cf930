from __future__ import annotations

from django.urls import path

from perennial.apps.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.metrics, name="metrics"),
    path("<slug:key>/", views.metric, name="metric"),
    path("<slug:key>/tile/", views.tile, name="tile"),
    path("<slug:key>/explain/", views.explain, name="explain"),
]
