from __future__ import annotations

from django.urls import path

from perennial.ui import views

app_name = "ui"
urlpatterns = [
    path("theme/", views.set_theme, name="theme"),
    path("language/", views.set_language, name="language"),
]
