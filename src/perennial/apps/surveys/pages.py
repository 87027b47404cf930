"""Views that scripts on pages of any origin may call: JSON in and out, no cookies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from perennial.apps.team.access import public
from perennial.core.numbers import whole

_MOST_BYTES: Final = 64 << 10
_LONGEST: Final = 2_000
Given = Mapping[str, Any]


def open_to_pages(
    view: Callable[[Given], tuple[dict[str, Any], int]],
) -> Callable[[HttpRequest], HttpResponse]:
    """A view of what was sent that gives the answer and its status."""

    @csrf_exempt
    @public
    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return _cors(HttpResponse(status=204))
        if request.method != "POST":
            return _cors(HttpResponse(status=405))
        given = _given(request)
        body, status = ({}, 400) if given is None else view(given)
        return _cors(JsonResponse(body, status=status))

    return answered


def _given(request: HttpRequest) -> Given | None:
    """The body, sent as text/plain so that a browser asks no permission first."""
    if (whole(request.headers.get("Content-Length", "")) or 0) > _MOST_BYTES:
        return None
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cors(response: HttpResponse) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "no-store"
    return response


def text(given: Given, name: str) -> str:
    """A value as text; nothing where it is something else."""
    found = given.get(name)
    return str(found)[:_LONGEST] if isinstance(found, str | int) else ""
