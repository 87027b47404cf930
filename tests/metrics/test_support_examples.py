"""The worked examples of support, asked through the public interface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = datetime(2026, 6, 1, tzinfo=UTC)
MARCH = {"start": "2026-03-01", "end": "2026-04-01"}


def ticket(name: str, solved: datetime, **more: Any) -> dict[str, Any]:
    """A ticket of a person and topic of its own, answered within an hour."""
    return {
        "ticket_id": name,
        "user_id": f"person {name}",
        "topic": "billing",
        "opened_at": solved - 10 * HOUR,
        "first_response_at": solved - 9 * HOUR,
        "solved_at": solved,
        "agent_replies": 1,
        **more,
    }


class TestFirstContactResolution:
    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """FCR-1, as of the first of June."""
        case = Case(tmp_path_factory.mktemp("fcr"))
        old, young = TODAY - 20 * DAY, TODAY - 3 * DAY
        case.facts(
            "tickets",
            ticket("1", old),
            ticket("2", old, agent_replies=2),
            ticket("3", old, reopened_count=1),
            ticket("4", old, customer_replies=1),
            ticket("5", old, is_spam=True),
            ticket("6", old, agent_replies=0, is_abandoned=True),
            ticket("7", young),
            ticket("8", old),
            ticket(
                "8 again",
                old,
                user_id="person 8",
                opened_at=old + 5 * DAY,
                solved_at=None,
            ),
            ticket("9", old, transfers=1),
        )
        case.roll_up()
        return case

    def test_settled_by_the_first_answer(self, case: Case) -> None:
        """FCR-1: reopening, repeat, transfer and a second answer break it."""
        (row,) = case.workspace.metric("first_contact_resolution").to_dicts()
        assert (row["numerator"], row["denominator"], row["n"]) == (2, 6, 6)
        assert row["value"] == pytest.approx(1 / 3)

    def test_a_ticket_is_young_on_the_day_that_is_asked_about(self, case: Case) -> None:
        asked = {"as_of": "2026-05-17"}  # five days after most were solved
        (row,) = case.workspace.metric("first_contact_resolution", **asked).to_dicts()
        assert (row["value"], row["status"]) == (None, "no_data")

    def test_those_who_gave_up_waiting(self, case: Case) -> None:
        asked = {"variant": "abandon_rate"}
        (row,) = case.workspace.metric("first_contact_resolution", **asked).to_dicts()
        assert (row["numerator"], row["denominator"]) == (1, 8)

    def test_no_person_answered(self, tmp_path: Path) -> None:
        """Solved by a machine is no contact; an answer that was not written is one."""
        case = Case(tmp_path)
        old = TODAY - 20 * DAY
        case.facts(
            "tickets",
            ticket("machine", old, agent_replies=0, first_response_at=None),
            ticket("phone", old, agent_replies=0),
            ticket("unknown", old, agent_replies=None),
            ticket("ours", old, opened_by_agent=True),
            ticket("merged", old, merged_into="phone"),
        )
        (row,) = case.workspace.metric("first_contact_resolution").to_dicts()
        assert (row["value"], row["denominator"]) == (1.0, 1)


class TestTimes:
    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """Berlin, nine to five; the third of April is a holiday, Good Friday."""
        case = Case(
            tmp_path_factory.mktemp("times"),
            timezone="Europe/Berlin",
            holidays=["2026-04-03"],
        )
        opened = {
            "reopened": ("2026-03-03T08:00", "2026-03-03T08:30", "2026-03-03T09:15"),
            "slow": ("2026-04-02T13:30", "2026-04-07T07:30", "2026-04-08T10:00"),
            "over night": ("2026-03-10T15:30", "2026-03-11T08:30", "2026-03-11T08:30"),
        }
        case.facts(
            "tickets",
            *(
                {
                    "ticket_id": name,
                    "opened_at": opened_at,
                    "first_response_at": answered_at,
                    "solved_at": solved_at,
                    "reopened_count": int(name == "reopened"),
                }
                for name, (opened_at, answered_at, solved_at) in opened.items()
            ),
        )
        case.roll_up()
        return case

    def test_reopened(self, case: Case) -> None:
        """reopen: open until it was solved for the last time, 75 minutes."""
        day = {"start": "2026-03-03", "end": "2026-03-04"}
        assert case.value("resolution_time", **day) == 1.25
        assert case.value("first_response_time", **day) == 0.5

    def test_mean_median_and_percentile(self, case: Case) -> None:
        told = {
            variant: case.value("resolution_time", variant=variant, **MARCH)
            for variant in ("median", "mean", "p90")
        }
        assert told == {"median": (1.25 + 17) / 2, "mean": (1.25 + 17) / 2, "p90": 17}
        (row,) = case.workspace.metric("resolution_time", **MARCH).to_dicts()
        assert row["n"] == 2

    def test_hours_of_work(self, case: Case) -> None:
        """Over night; over a weekend with a holiday before it, clocks changed long ago."""
        asked = {"variant": "business_mean", "start": "2026-03-10", "end": "2026-03-12"}
        # 16:30 to 17:00, and 9:00 to 9:30 in winter's Berlin.
        assert case.value("first_response_time", **asked) == 1.0
        april = {
            "variant": "business_median",
            "start": "2026-04-01",
            "end": "2026-05-01",
        }
        # Thursday 15:30 to 17:00; Monday all day; Tuesday 9:00 to 9:30.
        assert case.value("first_response_time", **april) == 1.5 + 8 + 0.5

    def test_no_tickets(self, case: Case) -> None:
        june = {"start": "2026-05-01", "end": "2026-06-01"}
        for variant in ("median", "p90", "business_mean"):
            asked = {"variant": variant, **june}
            (row,) = case.workspace.metric("resolution_time", **asked).to_dicts()
            assert (row["value"], row["n"], row["status"]) == (None, 0, "no_data")


def messages(*threads: list[tuple[str, str, bool]]) -> list[dict[str, Any]]:
    return [
        {
            "message_id": f"{thread}.{number}",
            "thread_id": f"t{thread}",
            "sent_at": at,
            "direction": direction,
            "from_address": "ann@ours.example",
            "is_automatic": automatic,
        }
        for thread, told in enumerate(threads)
        for number, (at, direction, automatic) in enumerate(told)
    ]


IN, OUT = "inbound", "outbound"


class TestEmails:
    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """EM-1: two threads of a Friday."""
        case = Case(tmp_path_factory.mktemp("mail"))
        talk = [
            ("2026-03-06T09:00:00Z", IN, False),
            ("2026-03-06T09:01:00Z", OUT, True),
            ("2026-03-06T09:30:00Z", IN, False),
            ("2026-03-06T10:00:00Z", OUT, False),
            ("2026-03-06T16:30:00Z", IN, False),
            ("2026-03-09T09:30:00Z", OUT, False),
        ]
        case.facts("emails", *messages(talk, [("2026-03-06T12:00:00Z", IN, False)]))
        case.roll_up()
        return case

    def test_answers(self, case: Case) -> None:
        """EM-1: by the clock and in hours of work."""

        def told(*variants: str) -> list[float | None]:
            return [
                case.value("email_response_time", variant=name, **MARCH)
                for name in variants
            ]

        assert told("mean", "median", "p90", "within_60") == [1980, 1980, 3900, 0.5]
        business = ("business_mean", "business_median", "business_p90")
        assert told(*business, "business_within_60") == [60, 60, 60, 1.0]
        days = case.workspace.metric("email_response_time", grain="day", **MARCH)
        values = {row["period_start"].day: row["value"] for row in days.to_dicts()}
        assert (values[6], values[9]) == (60, 3900)

    def test_unanswered(self, case: Case) -> None:
        """EM-1: one of three waits; on Monday it was too early to tell."""
        asked = {"variant": "unanswered_rate"}
        (row,) = case.workspace.metric(
            "email_response_time", **asked, **MARCH
        ).to_dicts()
        assert (row["numerator"], row["denominator"]) == (1, 3)
        early = case.workspace.metric(
            "email_response_time", as_of="2026-03-09", **asked
        )
        assert early.to_dicts()[0]["status"] == "no_data"

    def test_volume(self, case: Case) -> None:
        by = case.by("email_volume", "direction", **MARCH)
        assert by == {IN: 4, OUT: 2}
        every = case.by("email_volume", "direction", variant="all", **MARCH)
        assert every == {IN: 4, OUT: 3}
        april = {"start": "2026-04-01", "end": "2026-05-01"}
        assert case.value("email_volume", **april) == 0

    def test_before_and_after_work(self, tmp_path: Path) -> None:
        """resp_wh_a, resp_wh_b, resp_actual_c: at work from eight to five."""
        case = Case(tmp_path, business_hours="08:00-17:00")
        spans = {3: ("07:00", "08:05"), 4: ("16:00", "18:27"), 5: ("18:00", "18:27")}
        threads = [
            [(f"2026-03-0{day}T{a}", IN, False), (f"2026-03-0{day}T{b}", OUT, False)]
            for day, (a, b) in spans.items()
        ]
        case.facts("emails", *messages(*threads))
        asked = {"grain": "day", "start": "2026-03-03", "end": "2026-03-06"}
        worked = case.workspace.metric(
            "email_response_time", variant="business_mean", **asked
        )
        assert [row["value"] for row in worked.to_dicts()] == [5, 60, 0]
        clock = case.workspace.metric("email_response_time", **asked).to_dicts()
        assert clock[2]["value"] == 27

    def test_who_is_who_follows_from_domains(self, tmp_path: Path) -> None:
        case = Case(tmp_path, internal_domains=["ours.example", "ours-too.example"])
        told = [
            ("Bob <bob@theirs.example>", "Support <help@ours.example>"),
            ("Ann <ANN@Ours.example>", "cy@ours-too.example"),
            ("ann@ours.example", "bob@theirs.example, cy@ours.example"),
        ]
        rows = [
            {
                "message_id": str(hour),
                "thread_id": "t",
                "sent_at": f"2026-03-03T1{hour}:00",
                "from_address": sender,
                "to_addresses": to,
            }
            for hour, (sender, to) in enumerate(told)
        ]
        case.facts("emails", *rows)
        # What went within the company is no answer.
        assert case.value("email_response_time", **MARCH) == 120
        assert case.by("email_response_time", "mailbox", **MARCH) == {
            "ann@ours.example": 120
        }
        by = case.by("email_volume", "mailbox", **MARCH)
        assert by == {"help@ours.example": 1, "ann@ours.example": 1}


class TestAttention:
    MINUTES = {"red": 600, "orange": 100, "yellow": 100, "green": 200}
    MRR = {"red": 1000, "orange": 3000, "yellow": 3000, "green": 3000}

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """ATT-1: an account of each color, one without a score, one of tests."""
        case = Case(tmp_path_factory.mktemp("attention"))
        case.facts("accounts", {"account_id": "tried", "is_test": True})
        minutes = {**cls.MINUTES, "new": None, "tried": 900}
        case.facts(
            "touchpoints",
            *(
                {
                    "touchpoint_id": name,
                    "account_id": name,
                    "at": "2026-03-10",
                    "minutes": length and float(length),
                }
                for name, length in minutes.items()
            ),
        )
        case.facts(
            "subscription_items",
            *(
                {
                    "subscription_id": name,
                    "account_id": name,
                    "item_id": "",
                    "mrr": amount,
                    "valid_from": "2026-01-01",
                }
                for name, amount in cls.MRR.items()
            ),
        )
        snapshots = [("green", "2026-03-20")] + [
            (name, "2026-04-01") for name in cls.MRR
        ]
        case.facts(
            "health_snapshots",
            *(
                {
                    "account_id": "red" if date == "2026-03-20" else color,
                    "date": date,
                    "color": color,
                    "computed_at": "2026-04-01",
                }
                for color, date in snapshots
            ),
        )
        tickets = [("red", 4), ("orange", 1), ("yellow", 2), ("green", 3)]
        case.facts(
            "tickets",
            *(
                {
                    "ticket_id": f"{name}{n}",
                    "account_id": name,
                    "opened_at": "2026-03-05",
                }
                for name, count in tickets
                for n in range(count)
            ),
        )
        case.roll_up()
        return case

    def test_red_accounts_take_the_time(self, case: Case) -> None:
        """ATT-1: 60 % of the time for 10 % of the revenue."""
        rows = case.workspace.metric("attention_index", **MARCH).to_dicts()
        told = {row["color"]: row["value"] for row in rows}
        assert list(told) == ["red", "orange", "yellow", "green", "none"]
        assert told["red"] == 6.0
        assert told["orange"] == told["yellow"] == pytest.approx(1 / 3)
        assert told["green"] == pytest.approx(2 / 3)
        assert told["none"] is None
        shares = (rows[0]["numerator"], rows[0]["denominator"])
        assert shares == pytest.approx((0.6, 0.1))

    def test_its_parts(self, case: Case) -> None:
        asked = {"where": "color = 'red'", **MARCH}
        for variant, share in (("minutes", 0.6), ("mrr", 0.1)):
            (row,) = case.workspace.metric(
                "attention_index", variant=variant, **asked
            ).to_dicts()
            assert row["value"] == share

    def test_the_loudest_are_served(self, case: Case) -> None:
        rows = case.workspace.metric("attention_index", variant="loudness", **MARCH)
        (row,) = rows.to_dicts()
        assert (row["color"], row["n"]) == ("all", 5)
        assert row["value"] == pytest.approx(0.9746794)

    def test_nothing_said_of_a_quiet_month(self, case: Case) -> None:
        rows = case.workspace.metric(
            "attention_index", start="2026-05-01", end="2026-06-01"
        )
        assert {row["value"] for row in rows.to_dicts()} == {None}
