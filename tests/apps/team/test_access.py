"""Every view of the site refuses whom it is not for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter

from perennial.apps.customers.converters import AccountId
from perennial.apps.team.access import GATE
from perennial.apps.team.middleware import WorkspaceMiddleware
from perennial.apps.team.models import User
from perennial.apps.team.roles import Role
from tests.apps.customers.company import GREEN
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


@dataclass(frozen=True)
class Route:
    path: str
    view: Callable[..., HttpResponse]

    @property
    def gate(self) -> str:
        if not getattr(self.view, "login_required", True):
            return "public"
        return str(getattr(self.view, GATE, ""))


def routes() -> Iterator[Route]:
    yield from _routes(get_resolver().url_patterns, "/")


def _routes(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Route]:
    for pattern in patterns:
        path = before + _filled(pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, path)
        else:
            yield Route(path, pattern.callback)


def _filled(pattern: URLPattern | URLResolver) -> str:
    """The route with a value for each of its parameters."""
    route = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        samples = {
            IntConverter: "1",
            UUIDConverter: str(uuid.UUID(int=1)),
            AccountId: GREEN,
        }
        value = samples.get(type(converter), "x")
        for start in range(len(route)):
            end = route.find(">", start)
            if route[start] == "<" and route[start : end + 1].rstrip(">").endswith(
                name
            ):
                route = route[:start] + value + route[end + 1 :]
                break
    return route.lstrip("^").rstrip("$")


ALL = list(routes())
CLOSED = [r for r in ALL if r.gate != "public"]
FOR_MEMBERS = [r for r in CLOSED if r.gate in Role.values]


def test_every_view_names_its_gate() -> None:
    assert not [route.path for route in ALL if not route.gate]


def test_there_is_something_to_check() -> None:
    assert {"/settings/people/", "/palette/"} <= {r.path for r in FOR_MEMBERS}


def answers(client: Client, routes: list[Route], verb: str) -> dict[str, int]:
    return {r.path: getattr(client, verb)(r.path).status_code for r in routes}


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["get", "post"])
def test_anonymous_people_are_sent_to_the_door(verb: str) -> None:
    for route in CLOSED:
        response = getattr(Client(), verb)(route.path)
        assert response.status_code == 302, route.path
        assert response["Location"].startswith("/sign-in/"), route.path


@pytest.mark.parametrize("verb", ["get", "post"])
def test_people_without_a_workspace_see_nothing(
    verb: str, cast: Cast, client_of: ClientOf
) -> None:
    codes = answers(client_of(cast.nobody), FOR_MEMBERS, verb)
    assert {path: code for path, code in codes.items() if code not in {404, 405}} == {}


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
def test_a_role_below_the_needed_one_is_refused(
    verb: str, role: Role, cast: Cast, client_of: ClientOf
) -> None:
    people = {
        Role.VIEWER: cast.viewer,
        Role.MEMBER: cast.teammate,
        Role.ADMIN: cast.admin,
    }
    too_high = [r for r in FOR_MEMBERS if not role.covers(Role(r.gate))]
    codes = answers(client_of(people[role]), too_high, verb)
    assert {path: code for path, code in codes.items() if code not in {403, 405}} == {}


def test_a_view_without_a_gate_is_refused(rf: RequestFactory) -> None:
    def forgotten(request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")

    middleware = WorkspaceMiddleware(lambda request: HttpResponse())
    with pytest.raises(Http404):
        middleware.process_view(rf.get("/"), forgotten, (), {})


def test_a_stranger_sees_the_own_workspace_only(
    cast: Cast, client_of: ClientOf
) -> None:
    page = client_of(cast.stranger).get("/settings/people/").content.decode()
    assert cast.stranger.email in page
    assert cast.owner.email not in page


@pytest.mark.parametrize("verb", ["role", "link", "remove"])
def test_a_stranger_cannot_reach_our_people(
    verb: str, cast: Cast, client_of: ClientOf
) -> None:
    target = cast.membership(cast.teammate)
    client = client_of(cast.stranger)
    response = client.post(f"/settings/people/{target.pk}/{verb}/", {"role": "owner"})
    assert response.status_code == 404
    target.refresh_from_db()
    assert target.role == Role.MEMBER


def test_a_stranger_cannot_open_our_workspace(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.stranger)
    response = client.post("/workspace/", {"key": cast.workspace.key})
    assert response.status_code == 404
    client.session["workspace"] = cast.workspace.key
    assert cast.owner.email not in client.get("/settings/people/").content.decode()


def test_pages_of_people_are_kept_by_nobody_else(
    cast: Cast, client_of: ClientOf
) -> None:
    assert "private" in client_of(cast.viewer).get("/profile/")["Cache-Control"]


def test_settings_open_their_first_page(cast: Cast, client_of: ClientOf) -> None:
    first = client_of(cast.admin).get("/settings/")["Location"]
    assert first == "/settings/workspace/"
    assert client_of(cast.viewer).get("/settings/")["Location"] == "/profile/"
