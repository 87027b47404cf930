"""Metrics of one's own on screen: defined, tried, changed, retired, kept from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.lake import definitions, scorecards
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
NEW = "/metrics/definitions/new/"
SAID = {
    "title": "Urgent tickets",
    "key": "urgent_tickets",
    "table": "tickets",
    "measure": "count",
    "where": "priority = 'urgent'",
    "unit": "count",
    "good": "down",
    "about": "Tickets that cannot wait.",
}


@pytest.fixture(autouse=True)
def _no_definitions(workspace: Workspace) -> Iterator[None]:
    """The folder is shared by the tests: each leaves it as it was."""
    yield
    lake = lake_of(workspace)
    lake.lake.delete(definitions.NAME, "true")


def test_defined_on_a_board_and_over_http(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    made = client.post(NEW, SAID)
    assert made["Location"] == "/metrics/urgent_tickets/"
    page = client.get("/metrics/urgent_tickets/?wait=1").content.decode()
    assert "Urgent tickets" in page
    assert "number of tickets where priority = " in page
    assert client.get("/metrics/urgent_tickets/explain/").status_code == 200
    board = client.get("/metrics/?board=all").content.decode()
    assert "Your own" in board
    assert "Urgent tickets" in board
    listed = client.get("/metrics/definitions/").content.decode()
    assert cast.teammate.email in listed
    entry = AuditEntry.objects.get(verb="metric.defined")
    assert (entry.target, entry.details) == ("urgent_tickets", {"version": 1})
    own = client.post("/metrics/boards/new/", {"name": "Mine"})["Location"]
    client.post(f"{own}tiles/", {"do": "add", "tile": "urgent_tickets"})
    assert "urgent_tickets" in client.get(own).content.decode()


def test_tried_before_it_is_kept(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    lake = lake_of(workspace)
    events = {**SAID, "table": "events", "where": "", "measure": "unique"}
    for said, key in ((SAID, "tickets"), ({**events, "column": "user_id"}, "events")):
        page = client.post(
            NEW, {**said, "do": "preview"}, headers={"HX-Request": "true"}
        )
        text = page.content.decode()
        assert page.status_code == 200
        assert "<html" not in text
        hero = re.search(r'class="hero">([\d,]+)<', text)
        assert hero, (key, text)
    assert int(hero.group(1)) > 0
    assert definitions.history(lake.lake) == []
    wrong = client.post(NEW, {**SAID, "where": "colour = 1", "do": "preview"})
    assert "unknown column of tickets &#x27;colour&#x27;" in wrong.content.decode()
    assert definitions.history(lake.lake) == []


@pytest.mark.parametrize(
    "wrong",
    [{"key": "mrr"}, {"where": "priority ="}, {"measure": "sum"}, {"title": ""}],
)
def test_what_makes_no_metric_is_told(
    workspace: Workspace, cast: Cast, client_of: ClientOf, wrong: dict[str, Any]
) -> None:
    found = client_of(cast.teammate).post(NEW, {**SAID, **wrong})
    assert found.status_code == 422
    assert definitions.history(lake_of(workspace).lake) == []


def test_changed_and_retired(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    client.post(NEW, SAID)
    where = "/metrics/definitions/urgent_tickets/"
    changed = {**SAID, "key": "other", "where": "priority = 'high'"}
    assert client.post(where, changed).status_code == 302
    kept = definitions.history(lake_of(workspace).lake)
    assert [(k.definition.key, k.definition.version) for k in kept] == [
        ("urgent_tickets", 1),
        ("urgent_tickets", 2),
    ]
    assert "priority = &#x27;urgent&#x27;" in client.get(where).content.decode()
    assert client.post(f"{where}retire/").status_code == 302
    assert client.get("/metrics/urgent_tickets/").status_code == 404
    assert client.post(f"{where}retire/").status_code == 404
    assert client.get(where).status_code == 404
    assert "retired" in client.get("/metrics/definitions/").content.decode()


def test_who_may(workspace: Workspace, cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.teammate).post(NEW, SAID)
    where = "/metrics/definitions/urgent_tickets/"
    viewer, stranger = client_of(cast.viewer), client_of(cast.stranger)
    assert viewer.get("/metrics/definitions/").status_code == 200
    assert "Define a metric" not in viewer.get("/metrics/definitions/").content.decode()
    for path in (NEW, where):
        assert viewer.get(path).status_code in {403, 404}
        assert viewer.post(path, SAID).status_code in {403, 404}
    assert stranger.get(where).status_code == 404
    assert viewer.post(f"{where}retire/").status_code in {403, 404}
    assert len(definitions.history(lake_of(workspace).lake)) == 1
    listed = stranger.get("/metrics/definitions/").content.decode()
    assert "Urgent tickets" not in listed
    assert stranger.get("/metrics/urgent_tickets/").status_code == 404


def test_what_counts_in_a_score_stays(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    client.post(NEW, SAID)
    lake = lake_of(workspace)
    part = {"name": "urgent", "weight": 100, "metric": "urgent_tickets"}
    part["scale"] = {"linear": {"from": 5, "to": 0}}
    card = scorecards.written(lake, {"name": "Urgent", "components": [part]})
    scorecards.publish(lake, card, by="ada@x.io", note="Urgent tickets count")
    try:
        where = "/metrics/definitions/urgent_tickets/"
        page = client.post(f"{where}retire/", follow=True).content.decode()
        assert "counts in the scorecard in force" in page
        assert not definitions.history(lake.lake)[-1].is_retired
        assert not AuditEntry.objects.filter(verb="metric.retired").exists()
    finally:
        lake.lake.delete(scorecards.NAME, "true")
