"""What holds for any facts: invariants 1 to 3, 11 and 12 of the reference."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.builders import Case

TODAY = date(2026, 6, 1)
DAY = timedelta(days=1)
STEPS = ("one", "two", "three")

#: Of each person: days before today and what was done, over two accounts.
person = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(STEPS), st.sampled_from("AB")),
    min_size=1,
    max_size=12,
)
company = st.lists(person, min_size=2, max_size=8)


def case_of(people: list[list[tuple[int, str, str]]], folder: str) -> Case:
    case = Case(Path(folder), now="2026-06-01T06:00")
    happened = [
        (f"u{n}", account, f"{TODAY - DAY * days}T{10 + STEPS.index(step)}:00", step)
        for n, acts in enumerate(people)
        for days, step, account in acts
    ]
    case.events(*happened)
    case.roll_up()
    return case


def values(case: Case, key: str, **asked: Any) -> list[float]:
    return [row["value"] for row in case.workspace.metric(key, **asked).to_dicts()]


# A case takes a second: what fails is not made smaller.
@settings(max_examples=3, phases=(Phase.generate,))
@given(company)
def test_whatever_people_do(people: list[list[tuple[int, str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = case_of(people, folder)
        month = {"start": "2026-05-01", "end": "2026-06-01"}
        by_day = {**month, "grain": "day"}
        dau, wau, mau = (values(case, key, **by_day) for key in ("dau", "wau", "mau"))
        ordered = zip(dau, wau, mau, strict=True)
        assert all(0 <= d <= w <= m for d, w, m in ordered if m is not None)
        for variant in ("dau_mau", "weekdays_only", "dau_wau"):
            (share,) = values(case, "stickiness", variant=variant, **month)
            assert share is None or 0 <= share <= 1
        classes = values(case, "usage_frequency", **month)
        assert not any(classes) or abs(sum(classes) - 1) < 1e-9

        # All are mature where the cohort is a month old or more.
        old = {"start": "2026-04-01", "end": "2026-05-02"}
        days = {"params": {"days": "0,1,2,3,4,5,6,7"}}
        exactly = values(case, "user_retention", **old, **days)
        later = values(case, "user_retention", variant="unbounded", **old, **days)
        week = {"params": {"days": "1-7"}, "variant": "bracket"}
        within = values(case, "user_retention", **old, **week)
        if exactly:
            assert exactly[0] == later[0] == 1
            assert all(n <= u for n, u in zip(exactly, later, strict=True))
            assert later == sorted(later, reverse=True)
            assert within[0] >= max(exactly[1:])

        funnel = {"params": {"steps": ",".join(STEPS)}, "by": ["step"]}
        counts = case.workspace.metric("funnel", **month, **funnel).to_dicts()
        reached = [row["n"] for row in counts]
        assert reached == sorted(reached, reverse=True)
        goal = {"params": {"base_event": "one", "goal_event": "two"}}
        (rate,) = values(case, "conversion_rate", **month, **goal)
        assert rate is None or 0 <= rate <= 1
        assert_test_users_change_nothing(case, month)


def assert_test_users_change_nothing(case: Case, month: dict[str, str]) -> None:
    """Nor do events that come a second time (invariants 1 and 2)."""
    asked: dict[str, dict[str, Any]] = {
        "user_retention": {},
        "feature_repeat_rate": {},
        "product_usage_rate": {},
        "product_engagement_score": {"variant": "partial"},
        "funnel": {"params": {"steps": "one,two"}},
    }
    before = {k: values(case, k, **month, **more) for k, more in asked.items()}
    case.facts("users", {"user_id": "tester", "is_test": True})
    again = case.lake.read("events").to_pylist()
    case.facts("events", *again)
    tests = [
        {**row, "user_id": "tester", "event_id": f"t{n}"} for n, row in enumerate(again)
    ]
    case.facts("events", *tests)
    case.roll_up()
    after = {k: values(case, k, **month, **more) for k, more in asked.items()}
    assert after == before
    # The tester did all that everybody did: on each of their days there is one more.
    days = {**month, "grain": "day"}
    real = values(case, "dau", **days)
    all_ = values(case, "dau", **days, params={"include_test": "1"})
    assert all_ == [n + 1 if n else n for n in real]
