"""What use of the product tells by itself, in sentences: U13 and U15 of the reference.

A finding says what, how sure, on how many, and what to do. `found` is for any screen;
what it is computed from is kept like every other answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from statistics import median

import polars as pl
from babel.dates import format_date
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.reports.dimensions import feature_names
from perennial.apps.reports.results import Answers, Question, Row
from perennial.core.windows import DAY, Grain, Period, add_months, floor
from perennial.metrics import registry
from perennial.metrics.query import Query, ask
from perennial.scoring import patterns
from perennial.scoring.patterns import Anomaly, UnusedFeature
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Days that are looked at, and the weeks before them they are compared with.
RECENT = 7
#: Months of history a dip is looked for in.
_MONTHS = 24
#: Where fewer events a day are usual, half of them is no news.
_FEWEST = 50

_USED = ("user_days", "event_days", "feature_days", "sessions", "accounts", "users")
_FEATURES = (*_USED, "features", "entitlements", "settings")


@dataclass(frozen=True)
class Finding:
    """One sentence with its evidence and the step it offers.

    `weight` orders findings: what is missing first, then what can still be helped.
    """

    kind: str
    lead: str
    evidence: str
    advice: str
    url: str
    weight: float


def found(answers: Answers, regional: Regional) -> list[Finding]:
    """Everything worth telling now, the most urgent first."""
    every = [
        *_days(answers, regional),
        *_dips(answers, regional),
        *_unused(answers, regional),
    ]
    return sorted(every, key=lambda finding: -finding.weight)


# Days unlike the same weekdays before


def _days(answers: Answers, regional: Regional) -> Iterator[Finding]:
    rows: pl.DataFrame = answers.keep("findings days", _USED, lambda: _daily(answers))
    for back in range(1, RECENT + 1):
        day = answers.today - DAY * back
        now, usual = _heard(rows, day)
        if patterns.is_outage(rows, day):
            if usual >= _FEWEST:
                yield _outage(day, now, usual, regional)
            continue
        for one in patterns.anomalies(rows, day):
            yield _unusual(one, back, regional)


def _query(answers: Answers, span: Period) -> Query:
    lake = answers.lake
    plain = ask(registry.get("dau"), now=lake.now, settings=lake.settings)
    return replace(plain, periods=(span,))


def _daily(answers: Answers) -> pl.DataFrame:
    reach = DAY * (RECENT + 7 * patterns.WEEKS)
    query = _query(answers, Period(answers.today - reach, answers.today))
    lake = answers.lake
    return lake.engine.run(patterns.daily(lake.inputs(query), query))


def _heard(rows: pl.DataFrame, day: date) -> tuple[int, float]:
    """Events of a day, and what is usual on its weekday."""
    before = [day - DAY * 7 * week for week in range(1, patterns.WEEKS + 1)]
    now = sum(rows.filter(pl.col("date") == day)["events"].to_list())
    return now, median(
        rows.filter(pl.col("date").is_in(before))["events"].to_list() or [0]
    )


def _outage(day: date, now: int, usual: float, regional: Regional) -> Finding:
    said = {
        "day": _day(day, regional),
        "now": formats.number(now, regional, 0),
        "usual": formats.number(usual, regional, 0),
    }
    return Finding(
        "outage",
        _("On %(day)s, half of the usual events are missing.") % said,
        _("%(now)s came; %(usual)s is usual on this weekday in the eight weeks before.")
        % said,
        _("See whether a source stopped sending before you trust a number of the day."),
        reverse("intake:data"),
        100,
    )


def _unusual(one: Anomaly, back: int, regional: Regional) -> Finding:
    said = {
        "day": _day(one.date, regional),
        "value": _value(one, one.value, regional),
        "expected": _value(one, one.expected, regional),
        "low": _value(one, max(one.low, 0), regional),
        "high": _value(one, one.high, regional),
    }
    lead, advice, url = _WORDS[one.name](one, said)
    evidence = _(
        "Usual is %(expected)s, from %(low)s to %(high)s, on the same weekday in the "
        "eight weeks before; beyond that is three robust standard deviations."
    )
    return Finding(one.name, lead, evidence % said, advice, url, 60 - back)


def _events(one: Anomaly, said: dict[str, str]) -> tuple[str, str, str]:
    lead = _("On %(day)s, %(value)s events came in.") % said
    advice = _("See which event grew or fell: a release, an import or a broken source.")
    return lead, advice, reverse("intake:catalog")


def _dau(one: Anomaly, said: dict[str, str]) -> tuple[str, str, str]:
    lead = _("On %(day)s, %(value)s users were active.") % said
    if one.is_high:
        advice = _("Find out what brought them, and do it again.")
    else:
        advice = _("Look at which segments are missing before customers write.")
    return lead, advice, _metric("dau")


def _errors(one: Anomaly, said: dict[str, str]) -> tuple[str, str, str]:
    lead = _("On %(day)s, features failed %(value)s times.") % said
    advice = _("Tell the product team, and the accounts it hit.")
    return lead, advice, _metric("error_rate")


def _short(one: Anomaly, said: dict[str, str]) -> tuple[str, str, str]:
    lead = _("On %(day)s, %(value)s of the sessions were suspiciously short.") % said
    advice = _("Try the log-in and the first page yourself: people leave at once.")
    return lead, advice, _metric("short_session_share")


_WORDS = {
    "events": _events,
    "dau": _dau,
    "errors": _errors,
    "short_session_share": _short,
}


def _metric(key: str) -> str:
    return reverse("reports:metric", args=[key])


def _day(day: date, regional: Regional) -> str:
    pattern = "EEEE, d. MMM" if regional.locale == "de" else "EEEE, d MMM"
    return str(format_date(day, pattern, regional.locale))


def _value(one: Anomaly, value: float, regional: Regional) -> str:
    if one.name == "short_session_share":
        return formats.percent(value, regional)
    return formats.number(value, regional, 0)


# Dips with the age of accounts


def _dips(answers: Answers, regional: Regional) -> Iterator[Finding]:
    """The deepest dip there is: the months around it are part of the same fall."""
    end = floor(answers.today, Grain.MONTH)
    question = Question("usage_dip", add_months(end, -_MONTHS), end)
    known = [row for row in answers.rows(question) if row.value is not None]
    limit = answers.lake.settings.dip_threshold
    deep = [row for row in known if row.value is not None and row.value <= limit]
    if deep:
        yield _dip(min(deep, key=lambda row: row.value or 0), regional)


def _dip(row: Row, regional: Regional) -> Finding:
    month = int(row.groups["k"] or 0)
    said = {
        "month": month,
        "fall": formats.percent(-(row.value or 0), regional, 0),
        "now": formats.percent(row.numerator, regional, 0),
        "before": formats.percent(row.denominator, regional, 0),
        "n": formats.number(row.n, regional, 0),
    }
    evidence = ngettext(
        "%(now)s of the seats are used then, %(before)s in the three months before: "
        "%(n)s account.",
        "%(now)s of the seats are used then, %(before)s in the three months before: "
        "the mean of %(n)s accounts.",
        row.n or 0,
    )
    return Finding(
        "dip",
        _("In month %(month)s after onboarding, use falls by %(fall)s.") % said,
        evidence % said,
        _("Talk to accounts a month before they get there.") % said,
        _metric("usage_dip"),
        50,
    )


# Features nobody uses


def _unused(answers: Answers, regional: Regional) -> Iterator[Finding]:
    features: list[UnusedFeature] = answers.keep(
        "findings features", _FEATURES, lambda: _left_alone(answers)
    )
    names = feature_names(answers)
    for one in features:
        said = {
            "feature": names.get(one.feature_id) or one.feature_id,
            "users": formats.number(one.users, regional, 0),
            "eligible": formats.number(one.eligible, regional, 0),
            "days": answers.lake.settings.unused_feature_days,
        }
        yield Finding(
            "unused",
            _("Hardly anybody uses %(feature)s.") % said,
            _(
                "%(users)s of %(eligible)s active users who could have used it did, in "
                "the last %(days)s days."
            )
            % said,
            _("Show it to those it was built for, or take it away."),
            _metric("feature_adoption") + "?by=feature",
            30,
        )


def _left_alone(answers: Answers) -> list[UnusedFeature]:
    lake = answers.lake
    reach = DAY * lake.settings.unused_feature_days
    query = _query(answers, Period(answers.today - reach, answers.today))
    rows = lake.engine.run(patterns.feature_users(lake.inputs(query), query))
    return patterns.unused_features(rows, lake.settings)
