"""However requests come in, their roll-up is that of one full build."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.lake import refresh
from tests.builders import Case, instant

#: Two days before an hour is lost in Berlin, with the end of a month behind it.
START = instant("2026-03-27T20:00")

requests = st.fixed_dictionaries(
    {
        "at": st.integers(-40 * 24, 20 * 24).map(lambda h: START + timedelta(hours=h)),
        "status": st.sampled_from([None, 0, 200, 304, 404, 499, 500, 599, 600]),
        "duration_ms": st.sampled_from([None, -1, 0, 9999, 10_000, 10_004, 10_005]),
        "endpoint": st.sampled_from([None, "/a"]),
        "account_id": st.sampled_from([None, "A"]),
    }
)
loads = st.lists(st.lists(requests, max_size=6), min_size=1, max_size=3)


def stored(case: Case) -> Counter[tuple[Any, ...]]:
    rows = case.table("request_days")
    found: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        found[tuple(v for name, v in row.items() if name != "requests")] = row[
            "requests"
        ]
    assert len(found) == len(rows)
    return found


def expected(rows: list[dict[str, Any]], zone: str) -> Counter[tuple[Any, ...]]:
    def outcome(status: int | None) -> str:
        if status == 0 or (status is not None and 500 <= status < 600):
            return "failed"
        return "refused" if status is not None and 400 <= status < 500 else "ok"

    def duration(ms: int | None) -> int | None:
        return {None: None, -1: None, 10_004: 10_000, 10_005: 10_010}.get(ms, ms)

    return Counter(
        (
            row["at"].astimezone(ZoneInfo(zone)).date(),
            row["account_id"],
            row["endpoint"],
            outcome(row["status"]),
            duration(row["duration_ms"]),
        )
        for row in rows
    )


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(loads=loads, later=st.sampled_from(["Europe/Berlin", "Pacific/Kiritimati"]))
def test_loads_one_by_one_are_one_build(
    loads: list[list[dict[str, Any]]], later: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder), timezone="Europe/Berlin")
        told: list[dict[str, Any]] = []
        for rows in loads:
            told += rows
            case.facts("requests", *rows)
            case.roll_up()
            assert stored(case) == expected(told, "Europe/Berlin")
        settings_change(case, later)
        case.roll_up()
        assert stored(case) == expected(told, later)


def settings_change(case: Case, zone: str) -> None:
    from perennial.lake import settings_store

    at = case.workspace.now
    settings_store.change(case.lake, {"timezone": zone}, by="test", at=at)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """One request a day, over three months."""
    case = Case(tmp_path, timezone="Europe/Berlin")
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    case.facts(
        "requests",
        *({"at": first + timedelta(days=n), "duration_ms": n} for n in range(90)),
    )
    case.roll_up()
    return case


def test_without_requests_there_is_nothing_to_do(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.roll_up()
    assert case.lake.snapshot("request_days").version == -1


def test_what_is_up_to_date_is_left_alone(case: Case) -> None:
    version = case.lake.snapshot("request_days").version
    case.roll_up()
    assert case.lake.snapshot("request_days").version == version


def test_a_load_touches_its_month_only(case: Case) -> None:
    before = case.lake.files_by_month("request_days")
    case.facts("requests", {"at": "2026-02-11T12:00", "status": 500})
    case.roll_up()
    after = case.lake.files_by_month("request_days")
    assert {month for month in before if before[month] != after[month]} == {"2026-02"}
    assert sum(row["requests"] for row in case.table("request_days")) == 91


def test_requests_that_are_deleted_are_gone(case: Case) -> None:
    case.lake.delete("requests", "duration_ms < 50")
    case.roll_up()
    assert {row["duration_ms"] for row in case.table("request_days")} == {
        *range(50, 90)
    }
    case.lake.delete("requests", "true")
    case.roll_up()
    assert case.table("request_days") == []


def test_a_build_that_died_is_done_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = case.table("request_days")
    replace = case.lake.replace

    def dies(duck: Any, name: str, *rest: Any, **more: Any) -> None:
        if name == "request_days" and more["months"] == ["2026-02"]:
            raise OSError("the disk is full")
        replace(duck, name, *rest, **more)

    monkeypatch.setattr(case.lake, "replace", dies)
    settings_change(case, "Asia/Tokyo")
    with pytest.raises(OSError, match="full"):
        case.roll_up()
    monkeypatch.undo()
    settings_change(case, "Europe/Berlin")
    case.roll_up()
    assert sorted(case.table("request_days"), key=repr) == sorted(whole, key=repr)


def test_health_is_not_computed_again_for_requests(case: Case) -> None:
    case.refresh()
    case.facts("requests", {"at": "2026-02-11T12:00", "status": 500})
    done = refresh.refresh(case.workspace, as_of=case.workspace.today)
    assert "health" not in done.seconds
