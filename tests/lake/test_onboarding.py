"""Onboarding flows: who enters, and which steps they completed, from events."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from perennial.core.errors import BadValue
from perennial.lake import flowbook, merged, onboarding, places
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace
from tests.builders import clock, write

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
STEPS: list[dict[str, Any]] = [
    {"name": "In", "event": "Invite Accepted"},
    {"name": "Board", "event": "Board Changed", "where": "columns >= 3", "times": 2},
    {"name": "Call", "by": "hand"},
]
PEOPLE: dict[str, Any] = {"per": "user", "since": "2026-03-01", "steps": STEPS}


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def event(
    n: int, user: str, name: str, days: float, columns: int = 0
) -> dict[str, Any]:
    return {
        "event_id": f"e{n}",
        "event": name,
        "timestamp": at(days),
        "user_id": user,
        "properties": f'{{"columns": {columns}}}',
    }


EVENTS = [
    event(1, "ann", "Invite Accepted", 1),
    event(2, "ann", "Invite Accepted", 2),
    event(3, "ann", "Board Changed", 2, 2),
    event(4, "ann", "Board Changed", 3, 3),
    event(5, "ann", "Board Changed", 5, 4),
    event(6, "ann", "Board Changed", 6, 4),
    event(7, "bob", "Board Changed", 3, 9),
    event(8, "bob", "Invite Accepted", 4),
    event(9, "old", "Invite Accepted", 4),
    event(10, "ann", "Invite Accepted", -20),  # before she came
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    lake = Lake(tmp_path / "lake")
    write(lake, "accounts", [
        {"account_id": "acme", "created_at": at(0), "plan": "pro"},
        {"account_id": "beta", "created_at": at(1), "plan": "free"},
        {"account_id": "past", "created_at": at(-90), "plan": "pro"},
    ])  # fmt: skip
    write(lake, "users", [
        {"user_id": "ann", "created_at": at(0)},
        {"user_id": "bob", "created_at": at(1)},
        {"user_id": "old", "created_at": at(-80)},
        {"user_id": "own", "created_at": at(1), "is_internal": True},
    ])  # fmt: skip
    write(lake, "memberships", [
        {"user_id": user, "account_id": account, "starts_at": at(0)}
        for user, account in (
            ("ann", "acme"), ("bob", "beta"), ("old", "past"), ("own", "acme")
        )
    ])  # fmt: skip
    return Workspace(lake, clock=clock(at(10)))


def steps(workspace: Workspace, *columns: str) -> list[tuple[Any, ...]]:
    rows = workspace.engine.run(workspace.table("onboarding_steps"))
    return rows.select("account_id", "user_id", "step", *columns).sort(pl.all()).rows()


def entries(workspace: Workspace) -> list[tuple[Any, ...]]:
    rows = workspace.engine.run(workspace.table("onboarding_entries"))
    return rows.select("account_id", "user_id", "version").sort(pl.all()).rows()


DONE = [
    ("acme", "ann", "Board", at(5)),
    ("acme", "ann", "In", at(1)),
    ("beta", "bob", "In", at(4)),
]


def load(workspace: Workspace, parts: Sequence[Sequence[dict[str, Any]]]) -> None:
    for part in parts:
        write(workspace.lake, "events", part)
        workspace.roll_up()


@pytest.mark.parametrize("seed", range(3))
def test_any_split_and_order_of_events_gives_the_same(
    workspace: Workspace, seed: int
) -> None:
    flowbook.publish(workspace, "Start", PEOPLE, by="eva")
    drawn = random.Random(seed)
    mixed = drawn.sample(EVENTS, len(EVENTS))
    cut = drawn.randint(1, len(mixed) - 1)
    # The second load brings some events again.
    load(workspace, [mixed[:cut], mixed[max(0, cut - 2) :]])
    assert entries(workspace) == [("acme", "ann", 1), ("beta", "bob", 1)]
    assert steps(workspace, "completed_at") == DONE
    before = workspace.lake.snapshot("onboarding_steps").version
    workspace.roll_up()
    assert workspace.lake.snapshot("onboarding_steps").version == before


def test_people_tick_and_other_tools_tell(workspace: Workspace) -> None:
    load(workspace, [EVENTS])
    given = {"flow": "Start", "step": "In", "position": 1, "completed_at": at(0)}
    write(workspace.lake, "onboarding_steps", [
        {**given, "account_id": "acme", "user_id": "ann"},
        {**given, "account_id": "past", "user_id": "old"},
        {**given, "flow": "Other", "account_id": "acme", "user_id": "ann"},
    ])  # fmt: skip
    flowbook.publish(workspace, "Start", PEOPLE, by="eva")
    flowbook.tick(workspace, "Start", "Call", "acme", "ann", at=at(8), by="eva")
    workspace.roll_up()
    told = steps(workspace, "completed_at", "version", "position")
    assert told == [
        ("acme", "ann", "Board", at(5), 1, 2),
        ("acme", "ann", "Call", at(8), 1, 3),
        ("acme", "ann", "In", at(0), None, 1),
        ("acme", "ann", "In", at(0), None, 1),
        ("beta", "bob", "In", at(4), 1, 1),
        ("past", "old", "In", at(0), None, 1),
    ]
    flowbook.tick(workspace, "Start", "Call", "acme", "ann", at=None, by="eva")
    workspace.roll_up()
    assert "Call" not in {row[2] for row in steps(workspace)}
    funnel = workspace.metric(
        "onboarding_funnel", start="2026-03-01", end="2026-03-12", by=["step"],
        where="flow = 'Start'",
    )  # fmt: skip
    people = funnel.rows.sort("step").select("step", "n").rows()
    # What was told of Ann goes with her version. In that, nobody took the last step,
    # and it counts all the same; of the other tool only one step is known.
    whole = workspace.metric(
        "onboarding_funnel", start="2026-03-01", end="2026-03-12",
        where="flow = 'Start'",
    )  # fmt: skip
    assert whole.rows.select("numerator", "denominator").rows() == [(1, 3)]
    assert sorted(people) == [("Board", 1), ("In", 3)]


def test_versions_conditions_and_accounts(workspace: Workspace) -> None:
    load(workspace, [EVENTS])
    pro = {"all": [{"field": "plan", "op": "is", "value": ["pro"]}]}
    seats = {"all": [{"field": "assigned_users", "op": "at_least", "value": 1}]}
    document = {
        "per": "account",
        "since": "2026-03-01",
        "who": pro,
        "steps": [
            {"name": "In", "event": "Invite Accepted", "times": 3},
            {"name": "Seats", "condition": seats},
        ],
    }
    flowbook.publish(workspace, "Team", document, by="eva")
    workspace.refresh()
    assert entries(workspace) == [("acme", None, 1)]
    today = datetime(2026, 3, 12, tzinfo=UTC)
    # The one before the account was there does not count.
    assert steps(workspace, "completed_at") == [("acme", None, "Seats", today)]
    # Reaching back as far, it stands in for the first one; for all it lets others in.
    second = {**document, "who": {"all": []}, "steps": document["steps"][1:]}
    assert flowbook.publish(workspace, "Team", second, by="eva") == 2
    assert flowbook.publish(workspace, "Team", second, by="eva") == 2
    workspace.refresh()
    assert entries(workspace) == [("acme", None, 2), ("beta", None, 2)]
    assert steps(workspace, "version") == [
        ("acme", None, "Seats", 2), ("beta", None, "Seats", 2)
    ]  # fmt: skip
    # Narrowed down again, whom it does not fit leaves, with the steps.
    flowbook.publish(workspace, "Team", {**second, "who": pro}, by="eva")
    workspace.refresh()
    assert entries(workspace) == [("acme", None, 3)]
    assert steps(workspace, "version") == [("acme", None, "Seats", 3)]
    with pytest.raises(BadValue, match="stays so"):
        flowbook.publish(workspace, "Team", PEOPLE, by="eva")
    who = {"all": [{"field": "member_of", "op": "is", "value": ["gone"]}]}
    with pytest.raises(BadValue, match="who: there is no segment 'gone'"):
        flowbook.publish(workspace, "Team", {**second, "who": who}, by="eva")


def test_people_take_a_step_when_their_account_meets_a_condition(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(workspace, [EVENTS])
    pro = {"all": [{"field": "plan", "op": "is", "value": ["pro"]}]}
    listed = [{"name": "Bought", "condition": pro}, STEPS[0]]
    flowbook.publish(workspace, "People", {**PEOPLE, "steps": listed}, by="eva")
    workspace.refresh()
    today = datetime(2026, 3, 12, tzinfo=UTC)
    first = [("acme", "ann", "Bought", today), ("acme", "ann", "In", at(1)),
             ("beta", "bob", "In", at(4))]  # fmt: skip
    assert steps(workspace, "completed_at") == first
    # Nobody's account meets it anew: nobody's events are read.
    monkeypatch.setattr(workspace, "_clock", clock(at(11)))
    with monkeypatch.context() as patch:
        patch.setattr(onboarding, "_write", lambda *given: told.append(list(given[-1])))
        told: list[list[object]] = []
        workspace.refresh()
        assert told == [[]]
    row = {"account_id": "beta", "created_at": at(1), "plan": "pro"}
    write(workspace.lake, "accounts", [row])
    monkeypatch.setattr(workspace, "_clock", clock(at(12)))
    workspace.refresh()
    late = ("beta", "bob", "Bought", datetime(2026, 3, 14, tzinfo=UTC))
    assert steps(workspace, "completed_at") == sorted([*first, late])


def test_of_merged_accounts_steps_are_ticked_as_one(workspace: Workspace) -> None:
    """`acme` is in the flow and counts as `past`, which began before it: what happens
    to `past`, and is ticked there, is `acme`'s way, until they are two again."""
    load(workspace, [EVENTS])
    document = {"per": "account", "since": "2026-03-01", "steps": STEPS[::2]}
    flowbook.publish(workspace, "Team", document, by="eva")
    workspace.roll_up()
    before = entries(workspace), steps(workspace)
    assert ("acme", None, "In") in before[1]
    merged.merge(workspace, "acme", "past", by="eva")
    flowbook.tick(workspace, "Team", "Call", "past", None, at=at(8), by="eva")
    workspace.roll_up()
    [place] = places.places(workspace, "Team", account="past")
    assert set(place.done) == {"In", "Call"}
    flowbook.tick(workspace, "Team", "Call", "past", None, at=None, by="eva")
    workspace.roll_up()
    assert set(places.places(workspace, "Team", account="past")[0].done) == {"In"}
    flowbook.tick(workspace, "Team", "Call", "past", None, at=at(8), by="eva")
    workspace.roll_up()
    merged.part(workspace, "acme")
    workspace.roll_up()
    assert (entries(workspace), steps(workspace)) == before


def test_nobody_enters_a_flow_that_is_stopped(workspace: Workspace) -> None:
    flowbook.publish(workspace, "Start", PEOPLE, by="eva")
    load(workspace, [EVENTS[:1]])
    flowbook.stop(workspace, "Start", by="eva")
    write(workspace.lake, "users", [{"user_id": "cil", "created_at": at(2)}])
    write(workspace.lake, "memberships", [{"user_id": "cil", "account_id": "beta"}])
    load(workspace, [EVENTS[1:]])
    assert entries(workspace) == [("acme", "ann", 1), ("beta", "bob", 1)]
    assert steps(workspace, "completed_at") == DONE
    assert not flowbook.known(workspace.lake)["Start"].version_of(date(2026, 1, 1))
