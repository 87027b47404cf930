"""NPS, CSAT, CES, response rate and topics, computed a second time from plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from math import sqrt
from statistics import fmean

import pytest

from tests.metrics.plainly import (
    AS_OF,
    DAYS,
    MONTHS,
    SPANS,
    SPRING,
    Plain,
    Row,
    local,
    same,
)
from tests.metrics.world import World

SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


@pytest.fixture(scope="module")
def plain(world: World) -> Plain:
    return Plain(world)


def placed(plain: Plain, row: Row) -> Row:
    """An answer with its scale, its score where it is valid, its person and day."""
    row = plain.attributed(row, "answered_at")
    low, high = SCALES[row["kind"]]
    low = low if row["scale_min"] is None else row["scale_min"]
    high = high if row["scale_max"] is None else row["scale_max"]
    score = row["score"]
    is_valid = (
        score is not None
        and low < high
        and low <= score <= high
        and score == int(score)
    )
    score = int(score) if is_valid else None
    if score is not None and row["kind"] == "ces" and row["orientation"] == "effort":
        score = low + high - score
    return {
        **row,
        "low": low,
        "high": high,
        "score": score,
        "scale": f"{low}-{high}",
        "person": row["user_id"] or f"answer {row['response_id']}",
        "date": local(row["answered_at"]),
    }


def last(rows: Sequence[Row], *keys: str) -> list[Row]:
    """The last row of each combination of keys."""
    ordered = sorted(rows, key=lambda row: (row["answered_at"], row["response_id"]))
    return list({tuple(row[k] for k in keys): row for row in ordered}.values())


def once_an_invite(rows: Sequence[Row]) -> list[Row]:
    free = [row for row in rows if row["invite_id"] is None]
    return free + last(
        [r for r in rows if r["invite_id"] is not None], "kind", "invite_id"
    )


@cache
def answers(plain: Plain, kind: str) -> list[Row]:
    rows = [
        placed(plain, r) for r in plain.rows("survey_responses") if r["kind"] == kind
    ]
    valid = [row for row in rows if row["score"] is not None]
    return plain.visible(once_an_invite(valid))


# NPS


def recommending(plain: Plain, *, touchpoints: bool = False) -> list[Row]:
    rows = [r for r in answers(plain, "nps") if r["high"] == 10 and r["low"] in (0, 1)]
    if touchpoints:
        return rows
    return [r for r in rows if r["touchpoint"] in (None, "relationship")]


def shares(rows: Sequence[Row], *keys: str) -> tuple[int, int, int]:
    people = last(rows, "person", *keys)
    scores = [row["score"] for row in people]
    return sum(s >= 9 for s in scores), sum(s <= 6 for s in scores), len(scores)


def nps(rows: Sequence[Row]) -> float | None:
    good, bad, n = shares(rows)
    return float(Fraction(100 * (good - bad), n)) if n else None


def margin(rows: Sequence[Row]) -> float | None:
    good, bad, n = shares(rows)
    if not n:
        return None
    p, d = good / n, bad / n
    return 196 * sqrt(max(p + d - (p - d) ** 2, 0)) / sqrt(n)


def of_accounts(rows: Sequence[Row]) -> float | None:
    by_account = defaultdict(list)
    for row in rows:
        if row["account_id"] is not None:
            by_account[row["account_id"]].append(row)
    scores = [nps(own) for own in by_account.values()]
    return fmean(s for s in scores if s is not None) if scores else None


@pytest.mark.parametrize("by", [(), ("segment",), ("account",), ("role",), ("scale",)])
def test_nps(plain: Plain, by: tuple[str, ...]) -> None:
    same(plain, "nps", recommending(plain), nps, by=by, spans=[MONTHS] if by else SPANS)


def test_nps_of_touchpoints(plain: Plain) -> None:
    rows = recommending(plain, touchpoints=True)
    same(plain, "nps", rows, nps, by=("touchpoint",), spans=[MONTHS])
    orders = [row for row in rows if row["touchpoint"] == "order"]
    assert orders
    same(plain, "nps", orders, nps, where="touchpoint = 'order'", spans=[MONTHS])


def test_nps_of_a_condition(plain: Plain) -> None:
    rows = [r for r in recommending(plain) if plain.group(r, ("segment",)) == ("SMB",)]
    same(plain, "nps", rows, nps, where="segment = 'SMB'", spans=[MONTHS, AS_OF])
    rows = [r for r in recommending(plain) if r["user_id"] == "v_both"]
    asked = {"by": ("account",), "where": "user = 'v_both'"}
    same(plain, "nps", rows, nps, spans=[DAYS, SPRING], **asked)


@pytest.mark.parametrize(
    ("variant", "computed"),
    [
        ("margin", margin),
        ("account_weighted", of_accounts),
        (
            "promoters",
            lambda rows: 100 * shares(rows)[0] / shares(rows)[2] if rows else None,
        ),
        (
            "detractors",
            lambda rows: 100 * shares(rows)[1] / shares(rows)[2] if rows else None,
        ),
        (
            "passives",
            lambda rows: (
                100 - 100 * sum(shares(rows)[:2]) / shares(rows)[2] if rows else None
            ),
        ),
    ],
)
def test_variants_of_nps(plain: Plain, variant: str, computed) -> None:
    rows = recommending(plain)
    same(plain, "nps", rows, computed, variant=variant, by=("segment",), spans=[MONTHS])


# CSAT and CES


def satisfied(row: Row) -> bool:
    top = {2: 1, 3: 1}.get(row["high"] - row["low"] + 1, 2)
    return row["score"] > row["high"] - top


def easy(row: Row, of_7: int = 5) -> bool:
    share = Fraction(row["score"] - row["low"], row["high"] - row["low"])
    return share >= Fraction(of_7 - 1, 6)


def hard(row: Row) -> bool:
    return Fraction(row["score"] - row["low"], row["high"] - row["low"]) <= Fraction(
        2, 6
    )


def stretched(row: Row, low: int, high: int) -> Fraction:
    share = Fraction(row["score"] - row["low"], row["high"] - row["low"])
    return low + share * (high - low)


def mean(values) -> float | None:
    values = list(values)
    return float(Fraction(sum(values), len(values))) if values else None


SURVEYS = [
    ("csat", "satisfied", lambda rows: mean(map(satisfied, rows))),
    ("csat", "mean", lambda rows: mean(stretched(r, 1, 5) for r in rows)),
    ("ces", "positive", lambda rows: mean(map(easy, rows))),
    ("ces", "mean", lambda rows: mean(stretched(r, 1, 7) for r in rows)),
    ("ces", "index", lambda rows: mean(100 * (easy(r, 6) - hard(r)) for r in rows)),
]


@pytest.mark.parametrize(("key", "variant", "computed"), SURVEYS)
def test_satisfaction_and_effort(
    plain: Plain, key: str, variant: str, computed
) -> None:
    rows = answers(plain, key)
    by = ("segment", "touchpoint", "scale")
    same(plain, key, rows, computed, variant=variant, by=by, spans=[MONTHS])


def test_response_rate(plain: Plain) -> None:
    answered = {
        row["invite_id"] for row in plain.visible(plain.rows("survey_responses"))
    }
    rows = [
        {
            **plain.attributed(row, "invited_at"),
            "date": local(row["invited_at"]),
            "is_answered": row["invite_id"] in answered,
        }
        for row in plain.rows("survey_invites")
        if row["bounced_at"] is None
    ]
    rows = plain.visible(rows)
    for by in ((), ("segment", "kind", "channel")):
        same(
            plain,
            "survey_response_rate",
            rows,
            lambda own: mean(row["is_answered"] for row in own),
            by=by,
            spans=[MONTHS],
        )


# Topics


@cache
def commented(plain: Plain) -> list[Row]:
    """Comments with their topics: a list of (topic, sentiment)."""
    rows = [
        {**placed(plain, row), "source": "survey"}
        for row in plain.rows("survey_responses")
        if (row["comment"] or "").strip()
    ]
    topics = defaultdict(list)
    for note in plain.rows("feedback_annotations"):
        topics[note["response_id"]].append(note)
    found = []
    for row in plain.visible([*once_an_invite(rows), *elsewhere(plain)]):
        notes = topics[row["response_id"]]
        if any(n["annotated_by"] == "person" for n in notes):
            notes = [n for n in notes if n["annotated_by"] == "person"]
        newest = max((n["version"] for n in notes), default=None)
        row["topics"] = [
            (n["topic"].strip(), n["sentiment"])
            for n in notes
            if n["version"] == newest and (n["topic"] or "").strip()
        ]
        is_nps = row["kind"] == "nps" and row["high"] == 10 and row["low"] in (0, 1)
        is_nps = is_nps and row["score"] is not None
        row["group"] = (
            (
                "promoter"
                if row["score"] >= 9
                else "passive"
                if row["score"] >= 7
                else "detractor"
            )
            if is_nps
            else None
        )
        found.append(row)
    return found


def elsewhere(plain: Plain) -> list[Row]:
    """What people said in tickets, contacts, notes, and where they left."""
    nothing = dict.fromkeys(("kind", "score", "low", "high", "user_id"))
    found: list[Row] = []

    def told(source: str, key: str, row: Row, at: str, *words: str) -> None:
        if any((row[word] or "").strip() for word in words):
            of = {"source": source, "response_id": f"{source}:{key}"}
            found.append({**nothing, **row, **of, "date": local(row[at])})

    for row in plain.rows("tickets"):
        if not row["is_spam"] and row["merged_into"] is None:
            row = plain.attributed(row, "opened_at")
            told("ticket", row["ticket_id"], row, "opened_at", "subject", "description")
    for row in plain.rows("touchpoints"):
        told("contact", row["touchpoint_id"], row, "at", "summary")
    for row in plain.rows("notes"):
        told("note", row["note_id"], row, "at", "text")
    for row in plain.rows("contracts"):
        key = f"{row['account_id']}:{row['term_start']}"
        end = row["term_end"]
        noon = datetime(end.year, end.month, end.day, 12, tzinfo=UTC)
        row["outcome_at"] = row["outcome_at"] or noon
        told("cancellation", key, row, "outcome_at", "churn_reason")
    return found


def points(rows: Sequence[Row]) -> float | None:
    return mean(stretched(r, 0, 10) for r in rows if r["score"] is not None)


VARIANTS = ("mentions", "share", "net_sentiment", "mean_score", "impact", "nps")


@pytest.mark.parametrize("variant", VARIANTS)
def test_topics(plain: Plain, variant: str) -> None:
    every = commented(plain)
    assert len({topic for row in every for topic, _ in row["topics"]}) > 4
    _check_topics(plain, every, (), MONTHS, variant)
    by = {"share": ("segment",), "mentions": ("source",), "impact": ("kind", "group")}
    if variant in by:
        _check_topics(plain, every, by[variant], AS_OF, variant)


def test_topics_of_one_source(plain: Plain) -> None:
    """Tickets alone, and those that were read in German: no survey told of these."""
    read = {
        row["response_id"]: row["language"]
        for row in plain.rows("feedback_annotations")
    }
    own = [row for row in commented(plain) if row["source"] == "ticket"]
    german = [row for row in own if read.get(row["response_id"]) == "de"]
    assert 10 < len(german) < len(own)
    where = "source = 'ticket'"
    _check_topics(plain, own, (), AS_OF, "share", where)
    _check_topics(plain, german, (), AS_OF, "share", f"{where} and language = 'de'")


def _check_topics(plain: Plain, every, by, span, variant: str, where=None) -> None:
    asked = {"variant": variant, "params": {"min_side": "2"}, "where": where}
    found = plain.world.workspace.metric(
        "feedback_topics", by=list(by), **span, **asked
    )
    for row in found.to_dicts():
        start, end = row["period_start"], row["period_end"]
        group = tuple(row[name] for name in by)
        own = [
            r for r in every if start <= r["date"] < end and plain.group(r, by) == group
        ]
        expected = _topic(own, row["topic"], variant)
        of = (variant, start, group, row["topic"])
        if expected is None:
            assert row["value"] is None, of
        else:
            assert row["value"] == pytest.approx(expected, abs=2e-9), of
    assert any(row["value"] for row in found.to_dicts())


def _topic(own: Sequence[Row], topic: str, variant: str) -> float | None:
    on_it = [row for row in own if topic in dict(row["topics"])]
    others = [row for row in own if topic not in dict(row["topics"])]
    felt = [dict(row["topics"])[topic] for row in on_it]
    groups = [row["group"] for row in on_it if row["group"]]
    match variant:
        case "mentions":
            return len(on_it)
        case "share":
            return len(on_it) / len(own) if own else None
        case "net_sentiment":
            up = sum(s is not None and s >= 0.25 for s in felt)
            down = sum(s is not None and s <= -0.25 for s in felt)
            return (up - down) / len(felt) if felt else None
        case "mean_score":
            return points(on_it)
        case "nps":
            net = groups.count("promoter") - groups.count("detractor")
            return 100 * net / len(groups) if groups else None
        case _:
            sides = [
                sum(r["score"] is not None for r in side) for side in (on_it, others)
            ]
            if min(sides) < 2:
                return None
            with_it, without = points(on_it), points(others)
            assert with_it is not None
            assert without is not None
            return with_it - without
