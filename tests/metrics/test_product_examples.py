"""The worked examples of reliability and outcomes, through the public interface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.core.errors import BadValue
from perennial.core.settings import Settings
from perennial.metrics.outcomes import progress
from perennial.metrics.reliability import Outage, downtime, weight_of
from tests.builders import Case

APRIL = {"start": "2026-04-01", "end": "2026-05-01"}
MARCH = {"start": "2026-03-01", "end": "2026-04-01"}
FIRST = datetime(2026, 4, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    """A minute of April."""
    return FIRST + timedelta(minutes=minute)


class TestRequests:
    TIMES = (120, 80, 200, 95, 3000, 110, 130, 90, 105, 100)

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """Ten requests in April; the same with one that failed, and more, in March."""
        case = Case(tmp_path_factory.mktemp("requests"))
        rows: list[dict[str, Any]] = [
            {"at": at(n), "status": 200, "duration_ms": ms}
            for n, ms in enumerate(cls.TIMES)
        ]
        rows += [
            {
                "at": at(n - 9000),
                "status": 503 if ms == 95 else 200,
                "duration_ms": ms,
                "endpoint": "/a",
                "account_id": "A",
            }
            for n, ms in enumerate(cls.TIMES)
        ]
        counts = {200: 9843, 500: 20, 504: 16, 0: 1, 404: 100, 429: 20}
        rows += [
            {"at": "2026-02-10", "status": status, "endpoint": "/b"}
            for status, count in counts.items()
            for _ in range(count)
        ]
        health = {"at": "2026-02-10", "status": 500, "endpoint": "/healthz"}
        case.facts("requests", *rows, health)
        case.roll_up()
        return case

    def test_errors(self, case: Case) -> None:
        """ERR-1: refusals are no errors, health checks do not count."""
        february = {"start": "2026-02-01", "end": "2026-03-01"}
        (row,) = case.workspace.metric("error_rate", **february).to_dicts()
        assert row["value"] == pytest.approx(0.0037)
        assert (row["numerator"], row["denominator"]) == (37, 10_000)
        every = case.workspace.settings.with_values({"ignored_endpoints": []})
        found = case.workspace.metric("error_rate", settings=every, **february)
        assert found.to_dicts()[0]["denominator"] == 10_001
        assert case.by("error_rate", "account", **MARCH) == {"A": 0.1}

    def test_percentiles(self, case: Case) -> None:
        """PCT-1: by nearest rank."""
        told = [
            case.value("response_time", variant=name, **APRIL)
            for name in ("p50", "p90", "p95")
        ]
        assert told == [105, 200, 3000]

    def test_failed_requests_have_no_response_time(self, case: Case) -> None:
        (row,) = case.workspace.metric("response_time", **MARCH).to_dicts()
        assert (row["value"], row["n"]) == (110, 9)

    def test_apdex(self, case: Case) -> None:
        """APX-1: with T of 100 ms, where the request of 95 ms failed."""
        asked: dict[str, Any] = {"params": {"T": "100"}, **MARCH}
        assert case.value("apdex", **asked) == 0.55
        assert case.value("apdex", variant="without_errors", **asked) == 0.65
        assert case.value("apdex", **APRIL) == 0.9
        with pytest.raises(BadValue, match="T must be a number"):
            case.value("apdex", params={"T": "fast"})

    def test_no_requests(self, case: Case) -> None:
        may = {"start": "2026-05-01", "end": "2026-06-01"}
        for key in ("error_rate", "response_time", "apdex"):
            (row,) = case.workspace.metric(key, **may).to_dicts()
            assert (row["value"], row["n"], row["status"]) == (None, 0, "no_data")

    @settings(max_examples=3)
    @given(
        times=st.lists(st.integers(0, 10_000), min_size=1, max_size=40),
        limit=st.integers(1, 4000),
    )
    def test_any_requests(self, times: list[int], limit: int) -> None:
        """A percentile was observed; Apdex is between 0 and 1."""
        with TemporaryDirectory() as folder:
            case = Case(Path(folder))
            case.facts("requests", *({"at": at(1), "duration_ms": ms} for ms in times))
            case.roll_up()
            found = case.value("response_time", variant="p90", **APRIL)
            assert found == sorted(times)[ceil(len(times) * 9 / 10) - 1]
            apdex = case.value("apdex", params={"T": str(limit)}, **APRIL)
            assert apdex is not None
            assert 0 <= apdex <= 1


class TestUptime:
    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """UP-1: outages that overlap, a partial one, maintenance; a service of its own."""
        case = Case(tmp_path_factory.mktemp("uptime"))
        spans = [(100, 160, "major"), (150, 180, "major"), (1000, 1100, "partial")]
        case.facts(
            "incidents",
            *(
                {
                    "incident_id": f"{low}",
                    "starts_at": at(low),
                    "ends_at": at(high),
                    "severity": severity,
                }
                for low, high, severity in spans
            ),
            {
                "incident_id": "maintenance",
                "starts_at": at(2000),
                "ends_at": at(2060),
                "planned": True,
                "announced_at": at(2000 - 48 * 60),
            },
            {
                "incident_id": "open",
                "starts_at": "2026-05-31T12:00",
                "severity": "major",
                "service": "search",
            },
        )
        return case

    def test_a_month(self, case: Case) -> None:
        """UP-1: 110 of 43,140 minutes; with maintenance 170 of 43,200."""
        value = case.value("uptime", **APRIL)
        assert value == pytest.approx(0.997450162, abs=1e-9)
        value = case.value("uptime", variant="incl_planned", **APRIL)
        assert value == pytest.approx(0.996064815, abs=1e-9)

    def test_an_incident_without_an_end_goes_on(self, case: Case) -> None:
        # Half of the last of 31 days.
        may = {"start": "2026-05-01", "end": "2026-06-01"}
        assert case.value("uptime", **may) == pytest.approx(1 - 0.5 / 31)
        assert case.by("uptime", "service", **may) == {
            "search": pytest.approx(1 - 0.5 / 31)
        }

    def test_before_the_first_incident_nothing_is_known(self, case: Case) -> None:
        (row,) = case.workspace.metric("uptime", **MARCH).to_dicts()
        assert (row["value"], row["status"]) == (None, "no_data")

    def test_days_without_incidents_are_up(self, case: Case) -> None:
        days = case.workspace.metric("uptime", grain="day", **APRIL).to_dicts()
        assert [row["value"] for row in days[2:]] == [1.0] * 28

    def test_accounts_have_no_uptime_of_their_own(self, case: Case) -> None:
        for asked in (
            {"by": ["segment"]},
            {"where": "segment = 'SMB'"},
            {"by": ["account"]},
        ):
            with pytest.raises(BadValue, match="uptime"):
                case.workspace.metric("uptime", **asked)

    def test_weights(self) -> None:
        words = (
            "major",
            None,
            "",
            "Critical",
            "partial_outage",
            "degraded_performance",
        )
        weights = [weight_of(word, Settings()) for word in words]
        assert weights == [1, 1, 1, 1, 0.3, 0]

    spans = st.tuples(
        st.integers(0, 90), st.integers(1, 40), st.sampled_from([0.0, 0.3, 1.0, None])
    )

    @given(st.lists(spans, max_size=8), st.integers(0, 60), st.integers(1, 60))
    def test_minute_by_minute(
        self, told: list[tuple[int, int, float | None]], low: int, length: int
    ) -> None:
        """At each minute the heaviest outage counts, or maintenance."""
        outages = [Outage(start, start + size, weight) for start, size, weight in told]
        down, planned = 0.0, 0
        for minute in range(low, low + length):
            now = [o.weight for o in outages if o.starts <= minute < o.ends]
            planned += None in now
            down += 0 if None in now else max((w or 0 for w in now), default=0)
        found = downtime(outages, low, low + length)
        assert (found.down, found.planned) == (pytest.approx(down), planned)
        assert 0 <= found.down + found.planned <= length

    @given(
        st.lists(spans, min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 5)
    )
    def test_an_incident_within_a_heavier_one_changes_nothing(
        self, told: list[tuple[int, int, float | None]], before: int, after: int
    ) -> None:
        outages = [Outage(start, start + size, weight) for start, size, weight in told]
        outer = max(outages, key=lambda o: 2 if o.weight is None else o.weight)
        inner = Outage(outer.starts + before, outer.ends - after, 0.0)
        assert downtime([*outages, inner], 0, 100) == downtime(outages, 0, 100)


class TestOutcomes:
    def test_progress(self) -> None:
        """RO-1, RO-2, RO-3: up, down, and nowhere to go."""
        assert progress(0.02, 0.04, 0.035) == pytest.approx(0.75)
        assert progress(10, 6, 7) == 0.75
        assert progress(5, 5, 7) is None
        assert progress(0, 1, None) is None
        assert progress(0, 1, 2) == 2

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """CS-1: outcome and experience of five accounts, the experience of one unknown."""
        case = Case(tmp_path_factory.mktemp("outcomes"))
        told = [
            (True, True),
            (True, False),
            (False, True),
            (True, None),
            (False, False),
        ]
        for number, (achieved, good) in enumerate(told):
            name = f"A{number}"
            goal = {"goal_id": name, "baseline": 10.0, "target": 6.0}
            case.facts("goals", {**goal, "account_id": name, "due_on": "2026-03-31"})
            case.facts(
                "goal_values",
                {"goal_id": name, "measured_at": "2026-02-01", "value": 7.0},
                {
                    "goal_id": name,
                    "measured_at": "2026-03-31T12:00",
                    "value": 6.0 if achieved else 7.0,
                },
                {"goal_id": name, "measured_at": "2026-05-01", "value": 5.0},
            )
            account: dict[str, Any] = {"account_id": name, "created_at": "2026-01-01"}
            if good is not None:
                done = "2026-01-10" if good else "2026-02-10"
                account["onboarding_completed_at"] = done
                answer = {"response_id": name, "kind": "ces", "account_id": name}
                score = 6.0 if good else 2.0
                case.facts(
                    "survey_responses",
                    {**answer, "score": score, "answered_at": "2026-03-01"},
                )
            case.facts("accounts", account)
        case.facts(
            "goals",
            {
                "goal_id": "level",
                "account_id": "A0",
                "baseline": 5.0,
                "target": 5.0,
                "due_on": "2026-03-31",
            },
            {
                "goal_id": "unmeasured",
                "account_id": "A0",
                "baseline": 5.0,
                "target": 6.0,
                "due_on": "2026-03-31",
            },
        )
        case.roll_up()
        return case

    def test_goals(self, case: Case) -> None:
        (row,) = case.workspace.metric("outcome_rate", **MARCH).to_dicts()
        assert (row["value"], row["numerator"], row["denominator"]) == (0.6, 3, 5)
        told = {
            variant: case.value("outcome_rate", variant=variant, **MARCH)
            for variant in ("progress", "late", "measured")
        }
        assert told == {
            "progress": pytest.approx((3 + 2 * 0.75) / 5),
            "late": 2 / 5,
            "measured": 5 / 6,
        }
        early = case.workspace.metric(
            "outcome_rate", variant="late", as_of="2026-04-15"
        )
        assert early.value == 0

    def test_success_is_outcome_with_experience(self, case: Case) -> None:
        """CS-1: one of the four accounts that can be judged."""
        (row,) = case.workspace.metric("customer_success_rate", **MARCH).to_dicts()
        assert (row["value"], row["numerator"], row["denominator"]) == (0.25, 1, 4)
        asked = {"variant": "outcome_only", **MARCH}
        by = case.by("customer_success_rate", "account", **asked)
        assert by == {"A0": 0, "A1": 1, "A2": 0, "A4": 0}

    def test_two_criteria_are_needed(self, case: Case) -> None:
        strict = case.workspace.settings.with_values({"experience_criteria": 3})
        found = case.workspace.metric("customer_success_rate", settings=strict, **MARCH)
        assert found.to_dicts()[0]["status"] == "no_data"

    def test_no_goals_were_due(self, case: Case) -> None:
        (row,) = case.workspace.metric("outcome_rate", **APRIL).to_dicts()
        assert (row["value"], row["n"], row["status"]) == (None, 0, "no_data")
