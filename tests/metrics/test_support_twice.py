"""Tickets, e-mails and attention, computed a second time from plain rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from math import ceil, sqrt
from statistics import median

import pytest

from tests.metrics.plainly import (
    AS_OF,
    BERLIN,
    DAY,
    DAYS,
    MONTHS,
    SPRING,
    TODAY,
    Plain,
    Row,
    local,
    same,
    second,
)
from tests.metrics.world import World

OPENS, CLOSES = time(9), time(17)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def plain(world: World) -> Plain:
    return Plain(world)


def mean(values: Iterable[object]) -> float | None:
    found = list(values)
    return float(Fraction(sum(found), len(found))) if found else None  # type: ignore[arg-type]


def p90(values: Sequence[int]) -> int | None:
    return sorted(values)[ceil(Fraction(9, 10) * len(values)) - 1] if values else None


def middle(values: Sequence[int]) -> float | None:
    return median(values) if values else None


STATISTICS = {"mean": mean, "median": middle, "p90": p90}


def worked(since: datetime, until: datetime) -> int:
    """Seconds from Monday to Friday, nine to five in Berlin, day by day."""
    low, high, total = second(since), second(until), 0
    day = local(since)
    while day <= local(until):
        if day.isoweekday() <= 5:
            opens, closes = (
                second(datetime.combine(day, at, BERLIN).astimezone(UTC))
                for at in (OPENS, CLOSES)
            )
            total += max(0, min(high, closes) - max(low, opens))
        day += DAY
    return total


# Tickets


@cache
def tickets(plain: Plain) -> list[Row]:
    rows = [
        {**plain.attributed(row, "opened_at"), "opened": local(row["opened_at"])}
        for row in plain.rows("tickets")
        if not row["is_spam"] and row["merged_into"] is None
    ]
    return plain.visible(rows)


def solved(plain: Plain) -> list[Row]:
    return [
        {**row, "date": local(row["solved_at"])}
        for row in tickets(plain)
        if row["solved_at"] is not None
    ]


@pytest.mark.parametrize(
    ("key", "until"),
    [("first_response_time", "first_response_at"), ("resolution_time", "solved_at")],
)
@pytest.mark.parametrize("statistic", list(STATISTICS))
def test_times_of_tickets(plain: Plain, key: str, until: str, statistic: str) -> None:
    rows = [
        {
            **row,
            "clock": second(row[until]) - second(row["opened_at"]),
            "work": worked(row["opened_at"], row[until])
            if row["opened_at"].year > 2000
            else None,
        }
        for row in solved(plain)
        if row[until] is not None and row[until] >= row["opened_at"]
    ]

    def hours(column: str) -> object:
        def computed(own: Sequence[Row]) -> float | None:
            known = [row[column] for row in own if row[column] is not None]
            found = STATISTICS[statistic](known)
            return None if found is None else found / 3600

        return computed

    by = ("segment", "channel") if statistic == "mean" else ()
    same(plain, key, rows, hours("clock"), variant=statistic, by=by, spans=[MONTHS])
    variant = f"business_{statistic}"
    spans = [SPRING] if statistic == "p90" else [MONTHS]
    same(plain, key, rows, hours("work"), variant=variant, spans=spans)


@cache
def first_contact(plain: Plain, horizon: date) -> list[Row]:
    known = datetime.combine(horizon, time(), BERLIN).astimezone(UTC) - WEEK
    every = [
        plain.attributed(row, "opened_at")
        for row in plain.rows("tickets")
        if not row["is_spam"] and row["merged_into"] is None
    ]
    by_person = defaultdict(list)
    for row in every:
        if row["user_id"] is not None and row["topic"] is not None:
            by_person[row["user_id"], row["topic"]].append(row)
    found = []
    for row in solved(plain):
        replies, done = row["agent_replies"], row["solved_at"]
        if replies is None or (replies == 0 and row["first_response_at"] is None):
            continue
        if row["is_abandoned"] or row["opened_by_agent"] or done > known:
            continue
        again = any(
            other["ticket_id"] != row["ticket_id"]
            and done <= other["opened_at"] <= done + WEEK
            for other in by_person[row["user_id"], row["topic"]]
        )
        is_settled = (
            replies <= 1
            and not row["transfers"]
            and not row["reopened_count"]
            and not again
        )
        found.append({**row, "is_settled": is_settled})
    return found


def test_first_contact_resolution(plain: Plain) -> None:
    def computed(own: Sequence[Row]) -> float | None:
        return mean(row["is_settled"] for row in own)

    key, rows = "first_contact_resolution", first_contact(plain, TODAY)
    same(plain, key, rows, computed, spans=[MONTHS, DAYS])
    same(plain, key, rows, computed, by=("segment",), spans=[MONTHS])
    # Tickets that were still young on the day that is asked about.
    early = first_contact(plain, datetime.fromisoformat(AS_OF["as_of"]).date())
    same(plain, key, early, computed, spans=[AS_OF])
    last = {"as_of": "2026-04-18"}
    young = first_contact(plain, datetime(2026, 4, 18, tzinfo=UTC).date())
    same(plain, key, young, computed, by=("user",), spans=[last])


def test_abandoned_tickets(plain: Plain) -> None:
    rows = [
        {**row, "date": local(row["solved_at"] or row["closed_at"])}
        for row in tickets(plain)
        if (row["solved_at"] or row["closed_at"]) and not row["opened_by_agent"]
    ]
    same(
        plain,
        "first_contact_resolution",
        rows,
        lambda own: mean(bool(row["is_abandoned"]) for row in own),
        variant="abandon_rate",
        spans=[MONTHS],
    )


# E-mails


def address(text: str | None) -> str | None:
    found = re.search(r"[^<>\s,;]+@[^<>\s,;]+", (text or "").lower())
    return found.group() if found else None


@cache
def waits(plain: Plain) -> list[Row]:
    threads = defaultdict(list)
    for row in plain.rows("emails"):
        if not row["is_automatic"] and row["thread_id"] and row["direction"]:
            threads[row["thread_id"]].append(row)
    found = []
    for messages in threads.values():
        messages.sort(key=lambda row: (row["sent_at"], row["message_id"]))
        open_: Row | None = None
        for row in messages:
            if row["direction"] == "inbound":
                open_ = open_ or {**row, "answer": None}
                continue
            if open_ is not None:
                found.append({**open_, "answer": row})
            open_ = None
        if open_ is not None:
            found.append(open_)
    for row in found:
        answer = row["answer"]
        row["mailbox"] = address(
            answer["from_address"] if answer else row["to_addresses"]
        )
        if row["account_id"] is None and answer:
            row["account_id"] = answer["account_id"]
    return plain.visible(found)


def test_times_of_emails(plain: Plain) -> None:
    rows = [
        {
            **row,
            "date": local(row["answer"]["sent_at"]),
            "clock": second(row["answer"]["sent_at"]) - second(row["sent_at"]),
            "work": worked(row["sent_at"], row["answer"]["sent_at"]),
        }
        for row in waits(plain)
        if row["answer"]
    ]
    key = "email_response_time"
    for column, prefix in (("clock", ""), ("work", "business_")):
        for statistic, of in STATISTICS.items():

            def minutes(own: Sequence[Row], of=of, column=column) -> float | None:
                found = of([row[column] for row in own])
                return None if found is None else found / 60

            same(plain, key, rows, minutes, variant=prefix + statistic, spans=[MONTHS])

        def quick(own: Sequence[Row], column=column) -> float | None:
            return mean(row[column] <= 3600 for row in own)

        variant = prefix + "within_60"
        same(plain, key, rows, quick, variant=variant, by=("mailbox",), spans=[AS_OF])

    def clock(own: Sequence[Row]) -> float | None:
        found = mean(row["clock"] for row in own)
        return None if found is None else found / 60

    same(plain, key, rows, clock, by=("segment",), spans=[DAYS, SPRING])


def test_unanswered_emails(plain: Plain) -> None:
    limit = timedelta(hours=72)

    def rows(day: date) -> list[Row]:
        known = datetime.combine(day, time(), BERLIN).astimezone(UTC) - limit
        return [
            {
                **row,
                "date": local(row["sent_at"]),
                "is_late": not row["answer"]
                or second(row["answer"]["sent_at"]) - second(row["sent_at"])
                > 72 * 3600,
            }
            for row in waits(plain)
            if row["sent_at"] <= known
        ]

    def late(own: Sequence[Row]) -> float | None:
        return mean(row["is_late"] for row in own)

    asked = {"variant": "unanswered_rate"}
    key = "email_response_time"
    same(plain, key, rows(TODAY), late, by=("segment",), spans=[MONTHS], **asked)
    then = datetime.fromisoformat(AS_OF["as_of"]).date()
    same(plain, key, rows(then), late, spans=[AS_OF], **asked)


@pytest.mark.parametrize("variant", ["by_people", "all"])
def test_emails(plain: Plain, variant: str) -> None:
    rows = [
        {
            **row,
            "date": local(row["sent_at"]),
            "mailbox": address(
                row[
                    "from_address" if row["direction"] == "outbound" else "to_addresses"
                ]
            ),
        }
        for row in plain.visible(plain.rows("emails"))
        if variant == "all" or not row["is_automatic"]
    ]
    for by, span in (((), MONTHS), (("segment", "direction", "mailbox"), AS_OF)):
        same(plain, "email_volume", rows, len, variant=variant, by=by, spans=[span])


# Attention


def attention(plain: Plain, start: date, end: date) -> dict[str, Counter[str]]:
    """Minutes, MRR and tickets over `[start, end)` by account."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in plain.visible(plain.rows("touchpoints")):
        minutes = row["minutes"]
        is_length = minutes is not None and 0 <= minutes < 1e6
        if start <= local(row["at"]) < end:
            found[row["account_id"]]["minutes"] += round(minutes, 3) if is_length else 0
    for row in tickets(plain):
        if start <= row["opened"] < end and row["account_id"] is not None:
            found[row["account_id"]]["tickets"] += 1
    paid = plain.world.workspace.metric("mrr", as_of=end, by=["account"]).to_dicts()
    for row in paid:
        if row["n"]:
            found[row["account"]]["mrr"] = row["value"] or 0
    return found


def colors(plain: Plain, end: date) -> dict[str, str]:
    rows = [
        r for r in plain.rows("health_snapshots") if end - DAY * 31 <= r["date"] <= end
    ]
    rows.sort(key=lambda row: (row["date"], row["computed_at"]))
    return {row["account_id"]: row["color"] or "none" for row in rows}


@pytest.mark.parametrize(
    ("segment", "start", "end"),
    [(None, "2026-02-01", "2026-03-01"), ("Enterprise", "2026-04-01", "2026-05-01")],
    ids=["all, some without a rate", "Enterprise"],
)
def test_attention(plain: Plain, segment: str | None, start: str, end: str) -> None:
    low, high = date.fromisoformat(start), date.fromisoformat(end)
    by_account = {
        name: own
        for name, own in attention(plain, low, high).items()
        if segment is None or plain.segments.get(name) == segment
    }
    told = colors(plain, high)
    minutes: Counter[str] = Counter()
    mrr: Counter[str] = Counter()
    for name, own in by_account.items():
        minutes[told.get(name, "none")] += own["minutes"]
        mrr[told.get(name, "none")] += own["mrr"]
    where = f"segment = '{segment}'" if segment else None
    answers = {}
    for variant in ("index", "minutes", "mrr", "loudness"):
        asked = {"start": start, "end": end, "where": where, "variant": variant}
        rows = plain.world.workspace.metric("attention_index", **asked).to_dicts()
        answers[variant] = {row["color"]: row["value"] for row in rows}
    assert sum(mrr.values()) > 0
    total = plain.world.workspace.metric("mrr", as_of=end, where=where).to_dicts()
    lacks_rate = total[0]["status"] == "insufficient"
    assert lacks_rate == (segment is None)
    assert {*answers["index"]} >= {*minutes, *mrr}
    for color, index in answers["index"].items():
        share = minutes[color] / sum(minutes.values())
        assert answers["minutes"][color] == pytest.approx(share)
        paid = None if lacks_rate else mrr[color] / sum(mrr.values())
        assert index == (pytest.approx(share / paid) if paid else None)
        assert answers["mrr"][color] == (None if paid is None else pytest.approx(paid))
    loud = spearman([(own["tickets"], own["minutes"]) for own in by_account.values()])
    assert answers["loudness"] == {"all": pytest.approx(loud)}


def spearman(pairs: Sequence[tuple[float, float]]) -> float:
    """The correlation of ranks; those of equal values are their mean."""

    def ranks(values: Sequence[float]) -> list[float]:
        return [
            sum(other < own for other in values) + (values.count(own) + 1) / 2
            for own in values
        ]

    a, b = (ranks(list(column)) for column in zip(*pairs, strict=True))
    mid = (len(pairs) + 1) / 2
    cross = sum((x - mid) * (y - mid) for x, y in zip(a, b, strict=True))
    spread = [sum((x - mid) ** 2 for x in column) for column in (a, b)]
    return cross / sqrt(spread[0] * spread[1])
