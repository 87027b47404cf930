"""Adoption, funnels, onboarding, retention, engagement: the reference's examples.

All facts are in one workspace; each example has names, accounts or a segment of
its own and asks for those.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from perennial.core.windows import add_months
from perennial.metrics.tenure import changes, dips
from tests.builders import Case

TODAY = date(2026, 6, 1)
DAY = timedelta(days=1)
SPRING = {"start": "2026-03-01", "end": "2026-06-01"}


def at(day: date, clock: str = "10:00") -> str:
    return f"{day}T{clock}"


class Facts:
    """Rows by table, so that each table is written once."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def facts(self, table: str, *rows: dict[str, Any]) -> None:
        self.tables[table] += rows

    def events(self, *rows: tuple[str, str, str, str]) -> None:
        for user, account, when, name in rows:
            row = {"event_id": str(len(self.tables["events"])), "event": name}
            row |= {"timestamp": when, "user_id": user, "account_id": account}
            self.facts("events", row)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    case = Case(tmp_path_factory.mktemp("case"), now="2026-06-01T06:00")
    facts = Facts()
    for add in (
        time_to_adopt,
        repeat,
        areas,
        core_features,
        dip,
        funnels,
        trials,
        onboarding,
        value,
        returns,
        seats,
    ):
        add(facts)
    for table, rows in facts.tables.items():
        case.facts(table, *rows)
    case.roll_up()
    return case


def feature(case: Facts, name: str, account: str = "", **more: Any) -> None:
    """A feature used by the event of its name; with an account, open to it alone."""
    case.facts("features", {"feature_id": name, **more})
    if account:
        case.facts("entitlements", {"account_id": account, "feature_id": name})


def rows(case: Case, key: str, **asked: Any) -> list[dict[str, Any]]:
    return case.workspace.metric(key, **asked).to_dicts()


def one(case: Case, key: str, **asked: Any) -> dict[str, Any]:
    (row,) = rows(case, key, **asked)
    return row


# Features: U06 to U08


def time_to_adopt(case: Facts) -> None:
    """TTA-1 and TTA-2: days until use; None for those watched to the end."""
    feature(case, "export", "A1")
    feature(case, "import", "A2")
    start = date(2026, 4, 1)
    people = (
        *(("A1", n, None) for n in (1, 2, 3, None, None, None, None)),
        *(("A2", n, None) for n in (2, 4, 4, 7)),
        ("A2", None, 3),
        ("A2", None, 10),
    )
    for number, (account, days, ends) in enumerate(people):
        name = f"tta{number}"
        case.facts("users", {"user_id": name, "created_at": at(start, "08:00")})
        until = {"ends_at": at(start + DAY * (ends + 1), "00:00")} if ends else {}
        case.facts("memberships", {"user_id": name, "account_id": account, **until})
        if days:
            use = "export" if account == "A1" else "import"
            case.events((name, account, at(start + DAY * days), use))
    feature(case, "late", released_at="2026-04-10T00:00")
    grant = {"account_id": "A3", "feature_id": "late"}
    case.facts("entitlements", {**grant, "starts_at": "2026-04-20T00:00"})
    for name, day in (("l1", 5), ("l2", 25)):
        case.facts("users", {"user_id": name, "created_at": at(start, "08:00")})
        case.facts("memberships", {"user_id": name, "account_id": "A3"})
        case.events((name, "A3", f"2026-04-{day:02}T10:00", "late"))


class TestTimeToAdopt:
    asked = {"as_of": "2026-05-02"}

    def test_never_adopters_are_still_waiting(self, case: Case) -> None:
        """TTA-1."""
        asked = {**self.asked, "where": "account = 'A1' and feature = 'export'"}
        row = one(case, "time_to_adopt", **asked)
        assert (row["value"], row["status"]) == (None, "insufficient")
        assert (row["numerator"], row["denominator"], row["n"]) == (3, 7, 7)
        assert case.value("time_to_adopt", variant="adopters", **asked) == 2

    def test_those_who_left_were_watched_for_a_while(self, case: Case) -> None:
        """TTA-2."""
        asked = {**self.asked, "where": "account = 'A2' and feature = 'import'"}
        assert case.value("time_to_adopt", **asked) == 4
        assert case.value("time_to_adopt", variant="adopters", **asked) == 4
        by_feature = case.by("time_to_adopt", "feature", **self.asked)
        assert by_feature["import"] == 4
        assert by_feature["export"] is None

    def test_it_is_open_once_released_and_granted(self, case: Case) -> None:
        """Use before that took no time."""
        where = "account = 'A3' and feature = 'late'"
        asked = {**SPRING, "where": where, "variant": "adopters"}
        assert case.value("time_to_adopt", **asked) == (0 + 5) / 2
        april = {"start": "2026-04-20", "end": "2026-04-21", "where": where}
        assert one(case, "time_to_adopt", **april)["n"] == 2


def repeat(case: Facts) -> None:
    """PH-1: days of use since the first."""
    feature(case, "share", "B")
    first = date(2026, 3, 10)
    for n, offsets in enumerate(([0, 3], [0], [0], [0, 31], [0, 10])):
        case.events(*((f"ph{n}", "B", at(first + DAY * o), "share") for o in offsets))
    case.events(("ph1", "B", at(first, "11:00"), "share"))  # again, but the same day
    case.events(("young", "B", at(TODAY - DAY * 30), "share"))  # day 30 is not over


class TestFeatureRepeatRate:
    asked = {**SPRING, "where": "feature = 'share'"}

    def test_another_day_within_thirty(self, case: Case) -> None:
        """PH-1."""
        row = one(case, "feature_repeat_rate", **self.asked)
        assert (row["value"], row["n"]) == (0.4, 5)
        left = {**self.asked, "variant": "try_and_leave"}
        assert case.value("feature_repeat_rate", **left) == 0.6

    def test_days_and_accounts(self, case: Case) -> None:
        longer = {**self.asked, "params": {"days": "31"}}
        assert case.value("feature_repeat_rate", **longer) == 0.6
        assert case.by("feature_repeat_rate", "account", **self.asked) == {"B": 0.4}


# Use of areas: U12


def areas(case: Facts) -> None:
    """PUR-1: of 10 provisioned users 6, 4 and 2; PUR-2: a session over two areas."""
    feature(case, "r", "P", area="Reports")
    feature(case, "a", "P", area="Admin", is_key=True)
    case.facts("entitlements", *({"account_id": "P2", "feature_id": f} for f in "ra"))
    for n in range(10):
        case.facts("memberships", {"user_id": f"p{n}", "account_id": "P"})
    used = ["ra", "ra", "r", "r", "x", "x"]
    case.events(
        *(
            (f"p{n}", "P", "2026-05-20T10:00", name)
            for n, names in enumerate(used)
            for name in names
        )
    )
    clicks = ((0, "r"), (120, "r"), (300, "a"), (360, "r"))
    case.events(
        *(
            ("q", "P2", f"2026-05-20T10:{s // 60:02}:{s % 60:02}", name)
            for s, name in clicks
        )
    )


class TestProductUsageRate:
    asked = {"as_of": "2026-06-01", "where": "account = 'P'"}

    def test_share_of_those_with_access(self, case: Case) -> None:
        """PUR-1."""
        row = one(case, "product_usage_rate", **self.asked)
        assert (row["value"], row["n"]) == (0.6, 10)
        by_area = case.by("product_usage_rate", "area", **self.asked)
        assert by_area == {"Reports": 0.4, "Admin": 0.2}
        only = {**self.asked, "where": "account = 'P' and area = 'Admin'"}
        assert case.value("product_usage_rate", **only) == 0.2

    def test_time_until_the_next_event_is_of_the_area_before(self, case: Case) -> None:
        """PUR-2."""
        asked = {**self.asked, "where": "account = 'P2'"}
        by_area = {"variant": "seconds", **asked}
        spent = case.by("product_usage_rate", "area", **by_area)
        assert spent == {"Reports": 300, "Admin": 60}
        assert case.value("product_usage_rate", variant="seconds", **asked) == 360
        uses = case.by("product_usage_rate", "area", variant="uses", **asked)
        assert uses == {"Reports": 3, "Admin": 1}
        assert case.value("product_usage_rate", variant="active_days", **asked) == 1


class TestKeyFeatureCoverage:
    def test_used_of_those_open(self, case: Case) -> None:
        asked = {"as_of": "2026-06-01", "where": "account in ('P', 'P2', 'A1')"}
        row = one(case, "key_feature_coverage", **asked)
        assert (row["value"], row["numerator"], row["denominator"]) == (1.0, 2, 2)
        users = one(case, "key_feature_coverage", variant="users", **asked)
        assert (users["numerator"], users["denominator"]) == (3, 7)
        none = case.by("key_feature_coverage", "account", **asked)
        assert none == {"P": 1.0, "P2": 1.0}, "nothing open: no row"


# Product engagement score: Q01


def core_features(case: Facts) -> None:
    """PES-1 and PES-2: users with 5, 3, 2 and 0 of 5 core features, 48 user-days."""
    for n in range(5):
        feature(case, f"core{n}", is_core=True)
    case.facts(
        "accounts",
        *(
            {"account_id": f"E{n}", "segment": "moving" if n < 20 else "still"}
            for n in range(21)
        ),
    )
    for people, accounts in (("efgh", range(15)), ("ijkl", [20])):
        turn = 0
        for user, used, days in zip(people, (5, 3, 2, 0), (20, 16, 8, 4), strict=True):
            for n in range(days):
                account = f"E{accounts[turn % len(accounts)]}"
                turn += 1
                day = at(TODAY - DAY * (n + 1))
                case.events((user, account, day, f"core{n}" if n < used else "Log In"))
    # Active before: three long ago, five until a month ago, and the one that stays.
    earlier = [(f"E{n}", 90) for n in (12, 13, 14)]
    earlier += [(f"E{n}", 40) for n in (15, 16, 17, 18, 19, 20)]
    case.events(*(("z", a, at(TODAY - DAY * d), "Log In") for a, d in earlier))


class TestProductEngagementScore:
    def test_the_mean_of_three(self, case: Case) -> None:
        """PES-1: adoption 0.5, stickiness 0.4, growth 15 / 20."""
        asked = {"as_of": "2026-06-01", "where": "segment = 'moving'"}
        for variant, points in (
            ("adoption", 50),
            ("stickiness", 40),
            ("growth", 75),
            ("pes", 55),
            ("partial", 55),
        ):
            found = case.value("product_engagement_score", variant=variant, **asked)
            assert found == pytest.approx(points), variant

    def test_without_growth_there_is_a_part(self, case: Case) -> None:
        """PES-2."""
        asked = {"as_of": "2026-06-01", "where": "segment = 'still'"}
        row = one(case, "product_engagement_score", **asked)
        assert (row["value"], row["status"]) == (None, "insufficient")
        part = case.value("product_engagement_score", variant="partial", **asked)
        assert part == pytest.approx(45)


# Use by age: U13

CURVE = (0.60, 0.62, 0.61, 0.60, 0.61, 0.42, 0.55, 0.60, 0.61)


def dip(case: Facts) -> None:
    """Two accounts of 100 seats whose use by month of tenure is DIP-1's."""
    begun = date(2025, 5, 31)
    for account in ("D1", "D2"):
        case.facts(
            "accounts",
            {
                "account_id": account,
                "segment": "aging",
                "onboarding_completed_at": at(begun),
            },
        )
        seats = {"account_id": account, "seats": 100}
        case.facts("seat_contracts", {**seats, "starts_at": at(begun, "00:00")})
        for month, share in enumerate(CURVE, start=1):
            day = at(add_months(begun, month))
            people = range(round(share * 100))
            case.events(*((f"{account}-{n}", account, day, "Log In") for n in people))


class TestUsageDip:
    def test_month_six_only(self, case: Case) -> None:
        """DIP-1."""
        curve = dict(enumerate(CURVE, start=1))
        assert dips(curve, -0.2) == [6]
        assert changes(curve)[6] == pytest.approx(-0.307692308)
        assert changes(curve)[3] is None

    def test_from_facts(self, case: Case) -> None:
        asked = {"as_of": "2026-06-01", "where": "segment = 'aging'"}
        least = {"params": {"min_accounts": "2"}}
        found = rows(case, "usage_dip", **asked, **least)
        known = {row["k"]: row["value"] for row in found}
        assert [k for k, value in known.items() if value and value <= -0.2] == [
            6,
            10,
            11,
        ]
        assert known[6] == pytest.approx(-0.307692308)
        # Nobody came in the eleventh month, and so they did not survive the eighth.
        survivors = rows(case, "usage_dip", variant="survivors", **asked, **least)
        assert max(row["k"] for row in survivors) == max(known) - 3

    def test_few_accounts_say_nothing(self, case: Case) -> None:
        asked = {"as_of": "2026-06-01", "where": "segment = 'aging'"}
        found = rows(case, "usage_dip", **asked)
        assert {row["status"] for row in found} == {"insufficient"}


# Conversion: A01 to A03

STEPS = ("visit", "signup", "activate", "paid")


def funnels(case: Facts) -> None:
    """CR-1 and FUN-1, on days since the 1st of March."""
    first = date(2026, 3, 1)
    base = [(f"p{n}", 0, "base") for n in range(1, 9)]
    goals = [("p1", 3), ("p1", 5), ("p2", 31), ("p3", 30), ("x9", 2)]
    people = {
        "P1": [(0, "visit"), (1, "signup"), (2, "activate"), (5, "paid")],
        "P2": [(0, "visit"), (8, "signup")],
        "P3": [(0, "signup"), (1, "visit"), (2, "signup")],
        "P4": [(0, "visit"), (1, "paid"), (2, "signup"), (3, "activate")],
    }
    happened = [
        *base,
        *((person, day, "goal") for person, day in goals),
        *((person, day, name) for person, way in people.items() for day, name in way),
        # CR-2: converters of the period over its visitors.
        *((f"v{n}", 0, "seen") for n in range(4)),
        *(("v0", 1, "bought"), ("v0", 2, "bought"), ("v9", 1, "bought")),
    ]
    case.events(*((who, "F", at(first + DAY * n), name) for who, n, name in happened))
    leads = [(f"{person}", way) for person, way in people.items()]
    stages = {"signup": "MQL", "activate": "sql", "paid": "won"}
    for person, way in leads:
        created = {"lead_id": person, "created_at": at(first, "09:00")}
        case.facts("leads", {**created, "source": "web" if person < "P3" else "fair"})
        for day, name in sorted(way, reverse=True):
            if name in stages:
                stage = {"lead_id": person, "stage": stages[name]}
                entered = {"entered_at": at(first + DAY * day)}
                case.facts("lead_stages", {**stage, **entered})
    lost = {"lead_id": "P2", "stage": "lost", "entered_at": "2026-04-20T10:00"}
    case.facts("lead_stages", lost)


class TestConversionRate:
    goal = {"params": {"base_event": "base", "goal_event": "goal"}}

    def test_of_a_cohort(self, case: Case) -> None:
        """CR-1: day 30 counts, day 31 does not; each once."""
        row = one(case, "conversion_rate", **SPRING, **self.goal)
        assert (row["value"], row["numerator"], row["n"]) == (0.25, 2, 8)
        assert row["status"] == "ok"

    def test_of_a_period(self, case: Case) -> None:
        """CR-2."""
        names = {"params": {"base_event": "seen", "goal_event": "bought"}}
        asked = {**SPRING, **names, "variant": "period"}
        assert case.value("conversion_rate", **asked) == 0.5

    def test_nobody_is_null(self, case: Case) -> None:
        """CR-3."""
        names = {"params": {"base_event": "never", "goal_event": "goal"}}
        for variant in ("period", "cohort"):
            row = one(case, "conversion_rate", **SPRING, **names, variant=variant)
            assert (row["value"], row["status"]) == (None, "no_data")
        assert case.value("conversion_rate", **SPRING) is None, "no names, no data"

    def test_while_there_is_time_it_is_provisional(self, case: Case) -> None:
        row = one(case, "conversion_rate", as_of="2026-03-31", **self.goal)
        assert (row["value"], row["status"]) == (1 / 8, "provisional")


class TestFunnel:
    asked = {**SPRING, "params": {"steps": ",".join(STEPS), "within_days": "7"}}

    def test_in_order_and_in_time(self, case: Case) -> None:
        """FUN-1."""
        assert case.value("funnel", **self.asked) == 0.25
        found = rows(case, "funnel", by=["step"], **self.asked)
        assert [row["step"] for row in found] == list(STEPS)
        assert [row["n"] for row in found] == [4, 3, 2, 1]
        rates = rows(case, "funnel", by=["step"], variant="step", **self.asked)
        expected = [1, 0.75, 2 / 3, 0.5]
        assert [row["value"] for row in rates] == pytest.approx(expected)
        days = rows(case, "funnel", by=["step"], variant="median_days", **self.asked)
        assert [row["value"] for row in days] == [None, 1, 1, 3]

    def test_split_by_account(self, case: Case) -> None:
        found = rows(case, "funnel", by=["account", "step"], **self.asked)
        assert {row["account"] for row in found} == {"F"}
        assert [row["n"] for row in found] == [4, 3, 2, 1]

    def test_one_event_is_not_two_steps(self, case: Case) -> None:
        twice = {"params": {"steps": "visit,visit"}}
        assert case.value("funnel", **SPRING, **twice) == 0
        again = {"params": {"steps": "goal,goal"}}
        assert case.value("funnel", **SPRING, **again) == 1 / 4


class TestLeadFunnel:
    def test_a_later_stage_implies_the_ones_before(self, case: Case) -> None:
        """P4 is won without having been an opportunity, P2's mql came in time."""
        found = rows(case, "lead_funnel", by=["stage"], **SPRING)
        stages = ["lead", "mql", "sql", "opportunity", "won"]
        assert [row["stage"] for row in found] == stages
        assert [row["n"] for row in found] == [4, 4, 2, 2, 2]
        assert case.value("lead_funnel", **SPRING) == 0.5
        soon = {**SPRING, "params": {"within_days": "4", "stages": "lead,mql,won"}}
        found = rows(case, "lead_funnel", by=["stage"], **soon)
        assert [row["n"] for row in found] == [4, 3, 1]

    def test_by_source_and_won_of_decided(self, case: Case) -> None:
        assert case.by("lead_funnel", "source", **SPRING) == {"web": 0.5, "fair": 0.5}
        row = one(case, "lead_funnel", variant="win_rate", **SPRING)
        assert (row["value"], row["denominator"]) == (2 / 3, 3)


def trials(case: Facts) -> None:
    """FTP-1; further one who paid before, and one who bought at once."""
    for n, (paid, age, more) in enumerate(
        (
            (10, 60, ""),
            (35, 60, ""),
            (None, 60, ""),
            (20, 60, "refunded"),
            (1, 60, "test"),
            (None, 12, ""),
            (5, 60, "before"),
            (0, 60, "at once"),
        )
    ):
        account, start = f"T{n}", TODAY - DAY * age
        case.facts(
            "accounts",
            {
                "account_id": account,
                "segment": "trying",
                "is_test": more == "test",
                "created_at": at(start, "07:00"),
            },
        )
        item = {"subscription_id": account, "account_id": account, "unit_amount": 100}
        ends = start + DAY * paid if paid is not None else None
        trial = {"is_trial": True, "item_id": "trial", "valid_from": at(start)}
        case.facts(
            "subscription_items",
            {**item, **trial, "valid_to": at(ends) if ends and paid else None},
        )
        if ends is not None:
            since = at(ends)
            case.facts("subscription_items", {**item, "valid_from": since})
            payment = {"account_id": account, "amount": 100}
            case.facts(
                "payments", {**payment, "payment_id": f"{account}-in", "paid_at": since}
            )
            if more == "refunded":
                back = {"payment_id": f"{account}-out", "kind": "refund"}
                when = {"paid_at": at(ends + DAY * 30)}
                case.facts("payments", {**payment, **back, **when})
        if more == "before":
            old = {"subscription_id": "old", "valid_from": at(start - DAY * 90)}
            case.facts(
                "subscription_items", {**item, **old, "valid_to": at(start - DAY * 30)}
            )

    free = {"account_id": "free", "subscription_id": "free", "unit_amount": 0}
    start = TODAY - DAY * 91
    case.facts("subscription_items", {**free, "valid_from": at(start)})
    paid_item = {**free, "unit_amount": 9, "item_id": "paid"}
    late = at(start + DAY * 90)
    case.facts("subscription_items", {**paid_item, "valid_from": late})


class TestFreeToPaid:
    asked = {"as_of": "2026-06-01", "where": "segment = 'trying'"}

    def test_matured_trials(self, case: Case) -> None:
        """FTP-1."""
        row = one(case, "free_to_paid", **self.asked)
        assert (row["value"], row["n"]) == (0.5, 4)
        assert case.value("free_to_paid", variant="net", **self.asked) == 0.25

    def test_a_free_plan_has_longer(self, case: Case) -> None:
        asked = {"as_of": "2026-06-01", "where": "account = 'free'"}
        assert case.by("free_to_paid", "kind", **asked) == {"freemium": 1.0}
        short = {**asked, "params": {"days": "89"}}
        assert case.value("free_to_paid", **short) == 0
        before = {"as_of": "2026-05-31", "where": "account = 'free'"}
        assert case.value("free_to_paid", **before) is None


# Onboarding: A04 and A05


def onboarding(case: Facts) -> None:
    """ONB-1: 200, 150, 120 and 60 people; a step without a place is optional."""
    counts = (200, 150, 120, 60)
    taken = [
        {
            "flow": "start",
            "step": f"step {n + 1}",
            "position": n + 1,
            "user_id": f"onb{who}",
            "account_id": f"O{who % 2}",
            "completed_at": at(date(2026, 5, 1) + DAY * n),
        }
        for n, count in enumerate(counts)
        for who in range(count)
    ]
    optional = {"flow": "start", "step": "tour", "user_id": "onb0"}
    taken.append({**optional, "completed_at": "2026-05-01T11:00"})
    case.facts("onboarding_steps", *taken)
    flow = {"flow": "other", "account_id": "O3"}
    for user, step, day in (
        ("b", 1, 2),
        ("b", 2, 1),
        ("b", 3, 3),
        ("c", 2, 1),
        ("d", 1, 1),
        ("d", 2, 1),
        ("d", 3, 1),
    ):
        took = {"step": f"s{step}", "position": step, "user_id": user}
        when = {"completed_at": f"2026-05-0{day}T10:00"}
        case.facts("onboarding_steps", {**flow, **took, **when})


class TestOnboardingFunnel:
    def test_completion_and_drops(self, case: Case) -> None:
        """ONB-1."""
        asked = {**SPRING, "where": "flow = 'start'"}
        assert case.value("onboarding_funnel", **asked) == 0.3
        found = rows(case, "onboarding_funnel", by=["step"], **asked)
        assert [row["n"] for row in found] == [200, 150, 120, 60]
        lost = rows(case, "onboarding_funnel", by=["step"], variant="drop", **asked)
        drops = [row["value"] for row in lost]
        assert drops == pytest.approx([0.25, 0.2, 0.5, None])
        worst = max(lost, key=lambda row: row["value"] or 0)
        assert worst["step"] == "step 3"

    def test_in_order_only(self, case: Case) -> None:
        """The second step before the first is none; whoever lacks the first is out."""
        asked = {**SPRING, "where": "flow = 'other'"}
        found = rows(case, "onboarding_funnel", by=["step"], **asked)
        assert [row["n"] for row in found] == [2, 1, 1]
        stalled = rows(
            case, "onboarding_funnel", by=["step"], variant="stalled", **asked
        )
        assert [row["value"] for row in stalled] == [0.5, 0, 0]
        accounts = {**asked, "params": {"unit": "accounts"}}
        assert case.value("onboarding_funnel", **accounts) == 1


def value(case: Facts) -> None:
    """TTV-1: value after 3, 10 and 5 days; two still without after 20 and 4."""
    for n, (days, reached) in enumerate(
        ((3, True), (10, True), (5, True), (20, False), (4, False))
    ):
        account = f"V{n}"
        start = date(2026, 5, 1) if reached else TODAY - DAY * (days + 1)
        about = {"account_id": account, "segment": "new"}
        case.facts("accounts", {**about, "created_at": at(start, "08:00")})
        if reached:
            case.events((f"ttv{n}", account, at(start + DAY * days), "Value Seen"))


class TestTimeToValue:
    asked = {**SPRING, "where": "segment = 'new'", "params": {"event": "Value Seen"}}

    def test_those_without_value_are_still_waiting(self, case: Case) -> None:
        """TTV-1."""
        row = one(case, "time_to_value", **self.asked)
        assert (row["value"], row["numerator"], row["n"]) == (10, 3, 5)
        naive = {**self.asked, "variant": "naive_median"}
        assert case.value("time_to_value", **naive) == 5
        assert case.value("time_to_value", variant="p25", **self.asked) == 5
        assert case.value("time_to_value", variant="p75", **self.asked) is None


# Retention: K01


def returns(case: Facts) -> None:
    """RET-1 and RET-2: days since the first; the fifth joined two days ago."""
    for n, (age, offsets) in enumerate(
        (
            (30, [0, 1, 7]),
            (30, [0, 3]),
            (30, [0, 1]),
            (30, [0]),
            (2, [0, 1]),
        )
    ):
        account = "R" if age == 30 else "R2"
        days = (at(TODAY - DAY * (age - offset)) for offset in offsets)
        case.events(*((f"ret{n}", account, day, "Log In") for day in days))


class TestUserRetention:
    def retained(self, case: Case, days: str, where: str, variant: str) -> list[float]:
        asked = {"as_of": "2026-06-01", "params": {"days": days}}
        found = rows(case, "user_retention", where=where, variant=variant, **asked)
        assert [str(row["day"]) for row in found] == days.split(",")
        return [row["value"] for row in found]

    def test_mature_users(self, case: Case) -> None:
        """RET-1."""
        only = "account = 'R'"
        assert self.retained(case, "0,1,3,7", only, "n_day") == [1, 0.5, 0.25, 0.25]
        later = self.retained(case, "0,1,3,7", only, "unbounded")
        assert later == [1, 0.75, 0.5, 0.25]
        assert self.retained(case, "1-3,4-7", only, "bracket") == [0.75, 0.25]

    def test_whose_day_is_not_over_does_not_count(self, case: Case) -> None:
        """RET-2."""
        both = "account in ('R', 'R2')"
        assert self.retained(case, "1,7", both, "n_day") == [0.6, 0.25]
        assert self.retained(case, "1,7", both, "unbounded") == [0.8, 0.25]
        assert self.retained(case, "1-3", both, "bracket") == [0.75]

    def test_by_weeks(self, case: Case) -> None:
        """Cohorts of ISO weeks: the 2nd of May 2026 is a Saturday."""
        asked = {**SPRING, "grain": "week", "where": "account = 'R'"}
        found = rows(case, "user_retention", **asked)
        assert {row["cohort"] for row in found} == {date(2026, 4, 27)}
        assert [row["k"] for row in found] == [0, 1, 2, 3, 4]
        assert [row["value"] for row in found] == [1, 0.5, 0, 0, 0]
        events = {"start_event": "Log In", "return_event": "Log In"}
        assert rows(case, "user_retention", **asked, params=events) == found

    def test_by_events(self, case: Case) -> None:
        names = {"days": "2,3", "start_event": "base", "return_event": "goal"}
        found = rows(case, "user_retention", **SPRING, params=names)
        assert [(row["value"], row["n"]) for row in found] == [(0, 8), (1 / 8, 8)]


# Seats, sessions, variants


def seats(case: Facts) -> None:
    bought = {"account_id": "S", "seats": 4, "starts_at": "2026-01-01T00:00"}
    case.facts("seat_contracts", bought)
    for user, ends in (("s1", None), ("s2", "2026-05-20T00:00"), ("s3", None)):
        member = {"user_id": user, "account_id": "S", "ends_at": ends}
        case.facts("memberships", member)
    for minute, second in ((0, 0), (0, 9), (40, 0), (40, 10), (59, 0)):
        clock = f"10:{minute:02}:{second:02}"
        case.events(("s1", "S", at(date(2026, 5, 25), clock), "Log In"))
    case.events(("s1", "S", at(date(2026, 5, 26)), "Log In"))
    case.events(("s3", "S", at(date(2026, 5, 24)), "Log In"))


class TestSeatsAndSessions:
    def test_seats_held(self, case: Case) -> None:
        where = {"where": "account = 'S'"}
        for day, held in (("2026-05-20", 3), ("2026-05-21", 2)):
            row = one(case, "seat_assignment_rate", as_of=day, **where)
            assert (row["numerator"], row["value"]) == (held, held / 4)

    def test_short_sessions(self, case: Case) -> None:
        """Nine seconds and a single event are short, nineteen minutes are not."""
        asked = {**SPRING, "where": "account = 'S' and user = 's1'"}
        row = one(case, "short_session_share", **asked)
        assert (row["numerator"], row["denominator"]) == (2, 3)
        longer = {**asked, "params": {"seconds": "9"}}
        assert case.value("short_session_share", **longer) == 1 / 3

    def test_daily_over_weekly(self, case: Case) -> None:
        """One user on the day, two in the week (vendor example `stickiness`)."""
        asked = {"start": "2026-05-26", "end": "2026-05-27", "where": "account = 'S'"}
        assert case.value("stickiness", variant="dau_wau", **asked) == 0.5

    def test_windows_are_settings(self, case: Case) -> None:
        settings = replace(case.workspace.settings, wau_days=1, mau_days=2)
        asked = {"as_of": "2026-05-27", "where": "account = 'S'", "settings": settings}
        assert case.value("wau", **asked) == 1
        assert case.value("mau", **asked) == 1
        wide = {"as_of": "2026-05-27", "where": "account = 'S'"}
        assert case.value("wau", **wide) == 2

    def test_uses_of_an_active_user(self, case: Case) -> None:
        asked = {"as_of": "2026-06-01", "where": "account = 'P'"}
        uses = {"per_active_user": 8 / 6, "per_active_day": 8 / 6, "total": 8}
        for variant, expected in uses.items():
            assert case.value("feature_uses", variant=variant, **asked) == expected
        empty = {"start": "2026-05-01", "end": "2026-05-02", "where": "account = 'P'"}
        assert case.value("feature_uses", **empty) == 0
        rate = {**empty, "variant": "per_active_user"}
        assert case.value("feature_uses", **rate) is None
