"""The worked examples of the reference, asked through the public interface."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from perennial.core.errors import BadValue
from perennial.metrics.seats import seat_trend
from tests.builders import Case
from tests.metrics.subscriptions import items


def days(
    user: str, account: str, count: int, start: str = "2026-03-01"
) -> list[tuple[str, ...]]:
    first = date.fromisoformat(start)
    return [(user, account, f"{first + timedelta(days=n)}T10:00") for n in range(count)]


class TestActiveUsers:
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        """DAU-1: Berlin, a duplicate, a test user, background, two accounts."""
        case = Case(tmp_path, timezone="Europe/Berlin")
        case.facts("users", {"user_id": "t1", "is_test": True})
        case.facts("event_definitions", {"name": "Heartbeat", "kind": "system"})
        case.events(
            ("u1", "A", "2026-03-31T22:30", "Report Viewed", "e1"),
            ("u1", "A", "2026-03-31T22:30", "Report Viewed", "e1"),
            ("u1", "A", "2026-03-31T21:59:59"),
            ("u2", "A", "2026-04-01T10:00"),
            ("u2", "B", "2026-04-01T11:00"),
            ("t1", "A", "2026-04-01T09:00"),
            ("u3", "B", "2026-04-01T12:00", "Heartbeat"),
            ("u4", None, "2026-04-01T13:00"),
        )
        case.roll_up()
        return case

    def test_daily_active_users_of_the_workspace(self, case: Case) -> None:
        rows = case.workspace.metric(
            "dau", start="2026-03-31", end="2026-04-02", grain="day"
        ).to_dicts()
        assert [row["value"] for row in rows] == [1, 3]
        assert [row["status"] for row in rows] == ["ok", "ok"]

    def test_test_users_count_where_that_is_asked(self, case: Case) -> None:
        day = {"start": "2026-04-01", "end": "2026-04-02"}
        for said, expected in (("1", 4), ("true", 4), ("0", 3)):
            found = case.value("dau", **day, params={"include_test": said})
            assert found == expected
        with pytest.raises(BadValue, match="include_test must be 1 or 0, not 'yes'"):
            case.value("dau", **day, params={"include_test": "yes"})
        case.facts("accounts", {"account_id": "B", "is_test": True})
        case.roll_up()
        assert case.value("active_accounts", **day) == 1
        both = {"params": {"include_test": "1"}}
        assert case.value("active_accounts", **day, **both) == 2

    def test_daily_active_users_of_accounts(self, case: Case) -> None:
        span = {"start": "2026-04-01", "end": "2026-04-02"}
        assert case.by("dau", "account", **span) == {"A": 2, "B": 1, None: 1}
        before = {"start": "2026-03-31", "end": "2026-04-01"}
        assert case.by("dau", "account", **before) == {"A": 1}

    def test_a_longer_period_has_the_mean_of_its_days(self, case: Case) -> None:
        assert case.value("dau", start="2026-03-31", end="2026-04-04") == 4 / 4

    def test_as_of_counts_the_day_before(self, case: Case) -> None:
        assert case.value("dau", as_of="2026-04-02") == 3
        assert case.value("mau", as_of="2026-04-02") == 3

    def test_days_before_the_first_event_have_no_data(self, case: Case) -> None:
        (row,) = case.workspace.metric(
            "dau", start="2026-03-01", end="2026-03-02"
        ).to_dicts()
        assert (row["value"], row["status"]) == (None, "no_data")

    def test_observed_days_without_activity_are_zero(self, case: Case) -> None:
        assert case.value("dau", start="2026-04-10", end="2026-04-11") == 0
        assert case.value("mau", as_of="2026-05-10") == 0

    def test_distinct_counts_do_not_add_up(self, case: Case) -> None:
        """ACT-1: a user in two accounts counts in each, and once in all."""
        span = {"start": "2026-04-01", "end": "2026-04-02", "variant": "calendar"}
        assert case.value("mau", **span) == 3
        assert sum(v or 0 for v in case.by("mau", "account", **span).values()) == 4


class TestStickiness:
    def test_mean_of_days_over_users_of_the_window(self, tmp_path: Path) -> None:
        """STK-1: 30, 15 and 1 active days in 30."""
        case = Case(tmp_path)
        case.events(*days("a", "A", 30), *days("b", "A", 15), *days("c", "A", 1))
        case.roll_up()
        (row,) = case.workspace.metric("stickiness", as_of="2026-03-31").to_dicts()
        assert row["value"] == pytest.approx(0.511111111, abs=1e-9)
        assert row["numerator"] == pytest.approx(1.533333333, abs=1e-9)
        assert row["denominator"] == 3

    def test_nobody_active_is_null(self, tmp_path: Path) -> None:
        """STK-2."""
        case = Case(tmp_path)
        case.events(("a", "A", "2026-01-01T10:00"))
        case.roll_up()
        assert case.value("stickiness", as_of="2026-05-01") is None
        assert case.value("mau", as_of="2026-05-01") == 0

    def test_weekdays_only(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.events(*days("a", "A", 28, "2026-03-02"))  # four whole weeks
        case.roll_up()
        span = {"start": "2026-03-02", "end": "2026-03-30"}
        assert case.value("stickiness", variant="weekdays_only", **span) == 1.0
        weekend = Case(tmp_path / "weekend")
        weekend.events(("a", "A", "2026-03-07T10:00"))  # a Saturday
        weekend.roll_up()
        assert weekend.value("stickiness", variant="weekdays_only", **span) == 0.0

    def test_groups_without_a_name_count_too(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.facts("accounts", {"account_id": "A", "segment": "small"})
        case.events(*days("a", "A", 30), *days("b", "B", 15))
        case.roll_up()
        asked = {"as_of": "2026-03-31"}
        assert case.by("stickiness", "segment", **asked) == {"small": 1.0, None: 0.5}
        assert case.by("time_in_app", "segment", **asked) == {"small": 0.0, None: 0.0}
        adopted = case.by("feature_adoption", "segment", **asked)
        assert adopted == {"small": 1.0, None: 1.0}
        case.facts("users", {"user_id": "a"}, {"user_id": "b"})
        rows = case.workspace.metric(
            "usage_frequency", by=["segment"], start="2026-03-01", end="2026-03-29"
        ).to_dicts()
        daily = {r["segment"]: r["value"] for r in rows if r["class"] == "daily"}
        assert daily == {"small": 1.0, None: 0.0}


class TestUsageFrequency:
    def test_classes_of_28_days(self, tmp_path: Path) -> None:
        """UF-1: 20, 16, 15, 3 and 0 active days."""
        case = Case(tmp_path)
        for user, count in (("a", 20), ("b", 16), ("c", 15), ("d", 3), ("e", 0)):
            case.facts("memberships", {"user_id": user, "account_id": "A"})
            if count:
                case.events(*days(user, "A", count))
        case.roll_up()
        shares = case.workspace.metric(
            "usage_frequency", start="2026-03-01", end="2026-03-29"
        ).to_dicts()
        assert {row["class"]: row["value"] for row in shares} == {
            "daily": 0.4,
            "frequent": 0.2,
            "occasional": 0.2,
            "inactive": 0.2,
        }

    def test_classes_of_30_days_and_new_users(self, tmp_path: Path) -> None:
        """UF-2: 18, 17, 5 and 4 days of 30, and one who came 10 days ago."""
        case = Case(tmp_path)
        case.events(
            *days("a", "A", 18, "2026-04-01"),
            *days("b", "A", 17, "2026-04-01"),
            *days("c", "A", 5, "2026-04-01"),
            *days("d", "A", 4, "2026-04-01"),
            *days("new", "A", 9, "2026-04-21"),
        )
        for user in "abcd":
            case.facts("memberships", {"user_id": user, "account_id": "A"})
        case.facts("users", {"user_id": "new", "created_at": "2026-04-21T08:00"})
        case.roll_up()
        shares = case.workspace.metric(
            "usage_frequency", start="2026-04-01", end="2026-05-01", grain="month"
        ).to_dicts()
        assert {row["class"]: row["value"] for row in shares} == {
            "daily": 0.25,
            "frequent": 0.5,
            "occasional": 0.25,
            "inactive": 0.0,
        }
        assert {row["n"] for row in shares} == {4}

    def test_accounts_are_customers(self, tmp_path: Path) -> None:
        """Of three customers one is daily by two people together, one silent, one
        still onboarding; a trial with much use is none."""
        case = Case(tmp_path)
        case.events(*days("a", "A", 10), *days("b", "A", 16), *days("t", "T", 28))
        paid = [
            *items("A", (10, "2026-01-01", "")),
            *items("B", (10, "2026-01-01", "")),
        ]
        case.facts("subscription_items", *paid, *items("N", (10, "2026-02-25", "")))
        case.roll_up()
        asked = {"start": "2026-03-01", "end": "2026-03-29", "variant": "accounts"}
        rows = case.workspace.metric("usage_frequency", **asked).to_dicts()
        assert [row["value"] for row in rows] == [0.5, 0, 0.5, 0]
        assert {row["denominator"] for row in rows} == {2}
        with pytest.raises(BadValue):
            case.workspace.metric("usage_frequency", **asked, by=["user"])

    def test_a_week_is_not_classified(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.events(*days("a", "A", 20))
        case.roll_up()
        rows = case.workspace.metric(
            "usage_frequency", start="2026-03-02", end="2026-03-09"
        ).to_dicts()
        assert all(row["value"] is None for row in rows)


class TestSessions:
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        """SES-1: unsorted, a duplicate, gaps of 30:00 and 30:01, over midnight."""
        case = Case(tmp_path)
        case.events(
            ("u1", "A", "2026-03-02T10:10:01", "x", "e4"),
            ("u1", "A", "2026-03-02T09:00:00", "x", "e1"),
            ("u1", "A", "2026-03-02T09:40:00", "x", "e3"),
            ("u1", "A", "2026-03-02T09:10:00", "x", "e2"),
            ("u1", "A", "2026-03-02T09:10:00", "x", "e2"),
            ("u2", "A", "2026-03-03T00:10:00", "x", "f2"),
            ("u2", "A", "2026-03-02T23:50:00", "x", "f1"),
        )
        case.roll_up()
        return case

    def test_durations_and_start_dates(self, case: Case) -> None:
        found = sorted(
            (s["started_at"].isoformat(), s["duration_ms"], s["date"])
            for s in case.table("sessions")
        )
        assert [ms for _, ms, _ in found] == [2_400_000, 0, 1_200_000]
        assert {day for _, _, day in found} == {date(2026, 3, 2)}

    def test_time_is_split_at_midnight(self, case: Case) -> None:
        """TIA-1: 3000 s of two users, then 600 s of one."""
        rows = case.workspace.metric(
            "time_in_app", start="2026-03-02", end="2026-03-04", grain="day"
        ).to_dicts()
        assert [row["numerator"] for row in rows] == [3000, 600]
        assert [row["value"] for row in rows] == [1500, 600]

    def test_average_duration(self, case: Case) -> None:
        """ASD-1."""
        span = {"start": "2026-03-02", "end": "2026-03-03"}
        assert case.value("sessions", **span) == 3
        assert case.value("average_session_duration", **span) == 1200
        for variant, seconds in (("nonzero", 1800), ("median", 1200)):
            asked = {**span, "variant": variant}
            assert case.value("average_session_duration", **asked) == seconds

    def test_average_of_no_sessions_is_null(self, case: Case) -> None:
        """ASD-2."""
        span = {"start": "2026-04-02", "end": "2026-04-03"}
        assert case.value("sessions", **span) == 0
        for variant in ("mean", "nonzero", "median", "p90"):
            asked = {**span, "variant": variant}
            assert case.value("average_session_duration", **asked) is None

    def test_another_account_is_another_session(self, tmp_path: Path) -> None:
        """SES-2."""
        case = Case(tmp_path / "two")
        case.events(
            ("u", "A", "2026-03-02T09:00"),
            ("u", "A", "2026-03-02T09:05"),
            ("u", "B", "2026-03-02T09:06"),
            ("u", "B", "2026-03-02T09:10"),
        )
        case.roll_up()
        found = sorted(
            (s["account_id"], s["duration_ms"]) for s in case.table("sessions")
        )
        assert found == [("A", 300_000), ("B", 240_000)]

    def test_a_log_out_ends_a_session(self, tmp_path: Path) -> None:
        case = Case(tmp_path / "out")
        case.events(
            ("u", "A", "2026-03-02T09:00"),
            ("u", "A", "2026-03-02T09:05", "Logged Out"),
            ("u", "A", "2026-03-02T09:06"),
        )
        case.roll_up()
        assert sorted(s["events"] for s in case.table("sessions")) == [1, 2]

    def test_a_session_lasts_24_hours_at_most(self, tmp_path: Path) -> None:
        """Settled point 16: cut greedily from the first event, 24 h exactly may be."""
        case = Case(tmp_path / "long")
        start = date(2026, 3, 2)
        beats = [
            (
                "u",
                "A",
                f"{start + timedelta(days=n // 48)}T{n % 48 // 2:02}:{n % 2 * 30:02}",
            )
            for n in range(48 * 2 + 1)
        ]
        case.events(*beats)
        case.roll_up()
        found = sorted(
            (s["started_at"], s["duration_ms"]) for s in case.table("sessions")
        )
        hours = [ms / 3_600_000 for _, ms in found]
        assert hours == [24, 23.5]


class TestFeatures:
    def test_adoption_of_those_entitled(self, tmp_path: Path) -> None:
        """FA-1: A thrice on two days, B once, C never, D not entitled."""
        case = Case(tmp_path)
        case.facts("entitlements", {"account_id": "yes", "feature_id": "F"})
        case.facts(
            "event_definitions",
            {"name": "F Used", "kind": "feature", "feature_id": "F"},
        )
        case.events(
            ("a", "yes", "2026-03-01T10:00", "F Used"),
            ("a", "yes", "2026-03-01T11:00", "F Used"),
            ("a", "yes", "2026-03-04T10:00", "F Used"),
            ("b", "yes", "2026-03-02T10:00", "F Used"),
            ("c", "yes", "2026-03-02T10:00", "Logged In"),
            ("d", "no", "2026-03-03T10:00", "F Used"),
        )
        case.roll_up()
        asked = {"as_of": "2026-03-29"}
        assert case.by("feature_adoption", "feature", **asked)["F"] == pytest.approx(
            2 / 3
        )
        habit = case.by("feature_adoption", "feature", variant="habit", **asked)
        assert habit["F"] == pytest.approx(1 / 3)
        accounts = case.by(
            "feature_adoption", "feature", variant="account_trial", **asked
        )
        assert accounts["F"] == 1.0
        only = case.value("feature_adoption", where="feature = 'F'", **asked)
        assert only == pytest.approx(2 / 3)

    def test_adoption_of_more_features_than_a_number_has_bits(
        self, tmp_path: Path
    ) -> None:
        """Of 130 features, A used each and B every tenth."""
        case = Case(tmp_path)
        case.events(
            *(("a", "A", "2026-03-01T10:00", f"F{n}") for n in range(130)),
            *(("b", "A", "2026-03-02T10:00", f"F{n}") for n in range(0, 130, 10)),
        )
        case.roll_up()
        found = case.by("feature_adoption", "feature", as_of="2026-03-29")
        assert found == {f"F{n}": 0.5 if n % 10 else 1 for n in range(130)}

    def test_log_ins_are_no_feature(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.events(
            ("a", "A", "2026-03-01T10:00", "Logged In"),
            ("a", "A", "2026-03-01T10:01", "sign_in"),
            ("a", "A", "2026-03-01T10:02", "Report Viewed"),
        )
        case.roll_up()
        uses = case.by("feature_uses", "feature", start="2026-03-01", end="2026-03-02")
        assert uses == {"Report Viewed": 1}

    def test_a_definition_holds_from_its_day_on(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.facts(
            "event_definitions",
            {"name": "click", "kind": "feature", "feature_id": "old"},
            {
                "name": "click",
                "kind": "feature",
                "feature_id": "new",
                "valid_from": "2026-03-02T00:00",
            },
        )
        case.events(
            ("a", "A", "2026-03-01T10:00", "click"),
            ("a", "A", "2026-03-02T10:00", "click"),
        )
        case.roll_up()
        uses = case.by("feature_uses", "feature", start="2026-03-01", end="2026-03-03")
        assert uses == {"old": 1, "new": 1}


class TestSeats:
    def test_utilization_counts_assigned_active_users(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.facts(
            "seat_contracts",
            {"account_id": "A", "seats": 4, "starts_at": "2026-01-01T00:00"},
            {"account_id": "B", "seats": 0, "starts_at": "2026-01-01T00:00"},
        )
        case.facts(
            "memberships",
            {"user_id": "gone", "account_id": "A", "ends_at": "2026-03-10T00:00"},
            {"user_id": "idle", "account_id": "A"},
        )
        case.events(
            ("here", "A", "2026-03-05T10:00"),
            ("gone", "A", "2026-03-05T10:00"),
            ("other", "B", "2026-03-05T10:00"),
        )
        case.roll_up()
        (row,) = case.workspace.metric(
            "license_utilization", as_of="2026-03-20"
        ).to_dicts()
        assert (row["numerator"], row["denominator"], row["value"]) == (1, 4, 0.25)

    def test_seats_of_a_day_are_those_at_its_end(self, tmp_path: Path) -> None:
        case = Case(tmp_path, timezone="Europe/Berlin")
        case.facts(
            "seat_contracts",
            {"account_id": "A", "seats": 10, "starts_at": "2026-01-01T00:00+01:00"},
            {"account_id": "A", "seats": 20, "starts_at": "2026-03-01T12:00+01:00"},
        )
        case.roll_up()
        for day, seats in (("2026-03-01", 10), ("2026-03-02", 20)):
            (row,) = case.workspace.metric("license_utilization", as_of=day).to_dicts()
            assert row["denominator"] == seats


class TestSeatTrend:
    def test_growing_near_the_limit(self) -> None:
        """LIC-1."""
        found = seat_trend(range(40, 63, 2), 70)
        assert found.utilization == pytest.approx(0.885714286)
        assert (found.slope, found.growth) == (2.0, pytest.approx(0.55))
        assert (found.months_to_90, found.signal) == (0.5, "expansion")

    def test_flat(self) -> None:
        """LIC-2."""
        found = seat_trend([50] * 12, 70)
        assert (found.slope, found.growth, found.months_to_90) == (0, 0, None)
        assert found.signal == "plateau"

    def test_unlimited(self) -> None:
        """LIC-3."""
        found = seat_trend(range(5, 11), None)
        assert (found.utilization, found.slope, found.growth) == (None, 1.0, 1.0)
        assert (found.months_to_90, found.signal) == (None, "none")

    def test_other_signals(self) -> None:
        assert seat_trend([11], 10).signal == "overage"
        assert seat_trend([1, 1, 1], 10).signal == "none", "six months are needed"
        assert seat_trend([5, 4, 5, 4, 5, 4], 10).signal == "rightsize"

    def test_of_an_account(self, tmp_path: Path) -> None:
        case = Case(tmp_path, now="2026-07-01T00:00")
        seats = {"account_id": "it's", "seats": 2, "starts_at": "2026-01-01T00:00"}
        case.facts("seat_contracts", seats)
        case.events(*(("u", "it's", f"2026-0{m}-20T10:00") for m in range(1, 7)))
        case.roll_up()
        found = case.workspace.seat_trend("it's")
        assert (found.utilization, found.slope, found.signal) == (0.5, 0.0, "rightsize")


def test_today_is_counted_as_it_goes_and_part_of_no_rate(tmp_path: Path) -> None:
    case = Case(tmp_path, now="2026-06-15T12:00")
    case.events(
        ("u1", "a", "2026-06-14T10:00"),
        ("u1", "a", "2026-06-15T10:00"),
        ("u2", "a", "2026-06-15T11:00"),
    )
    case.roll_up()
    today = {"start": "2026-06-15", "end": "2026-06-16"}
    [row] = case.workspace.metric("dau", **today).to_dicts()
    assert (row["value"], row["status"]) == (2, "provisional")
    assert case.value("feature_uses", **today) == 2
    assert case.value("stickiness", **today) is None
    assert case.value("dau", start="2026-06-14", end="2026-06-16") == 1
    assert case.value("feature_uses", start="2026-06-08", end="2026-06-16") == 1


def test_who_is_active_in_two_accounts_counts_once(tmp_path: Path) -> None:
    """What is kept of days of presence, and what is found where one account is a
    test: both are counted a second time here."""
    case = Case(tmp_path, now="2026-06-20T12:00")
    days = {
        ("u1", "a"): (1, 2, 9, 10, 17),
        ("u1", "b"): (2, 3, 16),
        ("u2", "b"): (1, 8, 15),
        ("u3", "a"): (5,),
    }
    case.events(
        *(
            (user, account, f"2026-06-{day:02}T10:00")
            for (user, account), on in days.items()
            for day in on
        )
    )
    span = {"start": "2026-06-01", "end": "2026-06-20", "grain": "day"}

    def counted(width: int, accounts: str) -> list[int]:
        seen = {(u, d) for (u, a), on in days.items() if a in accounts for d in on}
        return [
            len({user for user, day in seen if last - width < day <= last})
            for last in range(1, 20)
        ]

    for accounts, presence in (("ab", True), ("ab", False), ("a", True)):
        if accounts == "a":
            case.facts("accounts", {"account_id": "b", "is_test": True})
        case.roll_up()
        if not presence:  # as before the first refresh of a newer version
            case.lake.record("user_days", {"events": 0})
        for key, width in (("dau", 1), ("wau", 7), ("mau", 30)):
            rows = case.workspace.metric(key, **span).to_dicts()
            assert [row["value"] for row in rows] == counted(width, accounts), key
        weeks = {"start": "2026-06-01", "end": "2026-06-15", "grain": "week"}
        rows = case.workspace.metric("stickiness", **weeks).to_dicts()
        ends = counted(7, accounts)
        assert [row["denominator"] for row in rows] == [ends[6], ends[13]]
        daily = counted(1, accounts)
        means = [sum(daily[:7]) / 7, sum(daily[7:14]) / 7]
        assert [row["numerator"] for row in rows] == pytest.approx(means)
