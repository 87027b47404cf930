"""Who may see what. Every view passes one of these three gates:

`@public` – anyone; `@signed_in` – any person with an account; and
`@role_required(Role.X)` – members of the workspace with that role or more.
`WorkspaceMiddleware` refuses a view without a gate, so access is denied by
default. A stranger, who is in no workspace, gets 404 and learns nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from perennial.apps.team.models import ApiToken, Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.ui.formats import Regional

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

#: The attribute a gate leaves on a view, for the middleware and the tests.
GATE = "perennial_gate"


class TeamRequest(HttpRequest):
    """A request of a member, in one workspace."""

    user: User
    workspace: Workspace
    membership: Membership
    role: Role
    regional: Regional
    htmx: HtmxDetails


class PersonRequest(HttpRequest):
    """A request of a person with an account, in a workspace or not."""

    user: User
    htmx: HtmxDetails


class TokenRequest(HttpRequest):
    """A request of a program, let in by its token."""

    auth: ApiToken


def public(view: Callable[P, R]) -> Callable[P, R]:
    setattr(view, GATE, "public")
    return login_not_required(view)


def signed_in(
    view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    setattr(view, GATE, "signed_in")
    return view  # type: ignore[return-value]


def role_required(
    needed: Role,
) -> Callable[
    [Callable[Concatenate[TeamRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Members with this role; others of the workspace get 403, strangers 404."""

    def decorate(
        view: Callable[Concatenate[TeamRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            membership = get_membership_or_404(request)
            if not membership.covers(needed):
                raise PermissionDenied
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        setattr(guarded, GATE, needed.value)
        return guarded

    return decorate


def get_membership_or_404(request: HttpRequest) -> Membership:
    membership = getattr(request, "membership", None)
    if not isinstance(membership, Membership):
        raise Http404
    return membership


def get_workspace_or_404(request: HttpRequest) -> Workspace:
    return get_membership_or_404(request).workspace
