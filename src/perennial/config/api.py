"""The REST API, put together from the apps."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.responses import NinjaJSONEncoder

from perennial import __version__
from perennial.api import problems
from perennial.apps.customers.api import router as customers
from perennial.apps.customers.user_api import router as users
from perennial.apps.guides.api import router as guides
from perennial.apps.health.api import router as health
from perennial.apps.intake.api import router as events
from perennial.apps.onboarding.api import router as onboarding
from perennial.apps.reports.api import router as metrics
from perennial.apps.surveys.api import router as surveys
from perennial.apps.team.access import public
from perennial.apps.work.api import router as work

api = NinjaAPI(
    title="Perennial",
    version=__version__,
    description="What a workspace knows, for programs. Dates are local days of the "
    "workspace, instants are UTC; errors are problem details (RFC 9457).",
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
)
problems.install(api)
api.add_router("/metrics", metrics)
api.add_router("", customers)
api.add_router("", users)
api.add_router("", events)
api.add_router("", health)
api.add_router("", surveys)
api.add_router("", guides)
api.add_router("", onboarding)
api.add_router("", work)
# Tokens open these doors; the gate of signed-in people would only redirect.
urls = api.urls
for _pattern in urls[0]:
    assert _pattern.callback is not None
    _pattern.callback = login_not_required(problems.known_verbs(_pattern.callback))


def _schema() -> dict[str, Any]:
    return problems.described(api.get_openapi_schema())


@public
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of the API (OpenAPI 3.1)."""
    return JsonResponse(_schema(), encoder=NinjaJSONEncoder)


@public
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    return render(request, "ui/api.html", {"schema": _schema()})


@csrf_exempt
@public
def missing(request: HttpRequest) -> HttpResponse:
    """Where no route leads, also for names that no route takes, as with a newline."""
    return problems.answer(404, "there is nothing here")
