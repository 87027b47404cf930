from __future__ import annotations

from django.urls import path

from perennial.apps.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.jobs, name="jobs"),
    path("run/<slug:name>/", views.run_now, name="run_now"),
    path("runs/<int:pk>/", views.run, name="run"),
    path("runs/<int:pk>/retry/", views.retry, name="retry"),
]
