"""Guides in the lake: told once, of use to segments and funnels, and nobody's activity."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from perennial.apps.customers import condition_words
from perennial.apps.guides.loading import load_waiting
from perennial.apps.guides.models import Guide, Told
from perennial.apps.intake.stream import loader
from perennial.apps.reports import funnel
from perennial.apps.reports.results import Answers
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import UnknownName
from perennial.lake import guided
from perennial.lake.matching import matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import conditions
from tests.apps.customers.company import GREEN
from tests.apps.guides.conftest import Cast, Clock, Live, Snippet
from tests.apps.guides.test_showing import begun, tell

_ACTIVITY = ("user_days", "account_days", "feature_days", "sessions")


def told_events(lake: Lake) -> list[dict[str, str]]:
    rows = lake.lake.read("events").to_pylist()
    return [row for row in rows if row["source_id"] == guided.SOURCE]


def offered(workspace: Workspace) -> dict[str, str]:
    """What conditions can say of guides."""
    return {
        option.value: str(option.label)
        for group in condition_words.fields(condition_words.Choices(workspace))
        for option in group.options
        if option.value.startswith("guide:")
    }


def fits(lake: Lake, name: str, op: str, value: int = 1) -> list[str]:
    row = {"field": f"guide:{name}", "op": op, "value": value, "days": 7}
    return matching(lake, conditions.read(row))


def test_what_was_told_is_in_the_lake_once_and_makes_nobody_active(
    snippet: Snippet,
    workspace: Workspace,
    lake: Lake,
    live: Live,
    moving: Clock,
    cast: Cast,
    client_of: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert offered(workspace) == {}
    assert "$guide_seen" not in funnel.offered(Answers(workspace))
    guide = live("tour", "Welcome")
    # From the moment it is in force, before anybody saw it.
    assert offered(workspace) == {
        f"guide:seen/{guide.pk}": "Guide “Welcome” seen",
        f"guide:finished/{guide.pk}": "Guide “Welcome” finished",
        f"guide:dismissed/{guide.pk}": "Guide “Welcome” closed",
        f"guide:lost/{guide.pk}": "Guide “Welcome”: element not found",
    }
    assert "$guide_seen" in funnel.offered(Answers(workspace))
    assert offered(cast.elsewhere) == {}
    shown = begun(snippet)
    for did, step in (
        ("seen", ""),
        ("step", "welcome"),
        ("lost", "here"),
        ("done", ""),
    ):
        assert tell(snippet, shown, did, step) == 200
    # It is killed after the rows are written, before that is noted.
    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "update", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load_waiting()
    assert Told.objects.filter(is_loaded=False).count() == 4
    loader.drain(workspace)
    assert not Told.objects.filter(is_loaded=False).exists()
    found = told_events(lake)
    assert sorted(row["event"] for row in found) == [
        "$guide_finished",
        "$guide_lost",
        "$guide_seen",
        "$guide_step_seen",
    ]
    [step] = (row for row in found if row["event"] == "$guide_step_seen")
    assert (step["user_id"], step["account_id"]) == ("g1", GREEN)
    assert json.loads(step["properties"]) == {
        "guide_id": str(guide.pk),
        "guide": "Welcome",
        "form": "walkthrough",
        "variant": "a",
        "step": "welcome",
    }
    before = {name: lake.lake.read(name).num_rows for name in _ACTIVITY}
    moving.forward(days=1)
    lake.refresh()
    assert before == {name: lake.lake.read(name).num_rows for name in _ACTIVITY}
    _segments_and_funnels_know_it(lake, guide)
    page = client_of(cast.viewer).get(
        reverse("customers:timeline", args=[GREEN]) + "?kind=guide"
    )
    assert "<b>Welcome</b> seen by 1 person, finished by 1" in page.content.decode()


def _segments_and_funnels_know_it(lake: Lake, guide: Guide) -> None:
    assert fits(lake, f"finished/{guide.pk}", "at_least") == [GREEN]
    assert fits(lake, f"finished/{guide.pk}", "at_least", 2) == []
    assert GREEN not in fits(lake, f"seen/{guide.pk}", "less_than")
    # Another guide, whose number begins alike.
    assert fits(lake, f"finished/{guide.pk}0", "at_least") == []
    assert fits(lake, f"dismissed/{guide.pk}", "at_least") == []
    with pytest.raises(UnknownName):
        fits(lake, f"eaten/{guide.pk}", "at_least")
    steps = {"steps": "$guide_seen,$guide_finished", "within_days": "7"}
    [row] = lake.metric("funnel", as_of=lake.today, params=steps).rows.to_dicts()
    assert (row["value"], row["n"]) == (1.0, 1)
