from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core import onboarding
from perennial.core.errors import BadValue
from perennial.core.onboarding import Progress

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "per": "account",
    "since": "2026-01-01",
    "who": {"all": [{"field": "plan", "op": "is", "value": ["pro"]}]},
    "value": "Board set up",
    "steps": [
        {"name": "Invite accepted", "event": "Invite Accepted"},
        {
            "name": "Board set up",
            "event": "Board Changed",
            "where": "n > 2",
            "times": 2,
        },
        {"name": "Kick-off call", "by": "hand", "optional": True},
        {"name": "Ten seats", "condition": {"all": []}},
        {"name": "Tour", "by": "checklist"},
        {"name": "Trained", "by": "import"},
    ],
}


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def test_a_document_is_read_and_written() -> None:
    flow = onboarding.read(DOCUMENT)
    assert onboarding.to_document(flow) == DOCUMENT
    assert flow.chain == (
        "Invite accepted", "Board set up", "Ten seats", "Tour", "Trained"
    )  # fmt: skip
    assert [flow.place(s.name) for s in flow.steps] == [1, 2, None, 3, 4, 5]
    assert onboarding.read({**DOCUMENT, "who": None}).is_for_all


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"per": "team"}, "per: one of user, account"),
        ({"since": "soon"}, "since: a day is expected, as 2026-11-22"),
        ({"steps": []}, "steps: a list with a step at least"),
        ({"value": "Gone"}, "value: there is no step 'Gone'"),
        ({"extra": 1}, "flow: 'extra' is not known"),
        ({"steps": [{"name": "A"}]}, "step 1: the name of the event that completes it"),
        (
            {"steps": [{"name": "A/B", "by": "hand"}]},
            "step 1: a name of at most 80 characters, without /",
        ),
        (
            {"steps": [{"name": "A", "event": "a", "times": 0}]},
            "step 1: times is a whole number from 1 to 1000",
        ),
        (
            {"steps": [{"name": "A", "by": "hand", "event": "a"}]},
            "step 1: event does not go with by: hand",
        ),
        ({"steps": [{"name": "A", "by": "hand"}] * 2}, "steps: 'A' is there twice"),
        (
            {"steps": [{"name": "A", "by": "hand", "optional": True}]},
            "steps: one at least is not optional",
        ),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadValue) as error:
        onboarding.read({**DOCUMENT, "value": "", **change})
    assert str(error.value) == reason


def test_the_version_of_the_day_one_began_holds() -> None:
    first = onboarding.read(DOCUMENT)
    second = onboarding.read({**DOCUMENT, "since": "2026-03-01"})
    versions = {1: first, 2: second}
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1))
    assert [onboarding.version_of(versions, day) for day in days] == [None, 1, 1, 2]
    # A later version that reaches back as far stands in for the one before.
    assert onboarding.version_of({1: first, 2: first}, days[2]) == 2


@given(
    st.lists(st.integers(0, 50), max_size=20).flatmap(
        lambda days: st.tuples(st.just(days), st.permutations(days))
    ),
    st.integers(1, 5),
    st.integers(0, 20),
)
def test_neither_order_nor_split_changes_when_a_step_was_completed(
    both: tuple[Sequence[int], Sequence[int]], times: int, cut: int
) -> None:
    """What came first is kept and looked at again with what came after it."""
    days, mixed = both
    whole = onboarding.completed(map(at, days), times)
    kept = sorted(map(at, mixed[:cut]))[:times]
    assert onboarding.completed([*kept, *map(at, mixed[cut:])], times) == whole
    assert (whole is None) == (len(days) < times)


FLOW = onboarding.read(DOCUMENT)


def progress(**days: float) -> Progress:
    """Done on these days, each step by the beginning of its name."""
    done = {
        name: at(day)
        for name in FLOW.chain
        for short, day in days.items()
        if name.startswith(short)
    }
    return Progress(FLOW, date(2026, 3, 2), done)


def test_how_far_somebody_got() -> None:
    nobody = progress()
    assert (nobody.reached, nobody.last_step) == (0, None)
    assert nobody.next_step == "Invite accepted"
    some = progress(Invite=1, Board=2, Tour=5)
    assert (some.reached, some.last_step, some.next_step) == (2, "Tour", "Ten seats")
    assert (some.finished_at, some.valued_at) == (None, at(2))
    # The second step was taken before the first.
    assert progress(Invite=3, Board=2, Ten=4).reached == 1


def test_standing_still_is_whole_days_without_a_step() -> None:
    some = progress(Invite=1)  # on 3 March
    stalled = [some.is_stalled(date(2026, 3, day), 7, BERLIN) for day in (10, 11)]
    assert stalled == [False, True]
    every = progress(Invite=4, Board=3, Ten=2, Tour=1, Trained=0)
    assert not every.is_stalled(date(2026, 12, 1), 7, BERLIN)
    assert (every.finished_at, every.reached) == (at(4), 1)
