from __future__ import annotations

from django.urls import path

from perennial.apps.surveys import (
    edit_views,
    feedback_views,
    hosted,
    snippet_views,
    views,
)

app_name = "surveys"
urlpatterns = [
    path("surveys/", views.surveys, name="surveys"),
    path("surveys/new/", views.new, name="new"),
    path("surveys/rests/", views.rests, name="rests"),
    path("surveys/themes/", feedback_views.themes, name="themes"),
    path("surveys/themes/topics/", feedback_views.topics, name="topics"),
    path("surveys/themes/correct/", feedback_views.correct, name="correct"),
    path("surveys/<int:pk>/", views.survey, name="survey"),
    path("surveys/<int:pk>/edit/", edit_views.edit, name="edit"),
    path("surveys/<int:pk>/turn/", views.turn, name="turn"),
    path(
        "surveys/<int:pk>/preview/product/",
        edit_views.preview_product,
        name="preview_product",
    ),
    path(
        "surveys/<int:pk>/preview/email/",
        edit_views.preview_email,
        name="preview_email",
    ),
    path(
        "surveys/<int:pk>/preview/page/", edit_views.preview_page, name="preview_page"
    ),
    path("surveys/answers/<int:pk>/", views.answer, name="answer"),
    # What people outside see: signed links, and what the snippet asks.
    path("s/<str:token>/", hosted.asked, name="asked"),
    path("survey/<str:key>/", hosted.open_, name="open"),
    path("survey-preview/<str:token>/", hosted.preview, name="preview"),
    path("no-surveys/<str:token>/", hosted.leave, name="leave"),
    path("snippet/v1/things", snippet_views.things, name="things"),
    path("snippet/v1/claim", snippet_views.claim, name="claim"),
    path("snippet/v1/answer", snippet_views.answer, name="snippet_answer"),
]
