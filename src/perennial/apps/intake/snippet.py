"""The browser snippet at `/snippet/v1.js`, for the pages of other origins.

A published version stays for ever at its address, so that address carries no hash:
browsers ask again after an hour and mostly hear that nothing has changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from perennial.ui import assets

#: Where js/build.mjs puts the versions.
FOLDER = assets.DIST / "snippet"
_MAX_AGE_S: Final = 3600
#: Content coding to the ending of the copy compressed by it, best first.
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}


@dataclass(frozen=True)
class Copy:
    """One file as it goes out."""

    body: bytes
    coding: str
    etag: str
    modified_s: int


@require_safe
@login_not_required
def v1(request: HttpRequest) -> HttpResponse:
    return _answer(request, "v1.js")


@require_safe
@login_not_required
def v1_show(request: HttpRequest) -> HttpResponse:
    """The part that draws on the page; loaded when there is something to show."""
    return _answer(request, "v1-show.js")


@require_safe
@login_not_required
def v1_pick(request: HttpRequest) -> HttpResponse:
    """The part that lets the team point at an element; loaded by a link of ours."""
    return _answer(request, "v1-pick.js")


def _answer(request: HttpRequest, name: str) -> HttpResponse:
    copy = _chosen(FOLDER / name, request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(copy.body, content_type="text/javascript; charset=utf-8")
    if copy.coding:
        response["Content-Encoding"] = copy.coding
    response["ETag"] = copy.etag
    response["Last-Modified"] = http_date(copy.modified_s)
    response["Cache-Control"] = f"public, max-age={_MAX_AGE_S}"
    patch_vary_headers(response, ["Accept-Encoding"])
    answer = get_conditional_response(
        request, copy.etag, copy.modified_s, response=response
    )
    assert isinstance(answer, HttpResponse)
    # Any page may load it, also one that asks for isolation from other origins.
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _chosen(path: Path, accepted: str) -> Copy:
    """The best copy that the browser takes. Raises Http404 where none was built."""
    wanted = _codings(accepted)
    for coding, ending in _CODINGS.items():
        copy = path.with_name(path.name + ending)
        if coding in wanted and copy.exists():
            return _read(copy, coding, copy.stat().st_mtime_ns)
    if not path.exists():
        raise Http404("the browser bundle was not built: npm run build in js/")
    return _read(path, "", path.stat().st_mtime_ns)


def _codings(accepted: str) -> set[str]:
    """The codings of an Accept-Encoding header that are not refused by `q=0`."""
    parts = (
        part.replace(" ", "").lower().partition(";q=") for part in accepted.split(",")
    )
    return {name for name, _, weight in parts if not weight or weight.strip("0.")}


@lru_cache(maxsize=8)
def _read(path: Path, coding: str, modified_ns: int) -> Copy:
    """Kept in memory until the file is built anew."""
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Copy(body, coding, f'"{digest}"', modified_ns // 10**9)
