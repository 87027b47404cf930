from __future__ import annotations

from django.urls import path

from perennial.apps.reports import (
    board_views,
    define_views,
    explore_views,
    target_views,
    views,
)

app_name = "reports"
urlpatterns = [
    path("", views.metrics, name="metrics"),
    path("boards/new/", board_views.create, name="board_new"),
    path("boards/<int:pk>/", board_views.edit, name="board_edit"),
    path("boards/<int:pk>/tiles/", board_views.tiles, name="board_tiles"),
    path("boards/<int:pk>/delete/", board_views.delete, name="board_delete"),
    path("explore/funnel/", explore_views.funnel, name="funnel"),
    path("explore/<slug:name>/", explore_views.explorer, name="explore"),
    path("findings/", views.findings, name="findings"),
    path("definitions/", define_views.listing, name="own"),
    path("definitions/new/", define_views.create, name="own_new"),
    path("definitions/<slug:key>/", define_views.edit, name="own_edit"),
    path("definitions/<slug:key>/retire/", define_views.retire, name="own_retire"),
    path("<slug:key>/", views.metric, name="metric"),
    path("<slug:key>/targets/", target_views.targets, name="targets"),
    path("<slug:key>/tile/", views.tile, name="tile"),
    path("<slug:key>/explain/", views.explain, name="explain"),
]
