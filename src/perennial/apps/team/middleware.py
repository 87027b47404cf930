"""Finds the workspace of a request, and refuses views that name no gate."""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language

from perennial.apps.team import queries
from perennial.apps.team.access import GATE
from perennial.apps.team.models import Membership, User
from perennial.apps.team.roles import Role
from perennial.ui.formats import Regional

logger = logging.getLogger(__name__)

#: Where the session remembers which of several workspaces is open.
SESSION_KEY = "workspace"


class WorkspaceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if isinstance(request.user, User):
            _enter(request, request.user)
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        if request.user.is_authenticated:
            patch_cache_control(response, private=True)
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: object,
        kwargs: object,
    ) -> None:
        if not getattr(view, "login_required", True):
            return  # public: `login_not_required` of Django
        if not hasattr(view, GATE):
            logger.error("view %s names no gate and is refused", view)
            raise Http404


def _enter(request: HttpRequest, user: User) -> None:
    wanted = request.session.get(SESSION_KEY)
    mine = list(queries.memberships_of(user))
    membership = queries.current(mine, wanted)
    request.memberships = mine  # type: ignore[attr-defined]
    request.membership = membership  # type: ignore[attr-defined]
    if membership is None:
        return
    request.workspace = membership.workspace  # type: ignore[attr-defined]
    request.role = Role(membership.role)  # type: ignore[attr-defined]
    regional = _regional(user, membership)
    request.regional = regional  # type: ignore[attr-defined]
    timezone.activate(zoneinfo.ZoneInfo(regional.timezone))


def _regional(user: User, membership: Membership) -> Regional:
    workspace = membership.workspace
    return Regional(
        locale=get_language() or "en",
        currency=workspace.currency,
        timezone=user.timezone or workspace.timezone,
    )
