"""Boards of one's own: arranged, shared, kept from others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from perennial.apps.reports import boards
from perennial.apps.reports.models import Board
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.core.errors import BadValue, UnknownName
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


@pytest.fixture
def board(cast: Cast) -> Board:
    member = cast.membership(cast.teammate)
    return boards.create(member, "Mornings", ["mrr", "dau", "stickiness"])


def on_page(client: Client, path: str) -> list[str]:
    """Titles of the tiles of a page, in order."""
    page = client.get(f"{path}&wait=1").content.decode()
    return re.findall(r'<a class="tile".*?<span class="name">(.*?)</span>', page, re.S)


def test_a_board_is_made_arranged_and_shown(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    made = client.post("/metrics/boards/new/", {"name": "Mornings"})
    board = Board.objects.get()
    assert made["Location"] == f"/metrics/boards/{board.pk}/"
    where = f"/metrics/boards/{board.pk}/tiles/"
    for do, tile in (
        ("add", "mrr"),
        ("add", "stickiness:weekdays_only"),
        ("add", "dau"),
        ("add", "mrr"),
        ("earlier", "dau"),
        ("earlier", "dau"),
        ("earlier", "dau"),
        ("remove", "mrr"),
    ):
        client.post(where, {"do": do, "tile": tile})
    board.refresh_from_db()
    assert board.tiles == ["dau", "stickiness:weekdays_only"]
    shown = on_page(client, f"/metrics/?board={board.pk}")
    assert shown == ["Daily active users", "Stickiness"]
    page = client.get(f"/metrics/?board={board.pk}&wait=1").content.decode()
    assert "Monday to Friday" in page


def test_what_is_no_number_is_refused(board: Board) -> None:
    for text in ("nothing", "stickiness:sideways", "mrr_movements"):
        with pytest.raises(UnknownName):
            boards.add(board, text)
    with pytest.raises(BadValue):
        boards.change(
            board, " ", is_shared=False, by=board.workspace.memberships.first()
        )


def test_others_see_it_once_it_is_shared(
    workspace: Workspace, board: Board, cast: Cast, client_of: ClientOf
) -> None:
    path, edit = f"/metrics/?board={board.pk}", f"/metrics/boards/{board.pk}/"
    others = {cast.viewer: 404, cast.admin: 404, cast.stranger: 404}
    for user, code in others.items():
        assert client_of(user).get(path).status_code == code
    mine = client_of(cast.teammate)
    mine.post(edit, {"name": "Mornings", "is_shared": "on"})
    assert client_of(cast.viewer).get(path).status_code == 200
    assert client_of(cast.viewer).get(edit).status_code == 403
    assert client_of(cast.admin).get(edit).status_code == 200
    assert client_of(cast.stranger).get(path).status_code == 404
    assert "board.shared" in AuditEntry.objects.values_list("verb", flat=True)


def test_a_metric_is_added_from_its_page(
    workspace: Workspace, board: Board, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    page = client.get("/metrics/wau/").content.decode()
    assert f'action="/metrics/boards/{board.pk}/tiles/"' in page
    given = {"do": "add", "tile": "wau", "from": "metric"}
    answer = client.post(f"/metrics/boards/{board.pk}/tiles/", given)
    assert answer["Location"] == "/metrics/wau/"
    board.refresh_from_db()
    assert board.tiles[-1] == "wau"


def test_a_board_of_unknown_metrics_still_stands(
    workspace: Workspace, board: Board, cast: Cast, client_of: ClientOf
) -> None:
    Board.objects.update(tiles=["gone", "mrr"])
    shown = on_page(client_of(cast.teammate), f"/metrics/?board={board.pk}")
    assert shown == ["Monthly recurring revenue"]


def test_it_is_deleted(
    workspace: Workspace, board: Board, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    client.post(f"/metrics/boards/{board.pk}/delete/")
    assert not Board.objects.exists()
    assert client.get(f"/metrics/?board={board.pk}").status_code == 404
