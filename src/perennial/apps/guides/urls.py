from __future__ import annotations

from django.urls import path

from perennial.apps.guides import edit_views, snippet_views, views

app_name = "guides"
urlpatterns = [
    path("guides/", views.guides, name="guides"),
    path("guides/new/", views.new, name="new"),
    path("guides/<int:pk>/", views.guide, name="guide"),
    path("guides/<int:pk>/turn/", views.turn, name="turn"),
    path("guides/<int:pk>/edit/", edit_views.edit, name="edit"),
    path("guides/<int:pk>/preview/", edit_views.preview, name="preview"),
    path("guides/<int:pk>/pick/", edit_views.pick, name="pick"),
    path("guides/<int:pk>/anchor/<str:step>/", edit_views.anchor, name="anchor"),
    path("guides/<int:pk>/versions/", edit_views.bring_back, name="bring_back"),
    # What the snippet tells, and the picker.
    path("snippet/v1/told", snippet_views.told, name="told"),
    path("snippet/v1/pick", snippet_views.pick, name="pick_words"),
    path("snippet/v1/picked", snippet_views.picked, name="picked"),
]
