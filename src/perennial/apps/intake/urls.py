from __future__ import annotations

from django.urls import path

from perennial.apps.intake import catalog_views, live_views, source_views, views

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
    path("sources/", source_views.sources_, name="sources"),
    path("sources/new/", source_views.create, name="source_new"),
    path("sources/<slug:slug>/", source_views.source, name="source"),
    path("sources/<slug:slug>/setup/", source_views.setup_, name="setup"),
    path("sources/<slug:slug>/rename/", source_views.rename, name="source_rename"),
    path("sources/<slug:slug>/keys/", source_views.new_key, name="key_new"),
    path(
        "sources/<slug:slug>/keys/<int:key>/revoke/",
        source_views.revoke,
        name="key_revoke",
    ),
    path("sources/<slug:slug>/archive/", source_views.archive, name="source_archive"),
    path("live/", live_views.stream, name="live"),
    path("live/event/", live_views.opened, name="opened"),
    path("rejects/", live_views.rejects, name="rejects"),
    path("rejects/replay/", live_views.replay_, name="replay"),
    path("events/", catalog_views.names, name="catalog"),
    path("events/name/", catalog_views.name, name="event"),
    path("events/define/", catalog_views.define, name="define"),
]
