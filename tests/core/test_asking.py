"""Who is asked, and when: a year of visits by 10,000 people, never a rule broken."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest

from perennial.core.asking import Asked, Known, Plan, Quiet, Reason, drawn, refusal

DAY = date(2026, 3, 10)
PLAN = Plan("nps", starts_on=date(2026, 1, 1), every_days=91)
QUIET = Quiet()
KIM = Known("kim", first_seen_on=date(2025, 1, 1))


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("plan", "known", "asked", "why"),
    [
        ({}, {}, {}, None),
        ({}, {"is_unsubscribed": True}, {}, Reason.UNSUBSCRIBED),
        ({}, {"is_own": True}, {}, Reason.OWN),
        ({"starts_on": DAY + timedelta(days=1)}, {}, {}, Reason.NOT_OPEN),
        ({"starts_on": DAY}, {}, {}, None),
        ({"ends_on": DAY}, {}, {}, Reason.NOT_OPEN),
        ({}, {"first_seen_on": None}, {}, Reason.NEW),
        ({}, {"first_seen_on": ago(29)}, {}, Reason.NEW),
        ({}, {"first_seen_on": ago(30)}, {}, None),
        ({"first_days": 0}, {"first_seen_on": None}, {}, None),
        ({"first_days": 7}, {"first_seen_on": ago(7)}, {}, None),
        ({}, {"answered_on": ago(89)}, {}, Reason.ANSWERED),
        ({}, {"answered_on": ago(90)}, {}, None),
        ({}, {"refused_on": ago(29)}, {}, Reason.REFUSED),
        ({}, {"refused_on": ago(30)}, {}, None),
        ({}, {"asked_on": ago(29)}, {}, Reason.ASKED),
        ({}, {"waves": frozenset({(1, "")})}, {}, Reason.WAVE),
        ({}, {"waves": frozenset({(2, "")})}, {}, None),
        ({"hold_out": 100}, {}, {}, Reason.HELD_OUT),
        ({"sample": 0}, {}, {}, Reason.NOT_DRAWN),
        ({"most_a_day": 5}, {}, {"by_survey": 5}, Reason.SURVEY_FULL),
        ({"most_a_day": 5}, {}, {"by_survey": 4}, None),
    ],
)
def test_each_rule_at_its_edge(
    plan: dict[str, object],
    known: dict[str, object],
    asked: dict[str, int],
    why: Reason | None,
) -> None:
    found = refusal(
        replace(PLAN, **plan), QUIET, replace(KIM, **known), Asked(**asked), DAY
    )
    assert found == why


def test_a_wave_begins_on_its_first_day() -> None:
    days = [PLAN.starts_on + timedelta(days=n) for n in (0, 90, 91, 181, 182)]
    assert [PLAN.wave(day) for day in days] == [1, 1, 2, 2, 3]
    assert replace(PLAN, every_days=None).wave(date(2030, 1, 1)) == 1


def test_each_occasion_is_asked_about_once() -> None:
    known = replace(KIM, waves=frozenset({(1, "ticket-1")}))
    asks = (refusal(PLAN, QUIET, known, Asked(), DAY, f"ticket-{n}") for n in (1, 2))
    assert list(asks) == [Reason.WAVE, None]


def test_chance_is_even_and_drawn_anew_in_each_wave() -> None:
    people = [f"u{n}" for n in range(4_000)]
    shares = [
        {p for p in people if drawn("s", f"wave {wave} ", p) < 3_000} for wave in (1, 2)
    ]
    # Five standard deviations of a share of 4,000 are 3.6 points.
    assert all(abs(len(found) / 4_000 - 0.3) < 0.036 for found in shares)
    assert abs(len(shares[0] & shares[1]) / 4_000 - 0.09) < 0.023


def test_a_year_of_ten_thousand_people_never_breaks_a_rule() -> None:
    """Judged from the log alone, by rules written a second time."""
    quiet = Quiet(most_a_day=120)
    start, rng = date(2026, 1, 1), random.Random(7)
    plans = [
        Plan("nps", start, every_days=91, sample=60, hold_out=10, most_a_day=60),
        Plan("csat", start + timedelta(days=20), ends_on=start + timedelta(days=300)),
        Plan("ces", start, first_days=5, sample=25),
    ]
    first = {f"u{n}": start + timedelta(rng.randint(-200, 300)) for n in range(10_000)}
    people = {name: Known(name, seen) for name, seen in first.items()}
    waves: dict[tuple[str, str], frozenset[tuple[int, str]]] = defaultdict(frozenset)
    log: list[tuple[date, str, str, int, str]] = []
    quitters: dict[str, date] = {}
    names = list(people)
    for n in range(365):
        day = start + timedelta(days=n)
        today: Counter[str] = Counter()
        for name in rng.sample(names, 400):
            if day < first[name]:
                continue
            plan = rng.choice(plans)
            known = replace(people[name], waves=waves[plan.key, name])
            so_far = Asked(today[plan.key], today.total())
            if refusal(plan, quiet, known, so_far, day) is not None:
                continue
            today[plan.key] += 1
            wave = plan.wave(day)
            waves[plan.key, name] |= {(wave, "")}
            did = rng.choice(["answered", "refused", "nothing", "unsubscribed"])
            log.append((day, name, plan.key, wave, did))
            people[name] = replace(
                people[name],
                asked_on=day,
                **({f"{did}_on": day} if did in {"answered", "refused"} else {}),
                is_unsubscribed=did == "unsubscribed",
            )
            if did == "unsubscribed":
                quitters[name] = day
    assert len(log) > 5_000
    assert {key for _, _, key, _, _ in log} == {"nps", "csat", "ces"}
    assert len({wave for _, _, key, wave, _ in log if key == "nps"}) == 5
    _judge(log, first, quitters, start)


def _judge(
    log: list[tuple[date, str, str, int, str]],
    first: dict[str, date],
    quitters: dict[str, date],
    start: date,
) -> None:
    rest = {"answered": 90, "refused": 30, "nothing": 30, "unsubscribed": 10_000}
    last: dict[str, tuple[date, str]] = {}
    for day, name, key, _wave, did in log:
        assert (day - first[name]).days >= (5 if key == "ces" else 30)
        assert name not in quitters or day <= quitters[name]
        if name in last:
            before, then = last[name]
            assert (day - before).days >= rest[then]
        last[name] = (day, did)
        if key == "csat":
            assert 20 <= (day - start).days < 300
    by_day = Counter(day for day, *_ in log)
    assert max(by_day.values()) <= 120
    nps = [entry for entry in log if entry[2] == "nps"]
    assert max(Counter(day for day, *_ in nps).values()) <= 60
    assert len({(name, key, wave) for _, name, key, wave, _ in log}) == len(log)
    # One in ten is never asked by NPS: with 10,000 people within five deviations.
    kept = {name for name in first if drawn("nps", "hold-out", name) < 1_000}
    assert not kept & {name for _, name, *_ in nps}
    assert abs(len(kept) / len(first) - 0.1) < 0.015
