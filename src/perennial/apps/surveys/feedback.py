"""What the page of themes reads: topics in numbers, and the comments behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import polars as pl
import yaml
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.customers.kept import kept
from perennial.apps.jobs import actions as jobs
from perennial.apps.surveys.results import (
    USUAL_DAYS,
    before,
    span_of,
    through_today,
)
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.core.windows import Grain, Period, add_months, floor
from perennial.lake import quotes, taxonomies
from perennial.lake.quotes import Quote
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import filters
from perennial.scoring import taxonomy_text
from perennial.scoring.taxonomy import OTHER, Topic

_METRIC: Final = "feedback_topics"
_TABLES: Final = (
    *("survey_responses", "feedback_annotations", "users", "accounts", "assignments"),
    "account_attributes",
)
LANGUAGES: Final[Mapping[str, Promise]] = {
    "en": gettext_lazy("English"),
    "de": gettext_lazy("German"),
    "sv": gettext_lazy("Swedish"),
}
#: Topics by what they are called; others are called by their key.
TITLES: Final[Mapping[str, Promise]] = {
    "price": pgettext_lazy("a topic", "Price"),
    "onboarding": pgettext_lazy("a topic", "Onboarding"),
    "support": pgettext_lazy("a topic", "Support"),
    "usability": pgettext_lazy("a topic", "Usability"),
    "confusing": pgettext_lazy("a topic", "Confusing"),
    "performance": pgettext_lazy("a topic", "Speed and stability"),
    "reports": pgettext_lazy("a topic", "Reports"),
    "integrations": pgettext_lazy("a topic", "Integrations"),
    "mobile app": pgettext_lazy("a topic", "Mobile app"),
    "features": pgettext_lazy("a topic", "Features"),
    "data quality": pgettext_lazy("a topic", "Data quality and errors"),
    "security": pgettext_lazy("a topic", "Security and access"),
    "communication": pgettext_lazy("a topic", "Communication"),
    OTHER: pgettext_lazy("a topic", "Something else"),
}
#: Months of the trend.
_MONTHS: Final = 12
#: From which a sentiment counts (F04), and from which a rise is more than chance.
_FELT: Final = 0.25
_SURE: Final = 1.96
_FEWEST: Final = 5
_MOST_TEXT: Final = 200_000


@dataclass(frozen=True)
class Line:
    """A topic in a period. `change` is of its share against the period before, a
    difference of shares; `trend` its share by month."""

    topic: str
    mentions: int
    share: float
    net_sentiment: float | None
    impact: float | None
    change: float | None
    is_rising: bool
    trend: Sequence[float | None]
    #: What people called it, in the language of the page.
    name: str = ""

    @property
    def title(self) -> Promise | str:
        return self.name or TITLES.get(self.topic, self.topic)


@kept(taxonomies.NAME, size=16)
def topics(lake: Lake) -> Sequence[Topic]:
    """The topics in force."""
    return taxonomies.active(lake.lake)[1]


def titles(lake: Lake) -> Mapping[str, Promise | str]:
    """What topics are called, those in force first, in the language of the page."""
    code = get_language() or "en"
    own = {
        topic.key: topic.names.get(code[:2], "") or TITLES.get(topic.key, topic.key)
        for topic in topics(lake)
    }
    return {**own, OTHER: TITLES[OTHER]}


def called(lake: Lake, some: Sequence[Line]) -> list[Line]:
    """Lines with what their topics are called."""
    names = titles(lake)
    return [replace(each, name=str(names.get(each.topic, ""))) for each in some]


@kept(*_TABLES, size=128, shared=True)
def lines(lake: Lake, start: date, end: date, language: str) -> list[Line]:
    """Topics that came up, those of most comments first; what is no topic last."""
    evening, span = through_today(lake), Period(start, end)
    where = _where(language)
    shares = evening.metric_over(
        _METRIC, [before(span), span], variant="share", where=where
    ).rows
    now, then = (
        {row["topic"]: row for row in part.iter_rows(named=True)}
        for is_now in (True, False)
        for part in [shares.filter((pl.col("period_start") == start) == is_now)]
    )
    more = {
        variant: _by_topic(
            evening.metric(
                _METRIC, start=start, end=end, variant=variant, where=where
            ).rows
        )
        for variant in ("net_sentiment", "impact")
    }
    trend = _trend(evening, where)
    found = [
        _line(now[topic], then.get(topic), more, trend.get(topic, ()))
        for topic in now
        if now[topic]["numerator"]
    ]
    return sorted(found, key=lambda e: (e.topic == OTHER, -e.mentions, e.topic))


def warm(lake: Lake) -> None:
    """Have the page ready before it is asked for, as it opens."""
    span = span_of(USUAL_DAYS, lake.today)
    lines(lake, span.start, span.end, "")
    found(lake, span.start, span.end, "", "", False)


def _where(language: str) -> str | None:
    return f"language = {filters.text(language)}" if language else None


def _by_topic(rows: pl.DataFrame) -> dict[str, float | None]:
    return dict(rows.select("topic", "value").iter_rows())


def _trend(evening: Lake, where: str | None) -> dict[str, list[float | None]]:
    month = floor(evening.today, Grain.MONTH)
    starts = [add_months(month, -back) for back in range(_MONTHS, 0, -1)]
    spans = [Period(start, add_months(start, 1)) for start in starts]
    rows = evening.metric_over(_METRIC, spans, variant="share", where=where).rows
    rows = rows.sort("period_start").group_by("topic", maintain_order=True).agg("value")
    return {topic: list(values) for topic, values in rows.iter_rows()}


def _line(
    now: Mapping[str, Any],
    then: Mapping[str, Any] | None,
    more: Mapping[str, Mapping[str, float | None]],
    trend: Sequence[float | None],
) -> Line:
    topic, n, of = now["topic"], int(now["numerator"]), int(now["denominator"])
    was, of_then = (
        (int(then["numerator"] or 0), int(then["denominator"] or 0)) if then else (0, 0)
    )
    return Line(
        topic,
        n,
        n / of,
        more["net_sentiment"].get(topic),
        more["impact"].get(topic),
        n / of - was / of_then if of_then else None,
        # More comments of no topic are no news of one.
        topic != OTHER and is_rise(n, of, was, of_then),
        trend,
    )


def is_rise(n: int, of: int, was: int, of_then: int) -> bool:
    """Is a share more than it was, by more than chance gives (two proportions)?"""
    if n < _FEWEST or not of or not of_then:
        return False
    both = (n + was) / (of + of_then)
    doubt = (both * (1 - both) * (1 / of + 1 / of_then)) ** 0.5
    return bool(doubt > 0 and (n / of - was / of_then) / doubt > _SURE)


# Comments


@dataclass(frozen=True)
class Said:
    """A comment as it is shown: with its account, and colors of its topics."""

    quote: Quote
    text: str
    account: str
    topics: Sequence[tuple[Promise | str, str]]

    @property
    def color(self) -> str:
        """Of the score: happy, unhappy, or neither."""
        points = self.quote.points
        if points is None or 6.5 < points < 8.5:
            return ""
        return "green" if points >= 8.5 else "red"


@kept(*_TABLES, size=64, shared=True)
def found(
    lake: Lake, start: date, end: date, language: str, topic: str, mismatch: bool
) -> list[Quote]:
    """Comments of a period, the newest first: on a topic, or of whose score the words
    say the opposite."""
    evening = through_today(lake)
    every = quotes.quotes(evening, start, end, _where(language))
    return [
        quote
        for quote in every
        if (not topic or topic in quote.topics) and (not mismatch or quote.is_mismatch)
    ]


def said(workspace: Workspace, some: Sequence[Quote], *, mask: bool) -> list[Said]:
    """Comments of a page; personal data is hidden where `mask` says so."""
    ids = tuple(sorted({q.account_id for q in some if q.account_id}))
    accounts = customers.some(workspace, ids)
    told = [(quote.account_id, quote.comment) for quote in some]
    texts = wording.shown(workspace, told, mask=mask)
    names = titles(lake_of(workspace))
    made = []
    for quote, text in zip(some, texts, strict=True):
        account = accounts.get(quote.account_id or "")
        made.append(
            Said(
                quote,
                text,
                (account.name or account.account_id) if account else "",
                [
                    (names.get(t, "") or TITLES.get(t, t), _color(s))
                    for t, s in quote.topics.items()
                ],
            )
        )
    return made


def _color(sentiment: float | None) -> str:
    if sentiment is None or abs(sentiment) < _FELT:
        return ""
    return "green" if sentiment > 0 else "red"


def correct(by: Membership, response_id: str, said: Sequence[str]) -> None:
    """What a person says a comment speaks of; raises `BadValue`."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    unknown = set(said) - titles(lake).keys() - known(lake)
    if unknown:
        raise BadValue(f"there is no topic {min(unknown)}")
    quotes.correct(lake, response_id, said)
    record(by.workspace, by.user, "comment.corrected", response_id)
    # Others may be read otherwise by what this one taught.
    jobs.soon("read_comments", by.workspace)


@kept("feedback_annotations", size=16)
def known(lake: Lake) -> set[str]:
    """Topics that comments were ever said to speak of."""
    table = lake.engine.table("feedback_annotations")
    rows = lake.engine.run(table.select("topic").distinct())
    return {topic for topic in rows["topic"] if topic}


def parsed(text: str) -> dict[str, Any]:
    """The document of a YAML text; raises `BadValue` with the line."""
    if len(text) > _MOST_TEXT:
        raise BadValue(_("The text is too long to be a list of topics."))
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadValue(_("This is not YAML: line %(n)s.") % {"n": line}) from None
    return taxonomy_text.to_document(taxonomy_text.read(document))


@transaction.atomic
def publish_topics(by: Membership, text: str) -> int:
    """Topics in force from now on; comments are read again in the background."""
    must_cover(by, Role.ADMIN)
    number = taxonomies.publish(lake_of(by.workspace), parsed(text), by=by.user.email)
    record(by.workspace, by.user, "topics.published", "", version=number)
    jobs.soon("read_comments", by.workspace)
    return number
