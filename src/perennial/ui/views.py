from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from perennial.ui import styleguide as samples
from perennial.ui.context import THEMES


@require_POST
@login_not_required
def set_theme(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme", "")
    response = _back(request)
    if chosen in THEMES:
        _remember(response, "theme", chosen)
    return response


@require_POST
@login_not_required
def set_language(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("language", "")
    response = _back(request)
    if chosen in dict(settings.LANGUAGES):
        _remember(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


def _remember(response: HttpResponse, name: str, value: str) -> None:
    year = 365 * 24 * 3600
    is_secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=year, samesite="Lax", secure=is_secure)


def _back(request: HttpRequest) -> HttpResponse:
    came_from = request.META.get("HTTP_REFERER", "")
    is_safe = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    return redirect(came_from if is_safe else settings.LOGIN_REDIRECT_URL)


@login_not_required
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component on one page; routed in DEBUG only."""
    return render(request, "ui/styleguide.html", samples.context())


# --- errors ------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "ui/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "ui/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "ui/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the context of a request: what failed may be what it needs."""
    return render(None, "ui/500.html", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "ui/csrf.html", status=403)
