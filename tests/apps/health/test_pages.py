"""Health of all customers: who may see it, what it says, that it adds up."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.health import actions, explained, frozen, overview, queries
from perennial.apps.health.overview import Asked
from perennial.apps.health.queries import Day, Group
from perennial.apps.team.models import User, Workspace
from perennial.core.settings import HealthTargets
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import explanation
from perennial.scoring.scorecard import standard
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
PAGES = ["/health/", "/health/?by=mrr", "/health/movers/", "/health/whom-to-call/"]
PAGES += ["/health/scorecards/", "/health/scorecards/0/"]
PAGES += [reverse("health:account", args=[KESTREL])]


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(strip_tags(response.content.decode()).split())


@pytest.mark.parametrize("path", PAGES)
def test_the_door(
    path: str, workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    assert Client().get(path)["Location"].startswith("/sign-in/")
    assert client_of(cast.nobody).get(path).status_code == 404
    assert client_of(cast.viewer).get(path).status_code == 200


def test_a_stranger_sees_none_of_it(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    stranger = client_of(cast.stranger)
    assert "Kestrel" not in text(stranger, "/health/whom-to-call/")
    assert "0 of 1 account is red or orange" in text(stranger, "/health/")
    assert stranger.get(reverse("health:account", args=[KESTREL])).status_code == 404


def test_the_overview_says_what_is_true(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    """Kestrel is orange and Silent red; Greenfield is green, Fresh has no score."""
    page = text(client_of(cast.viewer), "/health/")
    assert re.search(r"2 of \d+ accounts are red or orange", page)
    now = queries.days(lake, AS_OF, "")[AS_OF]
    assert now.of("red").accounts == now.of("orange").accounts == 1
    lines = overview.lines(now, None)
    assert sum(line.accounts for line in lines) == overview.total(now, None).accounts
    assert sum(line.share or 0 for line in lines) == pytest.approx(1)
    assert "1 in onboarding" in page


def test_segments_narrow_every_number(lake: Lake) -> None:
    every = queries.days(lake, AS_OF, "")[AS_OF]
    segments = {"Mid-market", "Enterprise", "Small business"}
    parts = [queries.days(lake, AS_OF, s).get(AS_OF, Day()).all for s in segments]
    assert sum(p.accounts for p in parts) <= every.all.accounts
    assert sum(p.accounts for p in parts) > 0
    assert Asked("mrr", "A b").url(by="accounts") == "?segment=A+b"


def test_movers_are_those_whose_color_changed(lake: Lake) -> None:
    worse, better = queries.movers(lake, AS_OF, "", 10)
    colors = {"red": 0, "orange": 1, "yellow": 2, "green": 3}
    for found, sign in ((worse, -1), (better, 1)):
        assert found.count == len(found.rows)
        assert found.mrr == sum(row.account.mrr for row in found.rows)
        for row in found.rows:
            way = colors[row.account.color] - colors[row.before]
            assert way * sign > 0
            assert row.moved is not None


def test_whom_to_call_says_where_the_points_are(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    """Red before orange; Kestrel (42.8) lacks 37.2, most of them in frequency."""
    page = text(client_of(cast.viewer), "/health/whom-to-call/")
    assert page.index("Silent") < page.index("Kestrel")
    assert "37.2 Frequency up to +22.5" in page
    assert "no model tells chances of renewal yet" in page


def test_lists_are_files_too(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    rows = list(csv.DictReader(io.StringIO(
        client.get("/health/whom-to-call/?format=csv").content.decode()
    )))  # fmt: skip
    assert [row["color"] for row in rows] == ["red", "orange"]
    assert float(rows[1]["points_to_green"]) == pytest.approx(37.18, abs=0.01)
    worse, better = queries.movers(lake, AS_OF, "", 10)
    lines = client.get("/health/movers/?format=csv").content.decode().splitlines()
    assert len(lines) == 1 + worse.count + better.count
    weeks = client.get("/health/?format=csv").content.decode().splitlines()
    assert weeks[0] == "date,state,accounts,mrr"
    page = client.get("/health/?format=csv").content.decode()
    today = [r for r in csv.DictReader(io.StringIO(page)) if r["date"] == f"{AS_OF}"]
    day = queries.days(lake, AS_OF, "")[AS_OF]
    assert {r["state"]: int(r["accounts"]) for r in today} == {
        state: day.of(state).accounts for state in queries.STATES
    }
    own = client.get(reverse("health:account", args=[KESTREL]) + "?format=csv")
    parts = list(csv.DictReader(io.StringIO(own.content.decode())))
    last = [r for r in parts if r["date"] == f"{AS_OF}"]
    total = explanation.total([Decimal(r["contribution"]) for r in last])
    assert total == Decimal(float(last[0]["score"]))


def test_every_card_is_explained(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    card = standard(HealthTargets())
    draft = actions.start_draft(cast.membership(cast.owner), card, based_on=0)
    some = ("account", KESTREL), ("draft", draft.pk)
    own = [reverse(f"health:{name}", args=[of]) for name, of in some]
    shown = "".join(client.get(path).content.decode() for path in (*PAGES, *own))
    for topic, about in explained.TOPICS.items():
        url = reverse("health:explain", args=[topic])
        assert topic == "backtest" or url in shown, topic
        assert str(about.formula) in unescape(text(client, url))
    assert client.get(reverse("health:explain", args=["no"])).status_code == 404


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (None, "3 of 10 accounts are red or orange."),
        (1, "3 of 10 accounts are red or orange, 2 more than 28 days ago."),
        (5, "3 of 10 accounts are red or orange, 2 fewer than 28 days ago."),
        (3, "3 of 10 accounts are red or orange, as many as 28 days ago."),
    ],
)
def test_the_headline(before: int | None, said: str, regional: Regional) -> None:
    now = Day({"red": Group(3, 300_000), "green": Group(7, 700_000)})
    then = None if before is None else Day({"orange": Group(before, 1)})
    found = overview.headline(now, then, regional)
    assert found.lead == said
    assert found.rest == "They pay €30 a month, 30.0% of MRR."


def test_an_outage_is_said_on_every_page(
    workspace: Workspace,
    lake: Lake,
    cast: Cast,
    client_of: ClientOf,
    regional: Regional,
) -> None:
    assert frozen.notice(lake, regional) == ""
    day = AS_OF - timedelta(days=1)
    write(lake.lake, "data_incidents", [{"date": day, "events": 3, "expected": 90.0}])
    said = "only 3 events arrived, usual are 90"
    for path in PAGES[:4]:
        assert said in text(client_of(cast.viewer), path)


def test_without_data_it_says_what_will_be_here(
    cast: Cast, client_of: ClientOf
) -> None:
    assert "will be here" in text(client_of(cast.owner), "/health/")


def test_accounts_keep_their_score_on_their_page(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    for account, word in ((GREEN, "Green"), (SILENT, "Red")):
        page = text(client, reverse("health:account", args=[account]))
        assert word in page
        assert "Set the score" not in page, "viewers read"
