from __future__ import annotations

from django.urls import path

from perennial.apps.onboarding import edit_views, views

app_name = "onboarding"
urlpatterns = [
    path("", views.flows, name="flows"),
    path("new/", edit_views.new, name="new"),
    path("tick/", views.tick, name="tick"),
    path("<int:pk>/", views.flow, name="flow"),
    path("<int:pk>/edit/", edit_views.edit, name="edit"),
    path("<int:pk>/turn/", edit_views.turn, name="turn"),
    path("<int:pk>/discard/", edit_views.discard, name="discard"),
]
