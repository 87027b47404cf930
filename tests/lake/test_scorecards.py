"""Scorecards through the lake: versions, snapshots, transitions, what people say."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import BadValue
from perennial.lake import (
    definitions,
    healthbook,
    incidents,
    scorecards,
    segments,
    snapshots,
)
from perennial.lake.segmentbook import Segment
from perennial.metrics.conditions import Row
from perennial.scoring.documents import BadScorecard
from perennial.scoring.scorecard import with_tried
from perennial.scoring.scorecard_reading import read
from perennial.scoring.scorecard_text import to_document
from tests.builders import Case

DAY = date(2026, 6, 1)
DEPTH = {"name": "depth", "weight": 40, "measure": "depth"}
SEATS = {
    "name": "license_use",
    "weight": 60,
    "metric": "license_utilization",
    "direction": "up",
    "scale": {"target": 1},
}
CARD: dict[str, Any] = {"name": "Ours", "components": [SEATS, DEPTH]}


def company(path: Path) -> Case:
    """Two customers: `used` with 5 of 10 seats active, `idle` with none of 4."""
    case = Case(path)
    case.facts(
        "accounts",
        {"account_id": "used", "segment": "Large", "created_at": "2025-01-01T00:00"},
        {"account_id": "idle", "segment": "Small", "created_at": "2025-01-01T00:00"},
    )
    case.facts(
        "subscription_items",
        *(
            {
                "subscription_id": account,
                "account_id": account,
                "item_id": "",
                "mrr": 100,
                "valid_from": "2025-01-01T00:00",
            }
            for account in ("used", "idle")
        ),
    )
    case.facts(
        "seat_contracts",
        {"account_id": "used", "seats": 10},
        {"account_id": "idle", "seats": 4},
    )
    case.facts("features", {"feature_id": "k", "is_key": True})
    case.events(*((f"u{n}", "used", "2026-05-28T10:00", "k") for n in range(5)))
    return case


def on(case: Case, day: date, account: str = "used", **asked: Any) -> dict[str, Any]:
    (row,) = healthbook.scores(case.workspace, account=account, as_of=day, **asked)
    return row


def values(row: dict[str, Any]) -> dict[str, Any]:
    return {part["name"]: part["value"] for part in row["components"]}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Scored by the built-in card on 1 June, by another from the day after on."""
    case = company(tmp_path_factory.mktemp("cards"))
    case.refresh(as_of="2026-06-01")
    scorecards.publish(case.workspace, read(CARD), by="ada@x.io", note="Seats count")
    case.at("2026-06-02T06:00")
    case.refresh(as_of="2026-06-02")
    return case


def test_versions_are_numbered_and_never_rewritten(case: Case) -> None:
    built_in, first = scorecards.history(case.workspace)
    assert (built_in.number, built_in.card.name) == (0, "Standard")
    assert (first.number, first.published_by, first.note) == (
        1,
        "ada@x.io",
        "Seats count",
    )
    assert first.card == read(CARD)
    with pytest.raises(BadValue, match="is the same"):
        scorecards.publish(case.workspace, read(CARD), by="x", note="")
    odd = {**CARD, "profiles": [{"name": "A", "when": "moon = 1"}, {"name": "B"}]}
    with pytest.raises(BadScorecard, match="unknown attribute"):
        scorecards.publish(case.workspace, read(odd), by="x", note="")
    with pytest.raises(BadValue, match="known: 0, 1"):
        scorecards.version(case.workspace, 7)


def test_a_card_that_cannot_be_computed_is_not_published(case: Case) -> None:
    steps = {"steps": "a,b", "within_days": "soon"}
    bad = {**SEATS, "metric": "funnel", "params": steps}
    with pytest.raises(BadValue, match="within_days must be"):
        scorecards.publish(
            case.workspace, read({**CARD, "components": [bad, DEPTH]}), by="x", note=""
        )


def test_snapshots_keep_the_version_they_were_scored_by(case: Case) -> None:
    before, after = on(case, DAY), on(case, DAY + timedelta(days=1))
    assert (before["version"], before["recomputed"]) == (0, False)
    assert list(values(before)) == ["frequency", "breadth", "depth", "growth"]
    assert (after["version"], list(values(after))) == (1, ["license_use", "depth"])
    assert values(after)["license_use"] == 50
    assert after["components"][0]["measured"] == 0.5
    parts = [part["contribution"] for part in after["components"]]
    assert sum(parts) == after["score"] == pytest.approx(0.6 * 50 + 0.4 * 80)


def test_any_day_under_any_version(case: Case) -> None:
    tried = healthbook.tried(case.workspace, {"version": "1"})
    row = on(case, DAY, card=tried)
    assert (row["version"], row["recomputed"]) == (1, True)
    assert row["score"] == on(case, DAY + timedelta(days=1))["score"]
    back = healthbook.tried(case.workspace, {"version": "0"})
    assert on(case, DAY, card=back)["score"] == on(case, DAY)["score"]


def test_the_change_adds_up_over_a_change_of_version(case: Case) -> None:
    day = DAY + timedelta(days=28)
    case.at("2026-06-29T06:00")
    case.refresh(as_of=day)
    row = on(case, day, explain=True)
    names = [part["name"] for part in row["components"]]
    assert names == ["license_use", "depth", "frequency", "breadth", "growth"]
    deltas = [part["delta"] for part in row["components"]]
    assert sum(deltas) == pytest.approx(row["score_change"], abs=1e-12)
    assert row["score_change"] == row["score"] - on(case, DAY)["score"]


def test_another_version_is_no_loss_of_health(case: Case) -> None:
    found = {r["cause"] for r in case.table("health_transitions")
             if r["date"] == DAY + timedelta(days=1)}  # fmt: skip
    assert found <= {"model_change"}


def test_a_count_of_nothing_is_zero_and_no_data_is_none(tmp_path: Path) -> None:
    case = company(tmp_path)
    sessions = {"name": "s", "weight": 50, "metric": "sessions", "scale": {"target": 5}}
    voice = {"name": "v", "weight": 50, "metric": "nps",
             "scale": {"linear": {"from": -100, "to": 100}}}  # fmt: skip
    case.roll_up()
    tried = read({"name": "T", "components": [sessions, voice]})
    assert values(on(case, DAY, "idle", card=tried)) == {"s": 0, "v": None}
    assert values(on(case, DAY, "used", card=tried)) == {"s": 100, "v": None}


def test_profiles_by_attribute_age_and_money(tmp_path: Path) -> None:
    case = company(tmp_path)
    case.roll_up()
    for when, expected in (
        ("segment = 'Large'", "A"),
        ("segment = 'Small'", "B"),
        ("age_days < 500 or mrr > 100", "B"),
        ("age_days < 600 and mrr >= 100 and is_trial = false", "A"),
    ):
        profiles = [{"name": "A", "when": when, "cuts": [1, 2, 3]}, {"name": "B"}]
        card = read({**CARD, "profiles": profiles})
        frame = case.workspace.health(as_of=DAY, account="used", card=card)
        colors = {"A": "green", "B": "yellow"}
        assert frame["color"].to_list() == [colors[expected]], when


def test_profiles_by_saved_segment(tmp_path: Path) -> None:
    case = company(tmp_path)
    case.roll_up()
    meant = Row("segment", "is", ("Large",))
    segments.keep(case.workspace, Segment("big", "Big", meant), by="al")
    member = {"segment": "big", "account_id": "used", "starts_on": DAY}
    case.facts("segment_members", member)
    for when, expected in (
        ("in_segment in ('big', 'other') and age_days < 600", "green"),
        ("not in_segment = 'big' or mrr > 1000", "yellow"),
    ):
        profiles = [{"name": "A", "when": when, "cuts": [1, 2, 3]}, {"name": "B"}]
        card = read({**CARD, "profiles": profiles})
        frame = case.workspace.health(as_of=DAY, account="used", card=card)
        assert frame["color"].to_list() == [expected], when
    for when, said in (
        ("in_segment = 'gone'", "unknown segment 'gone'"),
        ("in_segment > 'big'", "compared with = or in"),
    ):
        profiles = [{"name": "A", "when": when}, {"name": "B"}]
        with pytest.raises(BadScorecard, match=rf"profiles\[0\].when: .*{said}"):
            scorecards.written(case.workspace, {**CARD, "profiles": profiles})


def test_a_condition_leaves_the_others_out(case: Case) -> None:
    rows = healthbook.scores(case.workspace, as_of=DAY, where="segment = 'Small'")
    assert [row["account_id"] for row in rows] == ["idle"]


def test_what_people_say(tmp_path: Path) -> None:
    """A pulse holds for its days, an override for its own; both are dated."""
    case = company(tmp_path)
    pulse = {"name": "relationship", "weight": 100, "pulse": {"expires_days": 10}}
    scorecards.publish(
        case.workspace, read({"name": "P", "components": [pulse]}), by="x", note=""
    )
    said = {"account_id": "used", "author": "ada@x.io", "said_at": "2026-05-20T10:00"}
    case.facts(
        "health_pulses",
        {**said, "pulse_id": "1", "value": 30, "date": "2026-05-20"},
        {**said, "pulse_id": "2", "value": 70, "date": "2026-05-25"},
    )
    case.facts(
        "health_overrides",
        {
            "override_id": "o", "account_id": "used", "score": 20, "reason": "Champion left",
            "author": "ada@x.io", "starts_on": "2026-06-01", "ends_on": "2026-06-03",
            "set_at": "2026-06-01T05:00",
        },
    )  # fmt: skip
    case.roll_up()
    days = [date(2026, *d) for d in
            [(5, 19), (5, 20), (5, 25), (6, 1), (6, 2), (6, 3), (6, 4)]]  # fmt: skip
    rows = snapshots.compute(case.workspace, days).sort("date")
    found = rows.filter(account_id="used")
    assert found["score"].to_list() == [None, 30, 70, 20, 20, 70, None]
    assert found["computed_score"].to_list() == [None, 30, 70, 70, 70, 70, None]
    parts = json.loads(found["parts"][3])
    assert [p["contribution"] for p in parts] == [70, -50]
    assert parts[1]["name"] == "override"


def test_late_data_and_new_versions_leave_stored_days_alone(tmp_path: Path) -> None:
    case = company(tmp_path)
    case.refresh(as_of="2026-06-01")
    stored = case.table("health_snapshots")
    case.events(("late", "idle", "2026-05-10T10:00", "k"))
    case.facts(
        "event_definitions",
        {"name": "k", "kind": "system", "valid_from": "2020-01-01T00:00"},
    )
    scorecards.publish(case.workspace, read(CARD), by="x", note="")
    case.at("2026-06-02T06:00")
    case.refresh(as_of="2026-06-02")
    after = case.table("health_snapshots")
    assert all(row in after for row in stored)
    fresh = {row["date"] for row in after if row not in stored}
    assert not fresh & {row["date"] for row in stored}


# Outages


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Ten users of `used` come every day for ten weeks; then tracking breaks for a day."""
    case = company(tmp_path_factory.mktemp("outage"))
    days = [DAY - timedelta(days=n) for n in range(1, 71)]
    case.events(
        *((f"u{n}", "used", f"{day}T10:0{m}", "k") for day in days for n in range(10)
          for m in range(3))
    )  # fmt: skip
    case.refresh(as_of=DAY)
    tried = with_tried(scorecards.active(case.workspace).card, cuts=(41, 60, 80))
    scorecards.publish(case.workspace, tried, by="x", note="On that very day")
    case.at("2026-06-02T06:00")
    case.refresh(as_of="2026-06-02")
    return case


def test_an_outage_carries_scores_over(outage: Case) -> None:
    before, frozen = on(outage, DAY), on(outage, DAY + timedelta(days=1))
    assert frozen["frozen_since"] == DAY
    assert frozen["version"] == 0, "that of the score that is carried"
    assert (frozen["score"], frozen["components"]) == (
        before["score"],
        before["components"],
    )
    (incident,) = outage.table("data_incidents")
    assert (incident["date"], incident["events"], incident["expected"]) == (DAY, 0, 30)
    dates = {row["date"] for row in outage.table("health_transitions")}
    assert max(dates) < DAY, "nobody changes color because tracking broke"


def test_after_an_outage_its_day_is_no_day_of_the_window(outage: Case) -> None:
    """27 days of 27 measured: as good as before, and not one day worse."""
    again = DAY + timedelta(days=1)
    outage.events(
        *(
            (f"u{n}", "used", f"{again}T10:0{m}", "k")
            for n in range(10)
            for m in range(3)
        )
    )
    outage.at("2026-06-03T06:00")
    outage.refresh(as_of="2026-06-03")
    row = on(outage, date(2026, 6, 3))
    assert (row["frozen_since"], row["version"]) == (None, 1)
    assert values(row)["frequency"] == values(on(outage, DAY))["frequency"]


def test_events_that_came_after_all_end_the_incident(outage: Case) -> None:
    assert incidents.open_days(outage.workspace) == [DAY]
    outage.events(*((f"u{n}", "used", f"{DAY}T10:00", "k") for n in range(20)))
    outage.roll_up()
    assert incidents.open_days(outage.workspace) == []


def test_a_refresh_of_the_past_looks_for_no_outage(tmp_path: Path) -> None:
    case = company(tmp_path)
    case.refresh(as_of="2026-05-20")
    assert not case.table("data_incidents")


# Transitions


def test_transitions_are_written_once_with_their_drivers(tmp_path: Path) -> None:
    """Half the seats empty within a month: yellow to orange, and no second row."""
    case = company(tmp_path)
    card = {"name": "S", "components": [{**SEATS, "weight": 100}]}
    scorecards.publish(case.workspace, read(card), by="x", note="")
    start = DAY - timedelta(days=200)
    days = [start + timedelta(days=n) for n in range(0, 200, 5)]
    case.events(
        *((f"u{n}", "used", f"{d}T10:00", "k") for d in days for n in range(7)
          if n < 5 or d < DAY - timedelta(days=40))
    )  # fmt: skip
    case.refresh(as_of=DAY)
    (first, *others) = case.table("health_transitions")
    assert (first["from_color"], first["to_color"], first["cause"]) == (
        "yellow", "orange", "score",
    )  # fmt: skip
    assert json.loads(first["drivers"]) == [["license_use", -20.0]]
    assert (first["score_before"], first["score_after"]) == (70, 50)
    assert not others
    case.at("2026-06-01T09:00")
    case.events(("u9", "used", "2026-05-31T10:00", "k"))
    case.refresh(as_of=DAY)
    assert len(case.table("health_transitions")) == 1
    states = {r["state"] for r in case.table("health_snapshots") if r["date"] == DAY}
    assert states == {"orange", "red"}


def test_the_card_of_a_document_survives_the_lake(case: Case) -> None:
    stored = scorecards.version(case.workspace, 1).card
    assert read(to_document(stored)) == stored


# Metrics that people defined


def test_a_metric_of_ones_own_is_a_part_like_any_other(tmp_path: Path) -> None:
    case = company(tmp_path)
    case.events(("u1", "used", "2026-05-29T10:00", "export"))
    case.roll_up()
    ws = case.workspace
    own = {"key": "exports", "title": "Exports", "measure": "count", "table": "events"}
    own["where"] = "event = 'export'"
    definitions.define(case.lake, own, by="ada@x.io", at=ws.now)
    exports = {"name": "exports", "weight": 100, "metric": "exports"}
    document = {"name": "Own", "components": [{**exports, "scale": {"target": 2}}]}
    with pytest.raises(BadScorecard, match="metric"):
        read(document)  # another workspace has none of that name
    card = scorecards.written(ws, document)
    scorecards.publish(ws, card, by="ada@x.io", note="Exports count")
    case.refresh(as_of="2026-06-01")
    # One of the two that are wanted, and where nobody exported anything: none.
    assert on(case, DAY)["score"] == 50
    assert on(case, DAY, "idle")["score"] == 0
    part = card.rules[-1].components[0].source
    assert (part.title, part.unit) == ("Exports", "count")  # type: ignore[union-attr]


def test_what_counts_in_a_score_is_not_retired(tmp_path: Path) -> None:
    """And what counted once is known for ever: history is read whatever is gone."""
    case = company(tmp_path)
    case.roll_up()
    ws = case.workspace
    own = {"key": "calls", "title": "Calls", "measure": "count", "table": "touchpoints"}
    definitions.define(case.lake, own, by="ada@x.io", at=ws.now)
    calls = {"name": "calls", "weight": 60, "metric": "calls", "scale": {"target": 2}}
    document = {"name": "Calls", "components": [calls, DEPTH]}
    scorecards.publish(ws, scorecards.written(ws, document), by="a@x.io", note="x")
    with pytest.raises(BadValue, match="scorecard in force"):
        definitions.retire(case.lake, "calls", by="ada@x.io", at=ws.now)
    scorecards.publish(ws, read(CARD), by="a@x.io", note="Without calls")
    definitions.retire(case.lake, "calls", by="ada@x.io", at=ws.now)
    old = scorecards.version(ws, 1)
    assert old.card.names == ("calls", "depth")
    with pytest.raises(BadScorecard, match="calls"):
        scorecards.written(ws, document)
