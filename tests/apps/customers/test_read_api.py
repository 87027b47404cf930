"""Users, events and health for programs, and how the API refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from perennial.apps.team.models import ApiToken
from tests.apps.customers.company import KESTREL
from tests.apps.customers.test_api import account, client
from tests.apps.team.cast import Cast


@pytest.fixture
def data(then: Path) -> Path:
    return then


@pytest.fixture
def bob(data: Path, cast: Cast) -> Client:
    return client(cast, cast.teammate)


def pages(browser: Client, path: str, **asked: Any) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while cursor is not None:
        answer = browser.get(f"/api/v1/{path}", {**asked, "limit": 7, "cursor": cursor})
        assert answer.status_code == 200, answer.content
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    return found


def test_users_in_pages(bob: Client) -> None:
    everybody = pages(bob, "users")
    ids = [user["user_id"] for user in everybody]
    assert ids == sorted(set(ids))
    theirs = pages(bob, "users", account_id=KESTREL)
    assert theirs == [user for user in everybody if KESTREL in user["account_ids"]]
    assert theirs
    one = bob.get(f"/api/v1/users/{theirs[0]['user_id']}").json()
    assert one == theirs[0]
    assert bob.get("/api/v1/users/nobody").status_code == 404


def test_events_in_the_order_they_happened(bob: Client) -> None:
    every = {"start": "2020-01-01", "end": "2100-01-01", "account_id": KESTREL}
    found = pages(bob, "events", **every)
    moments = [event["timestamp"] for event in found]
    assert moments == sorted(moments)
    assert len({event["event_id"] for event in found}) == len(found) > 7
    name = found[0]["event"]
    alike = pages(bob, "events", **every, event=name)
    assert alike == [event for event in found if event["event"] == name]
    assert pages(bob, "events", **{**every, "start": "2099-01-01"}) == []


def test_properties_are_not_for_tokens_that_only_read(data: Path, cast: Cast) -> None:
    reader = client(cast, cast.teammate, ApiToken.Scope.READ)
    found = pages(reader, "events", start="2020-01-01", end="2100-01-01")
    assert {event["properties"] is None for event in found} == {True}


@pytest.mark.parametrize(
    "asked",
    [
        {"start": "2026-01-02", "end": "2026-01-01"},
        {"start": "0001-01-01"},
        {"end": "9999-12-31"},
        {"cursor": "eA=="},
        {"cursor": "WzEsMiwzXQ=="},
    ],
)
def test_events_that_cannot_be_meant(bob: Client, asked: dict[str, str]) -> None:
    assert bob.get("/api/v1/events", asked).status_code == 400


def test_health_in_pages_and_of_one_account(bob: Client) -> None:
    found = pages(bob, "health")
    [kestrel] = [row for row in found if row["account_id"] == KESTREL]
    assert kestrel["color"] == "orange"
    assert {"name", "value", "weight", "contribution"} <= set(kestrel["components"][0])
    path = account(KESTREL).replace("accounts/", "health/")
    assert bob.get(f"/api/v1/{path}").json() == [kestrel]
    [explained] = bob.get(f"/api/v1/{path}", {"explain": "true"}).json()
    assert "delta" in explained["components"][0]
    days = [r["date"] for r in bob.get(f"/api/v1/{path}", {"history": "true"}).json()]
    assert days == sorted(days)
    assert bob.get("/api/v1/health/nobody").status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("path", ["health", "metrics/nps"])
def test_days_no_window_fits_around(bob: Client, path: str, day: str) -> None:
    answer = bob.get(f"/api/v1/{path}", {"as_of": day})
    assert answer.status_code == 400
    assert day in answer.json()["detail"]


def test_an_unknown_verb_and_an_unknown_account_are_problems(bob: Client) -> None:
    answer = bob.delete("/api/v1/accounts")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "this address takes GET"
    missing = bob.get("/api/v1/accounts/nobody").json()
    assert missing["detail"] == "there is nothing here"
