from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from perennial.apps.intake import snippet
from perennial.apps.reports import counting_views
from perennial.config import api, gauges, probes
from perennial.ui import views as ui

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", gauges.metrics, name="gauges"),
    path("snippet/v1.js", snippet.v1, name="snippet"),
    path("snippet/v1/show.js", snippet.v1_show, name="snippet_show"),
    path("snippet/v1/pick.js", snippet.v1_pick, name="snippet_pick"),
    path("", include("perennial.ui.urls")),
    path("", include("perennial.apps.team.urls")),
    path("", include("perennial.apps.customers.urls")),
    path("api/v1/openapi.json", api.openapi, name="openapi"),
    path("api/v1/docs", api.docs, name="api_docs"),
    path("api/v1/", api.urls),
    re_path("^api/", api.missing, name="api_missing"),
    path("health/", include("perennial.apps.health.urls")),
    path("insights/", include("perennial.apps.insights.urls")),
    path("metrics/", include("perennial.apps.reports.urls")),
    path("data/", include("perennial.apps.intake.urls")),
    path("onboarding/", include("perennial.apps.onboarding.urls")),
    path("", include("perennial.apps.surveys.urls")),
    path("", include("perennial.apps.guides.urls")),
    path("", include("perennial.apps.work.urls")),
    path("settings/workspace/", counting_views.page, name="workspace_settings"),
    path("settings/jobs/", include("perennial.apps.jobs.urls")),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", ui.styleguide, name="styleguide"))

handler400 = "perennial.ui.views.bad_request"
handler403 = "perennial.ui.views.forbidden"
handler404 = "perennial.ui.views.not_found"
handler500 = "perennial.ui.views.server_error"
