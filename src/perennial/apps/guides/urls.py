from __future__ import annotations

from django.urls import path

from perennial.apps.guides import snippet_views

app_name = "guides"
urlpatterns = [
    # What the snippet tells, and the picker.
    path("snippet/v1/told", snippet_views.told, name="told"),
    path("snippet/v1/picked", snippet_views.picked, name="picked"),
]
