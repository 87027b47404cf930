"""Runs: each step once and in order, however often and when it is looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.work.playbooks.document import TaskStep
from perennial.apps.work.playbooks.reading import read
from perennial.apps.work.playbooks.runs import Advance, Place, advance, later
from perennial.metrics.conditions import Condition

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
RED = {"field": "health_color", "op": "is", "value": "red"}
QUIET = {"field": "last_seen", "op": "not_within", "value": 7}
BOOK = read(
    {
        "name": "Risk",
        "steps": [
            {"do": "task", "title": "1"},
            {"do": "wait", "days": 2},
            {"do": "task", "title": "3"},
            {"do": "branch", "if": RED,
             "then": [{"do": "wait", "days": 1}, {"do": "task", "title": "red"}],
             "else": [{"do": "task", "title": "well"}]},
            {"do": "wait", "days": 3, "until": QUIET},
            {"do": "task", "title": "6"},
        ],
        "ends": {"after_days": 30},
    }
)  # fmt: skip


def titles(found: Advance) -> list[str]:
    return [step.title for step in found.todo if isinstance(step, TaskStep)]


def go(place: Place, now: datetime, *held: str) -> Advance:
    def holds(condition: Condition) -> bool:
        return getattr(condition, "field", "") in held

    return advance(BOOK, place, now=now, started_at=START, tz=BERLIN, holds=holds)


def walk(moments: list[datetime], *held: str) -> tuple[list[str], Advance]:
    """What is done, looked at at these moments."""
    place, done = Place(BOOK.first), []
    found = Advance(place)
    for now in moments:
        found = go(place, now, *held)
        done += titles(found)
        place = found.place
        if found.ending:
            break
    return done, found


def test_it_stops_at_the_wait_and_goes_on_after_it() -> None:
    first = go(Place("1"), START)
    assert titles(first) == ["1"]
    assert first.place == Place("2", later(START, 2, BERLIN))
    early = go(first.place, START + timedelta(days=1))
    assert (titles(early), early.place) == ([], first.place)
    after = go(first.place, START + timedelta(days=2))
    assert titles(after) == ["3", "well"]


def test_a_wait_is_over_when_its_condition_holds() -> None:
    waiting = Place("5", START + timedelta(days=5))
    found = go(waiting, START + timedelta(days=3), "last_seen")
    assert titles(found) == ["6"]
    assert found.ending == "finished"
    assert [n.what for n in found.notes] == ["held"]


def test_time_runs_out() -> None:
    found = go(Place("2", START + timedelta(days=60)), START + timedelta(days=31))
    assert (found.ending, found.todo) == ("time", ())


@given(
    hours=st.lists(st.integers(0, 24 * 20), min_size=1, max_size=30),
    red=st.booleans(),
    quiet=st.booleans(),
)
def test_each_step_once_and_in_order_whenever_it_is_looked_at(
    hours: list[int], red: bool, quiet: bool
) -> None:
    held = [name for name, on in (("health_color", red), ("last_seen", quiet)) if on]
    end = START + timedelta(days=20)
    moments = [START + timedelta(hours=h) for h in sorted(hours)]
    done, found = walk([*moments, end, end, end, end], *held)
    middle = ["red"] if red else ["well"]
    whole = ["1", "3", *middle, "6"]
    assert done == whole[: len(done)]
    if found.ending:
        assert (found.ending, done) == ("finished", whole)


@given(
    hour=st.integers(0, 24 * 700),
    days=st.integers(1, 60),
    name=st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia",
                          "Asia/Kathmandu", "Australia/Lord_Howe"]),
)  # fmt: skip
def test_days_keep_the_time_on_the_clock(hour: int, days: int, name: str) -> None:
    tz = ZoneInfo(name)
    start = START + timedelta(hours=hour, minutes=hour % 60)
    found = later(start, days, tz).astimezone(UTC).astimezone(tz)
    wanted = start.astimezone(tz).replace(tzinfo=None) + timedelta(days=days)
    # Only where the clock skips that time it is another one, by at most an hour.
    assert abs(found.replace(tzinfo=None) - wanted) <= timedelta(hours=1)
    if (
        wanted.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None)
        == wanted
    ):
        assert found.replace(tzinfo=None) == wanted


def test_over_the_change_of_clocks() -> None:
    """29 March 2026, Berlin: a day of 23 hours."""
    start = datetime(2026, 3, 28, 9, tzinfo=BERLIN)
    assert later(start, 1, BERLIN) - start == timedelta(days=1)  # on the clock
    passed = later(start, 1, BERLIN).astimezone(UTC) - start.astimezone(UTC)
    assert passed == timedelta(hours=23)
