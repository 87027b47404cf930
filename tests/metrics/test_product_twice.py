"""Requests, uptime and outcomes, computed a second time from plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from math import ceil

import numpy as np
import pytest

from tests.metrics.plainly import (
    AS_OF,
    BERLIN,
    DAY,
    DAYS,
    MONTHS,
    SPANS,
    SPRING,
    TODAY,
    Plain,
    Row,
    local,
    same,
    second,
)
from tests.metrics.test_support_twice import first_contact
from tests.metrics.test_voice_twice import answers, commented, easy
from tests.metrics.world import NOW, World

MACHINES = {"/health", "/healthz", "/livez", "/metrics", "/ping", "/readyz"}


@pytest.fixture(scope="module")
def plain(world: World) -> Plain:
    return Plain(world)


# Requests


def kept(duration: int | None) -> int | None:
    """Milliseconds as they are kept: exact up to ten seconds, else four digits."""
    if duration is None or not 0 <= duration <= 10**12:
        return None
    if duration <= 10_000:
        return duration
    exact = Decimal(duration)
    digits = exact.adjusted() - 3
    return int(exact.quantize(Decimal(1).scaleb(digits), ROUND_HALF_UP))


@cache
def requests(plain: Plain) -> list[Row]:
    return [
        {
            **row,
            "date": local(row["at"]),
            "duration": kept(row["duration_ms"]),
            "failed": row["status"] is not None
            and (row["status"] == 0 or 500 <= row["status"] <= 599),
        }
        for row in plain.visible(plain.rows("requests"))
        if (row["endpoint"] or "").lower() not in MACHINES
    ]


@pytest.fixture(scope="module")
def asked_for(plain: Plain) -> list[Row]:
    return requests(plain)


def share(values: Iterable[object]) -> float | None:
    found = [Fraction(value) for value in values]  # type: ignore[arg-type]
    return float(sum(found) / len(found)) if found else None


def test_error_rate(plain: Plain, asked_for: list[Row]) -> None:
    def failed(own: Sequence[Row]) -> float | None:
        return share(row["failed"] for row in own)

    same(plain, "error_rate", asked_for, failed)
    same(
        plain,
        "error_rate",
        asked_for,
        failed,
        by=("segment", "endpoint"),
        spans=[AS_OF],
    )
    some = [row for row in asked_for if row["endpoint"] == "/a"]
    where = "endpoint = '/a'"
    same(
        plain, "error_rate", some, failed, by=("account",), where=where, spans=[MONTHS]
    )


@pytest.mark.parametrize("percent", [50, 75, 90, 95, 99])
def test_response_time(plain: Plain, asked_for: list[Row], percent: int) -> None:
    rows = [r for r in asked_for if not r["failed"] and r["duration"] is not None]

    def rank(own: Sequence[Row]) -> float | None:
        values = sorted(row["duration"] for row in own)
        place = ceil(Fraction(percent, 100) * len(values))
        return values[place - 1] if values else None

    asked = {"variant": f"p{percent}", "by": ("segment",) if percent > 50 else ()}
    spans = SPANS if percent == 50 else [MONTHS]
    same(plain, "response_time", rows, rank, spans=spans, **asked)


@pytest.mark.parametrize("variant", ["with_errors", "without_errors"])
@pytest.mark.parametrize("limit", [None, 2500])
def test_apdex(
    plain: Plain, asked_for: list[Row], variant: str, limit: int | None
) -> None:
    t = limit or 500

    def satisfied(own: Sequence[Row]) -> float | None:
        points = []
        for row in own:
            if row["failed"] and variant == "with_errors":
                points.append(Fraction(0))
            elif row["duration"] is not None:
                fast, bearable = row["duration"] <= t, row["duration"] <= 4 * t
                points.append(Fraction(int(fast) + int(bearable), 2))
        return share(points)

    params = {"T": str(limit)} if limit else {}
    known = [
        row
        for row in asked_for
        if row["duration"] is not None or (row["failed"] and variant == "with_errors")
    ]
    asked = {"variant": variant, "params": params}
    same(plain, "apdex", known, satisfied, spans=[MONTHS], **asked)


# Uptime


WEIGHTS = {
    "major": 1.0,
    "Major outage": 1.0,
    "partial": 0.3,
    "minor": 0.3,
    "degraded": 0.0,
}


def up(
    plain: Plain, start: date, end: date, rows: Sequence[Row], *, planned: bool
) -> float | None:
    """Uptime from the state of every single second."""
    low, high = (second(datetime.combine(day, time(), BERLIN)) for day in (start, end))
    down = np.zeros(high - low)
    maintained = np.zeros(high - low, dtype=bool)
    for row in rows:
        ends = row["ends_at"] or datetime.fromisoformat(NOW).replace(tzinfo=UTC)
        if ends <= row["starts_at"]:
            continue
        span = slice(max(second(row["starts_at"]) - low, 0), max(second(ends) - low, 0))
        told = row["announced_at"]
        in_time = told is not None and told <= row["starts_at"] - timedelta(hours=48)
        if row["planned"] and in_time:
            maintained[span] = True
        else:
            weight = WEIGHTS.get(row["severity"], 1.0)
            down[span] = np.maximum(down[span], weight)
    if planned:
        down[maintained] = 1.0
        return float(1 - down.mean())
    open_ = down[~maintained]
    return float(1 - open_.mean()) if open_.size else None


@pytest.mark.parametrize("variant", ["unplanned", "incl_planned"])
def test_uptime(plain: Plain, variant: str) -> None:
    incidents = plain.rows("incidents")
    first = min(local(row["starts_at"]) for row in incidents)
    for asked in (MONTHS, DAYS, SPRING, AS_OF):
        found = plain.world.workspace.metric("uptime", variant=variant, **asked)
        for row in found.to_dicts():
            start, end = row["period_start"], min(row["period_end"], TODAY)
            if start >= end or end <= first:
                assert row["value"] is None
                continue
            planned = variant == "incl_planned"
            expected = up(plain, start, end, incidents, planned=planned)
            assert row["value"] == pytest.approx(expected, abs=1e-9), (asked, start)
            assert 0 <= row["value"] <= 1
    found = plain.world.workspace.metric("uptime", by=["service"], **SPRING)
    for row in found.to_dicts():
        own = [r for r in incidents if r["service"] == row["service"]]
        expected = up(plain, row["period_start"], row["period_end"], own, planned=False)
        assert row["value"] == pytest.approx(expected, abs=1e-9)


# Outcomes


@cache
def goals(plain: Plain, horizon: date = TODAY) -> list[Row]:
    """Goals with a way to go: whether they were measured, achieved, late, and how far."""
    values = defaultdict(dict)
    for row in plain.rows("goal_values"):
        values[row["goal_id"]][row["measured_at"]] = row["value"]
    found = []
    for row in plain.visible(plain.rows("goals")):
        base, target = row["baseline"], row["target"]
        if max(abs(base), abs(target)) > 1e150 or base == target:
            continue
        told = [
            (at, value, (value - base) / (target - base))
            for at, value in sorted(values[row["goal_id"]].items())
            if abs(value) <= 1e150 and local(at) < horizon
        ]
        in_time = [t for t in told if local(t[0]) <= row["due_on"]]
        rises = target > base

        def there(some, rises=rises, target=target) -> bool:
            return any(v >= target if rises else v <= target for _, v, _ in some)

        found.append(
            {
                **row,
                "date": row["due_on"],
                "measured": bool(in_time),
                "achieved": there(in_time),
                "late": not there(in_time) and there(told),
                "part": min(max(in_time[-1][2], 0), 1) if in_time else None,
            }
        )
    return found


@pytest.mark.parametrize("variant", ["achieved", "late", "measured", "progress"])
def test_outcome_rate(plain: Plain, variant: str) -> None:
    rows = goals(plain)
    if variant != "measured":
        rows = [row for row in rows if row["measured"]]
    column = "part" if variant == "progress" else variant

    def rate(own: Sequence[Row]) -> float | None:
        return share(row[column] for row in own)

    by = () if variant == "achieved" else ("segment", "measure")
    same(plain, "outcome_rate", rows, rate, variant=variant, by=by, spans=[MONTHS])


def experience(plain: Plain, end: date) -> dict[str, list[bool]]:
    """The criteria of every account that can be judged at the end of a period."""
    found: dict[str, list[bool]] = defaultdict(list)
    low = end - DAY * 90

    def by_account(rows: Iterable[Row]) -> dict[str, list[Row]]:
        groups = defaultdict(list)
        for row in rows:
            if low <= row["date"] < end and row["account_id"] is not None:
                groups[row["account_id"]].append(row)
        return groups

    for account, own in by_account(answers(plain, "ces")).items():
        latest = max(own, key=lambda row: (row["answered_at"], row["response_id"]))
        found[account].append(easy(latest))
    for row in plain.visible(plain.rows("accounts")):
        created, done = row["created_at"], row["onboarding_completed_at"]
        if created and done and local(created) <= local(done) < end:
            in_time = (local(done) - local(created)).days <= 14
            found[row["account_id"]].append(in_time)
    for account, own in by_account(requests(plain)).items():
        times = sorted(
            r["duration"] for r in own if not r["failed"] and r["duration"] is not None
        )
        if times:
            place = ceil(Fraction(95, 100) * len(times))
            found[account].append(times[place - 1] <= 2000)
    for account, own in by_account(first_contact(plain, TODAY)).items():
        settled = Fraction(sum(row["is_settled"] for row in own), len(own))
        found[account].append(settled >= Fraction(6, 10))
    looked_at = {row["response_id"] for row in plain.rows("feedback_annotations")}
    comments = [r for r in commented(plain) if r["response_id"] in looked_at]
    for account, own in by_account(comments).items():
        bad = sum(
            any(
                topic.lower() in ("confusing", "overload") for topic, _ in row["topics"]
            )
            for row in own
        )
        found[account].append(Fraction(bad, len(own)) < Fraction(2, 10))
    return found


OUTCOMES = {
    "success": (True, True),
    "outcome_only": (True, False),
    "experience_only": (False, True),
    "neither": (False, False),
}


def test_customer_success_rate(plain: Plain) -> None:
    asked = {"start": "2025-09-01", "end": "2026-06-01", "grain": "quarter"}
    workspace = plain.world.workspace
    told = {
        variant: workspace.metric(
            "customer_success_rate", variant=variant, **asked
        ).to_dicts()
        for variant in ("experience_only",)
    }
    split = workspace.metric(
        "customer_success_rate", by=["segment"], **asked
    ).to_dicts()
    seen = set()
    for number, row in enumerate(told["experience_only"]):
        start, end = row["period_start"], row["period_end"]
        judged = judge(plain, start, end)
        assert row["n"] == len(judged)
        for variant, answers_ in told.items():
            expected = share(state == OUTCOMES[variant] for state in judged.values())
            assert answers_[number]["value"] == pytest.approx(expected)
        seen |= set(judged.values())
        for part in split:
            if part["period_start"] != start:
                continue
            own = [
                state == OUTCOMES["success"]
                for account, state in judged.items()
                if plain.segments.get(account) == part["segment"]
            ]
            assert part["value"] == (pytest.approx(share(own)) if own else None)
    assert len(seen) >= 3


def judge(plain: Plain, start: date, end: date) -> dict[str, tuple[bool, bool]]:
    """Accounts that can be judged: goals achieved, experience good."""
    due = defaultdict(list)
    for row in goals(plain):
        if row["measured"] and start <= row["due_on"] < end:
            due[row["account_id"]].append(row["achieved"])
    criteria = experience(plain, end)
    return {
        account: (all(achieved), share(criteria[account]) >= 0.75)  # type: ignore[operator]
        for account, achieved in due.items()
        if len(criteria[account]) >= 2
    }
