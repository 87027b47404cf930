"""What the page of themes reads: topics in numbers, and the comments behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from typing import Any, Final

import yaml
from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from perennial.apps.customers import queries as customers
from perennial.apps.customers import timeline_feed, wording
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
from perennial.metrics.said import TABLES as SAID
from perennial.scoring import taxonomy_text
from perennial.scoring.taxonomy import OTHER, Topic

_METRIC: Final = "feedback_topics"
_TABLES: Final = (
    *SAID,
    *("feedback_annotations", "users", "accounts", "assignments", "account_attributes"),
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


@dataclass(frozen=True)
class _Look:
    """A source on screen, and the kind of its entries in timelines."""

    title: Promise
    one: Promise
    icon: str
    kind: str


#: Sources by their names (`metrics.said`): of many comments, and of one.
SOURCES: Final[Mapping[str, _Look]] = {
    "survey": _Look(
        gettext_lazy("Surveys"), gettext_lazy("Survey"), "message", "survey"
    ),
    "ticket": _Look(
        gettext_lazy("Tickets"), gettext_lazy("Ticket"), "ticket", "ticket"
    ),
    "contact": _Look(
        gettext_lazy("Calls and meetings"),
        gettext_lazy("Call or meeting"),
        *("phone", "contact"),
    ),
    "note": _Look(gettext_lazy("Notes"), gettext_lazy("Note"), "note", "note"),
    "cancellation": _Look(
        gettext_lazy("Cancellations"),
        gettext_lazy("Cancellation"),
        *("file-text", "billing"),
    ),
}
#: What is asked for where comments have scores.
SCORED: Final = ("", "survey")
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


@dataclass(frozen=True)
class _Count:
    """Of a topic: comments on it, of how many, praise less blame; and the same of the
    period before, and by month."""

    n: int = 0
    of: int = 0
    net: int = 0
    was: int = 0
    of_then: int = 0
    months: Sequence[tuple[int, int]] = ()

    def __add__(self, other: _Count) -> _Count:
        pairs = zip_longest(self.months, other.months, fillvalue=(0, 0))
        return _Count(
            self.n + other.n,
            self.of + other.of,
            self.net + other.net,
            self.was + other.was,
            self.of_then + other.of_then,
            [(n + more, of + of_more) for (n, of), (more, of_more) in pairs],
        )


@dataclass(frozen=True)
class Topics:
    """Counts by topic and source of a period, and effects on the score by topic: only
    answers to surveys have one."""

    counts: Mapping[str, Mapping[str, _Count]]
    impact: Mapping[str, float | None]

    def of(self, source: str) -> Mapping[str, _Count]:
        """By topic: of one source, or of all."""
        return {
            topic: by.get(source, _Count()) if source else sum(by.values(), _Count())
            for topic, by in self.counts.items()
        }

    @property
    def comments(self) -> Mapping[str, int]:
        """By source; of every topic a source has as many."""
        by = next(iter(self.counts.values()), {})
        return {source: count.of for source, count in by.items() if count.of}


@kept(*_TABLES, size=128, shared=True)
def counted(lake: Lake, start: date, end: date, language: str) -> Topics:
    """Every topic that came up in a period, in a language or in all."""
    evening, where = through_today(lake), _where(language)
    span = Period(start, end)
    month = floor(evening.today, Grain.MONTH)
    months = [
        Period(add_months(month, -back), add_months(month, 1 - back))
        for back in range(_MONTHS, 0, -1)
    ]

    def asked(spans: Sequence[Period], variant: str) -> dict[Any, tuple[int, int]]:
        rows = evening.metric_over(
            _METRIC, spans, variant=variant, by=["source"], where=where
        ).rows
        rows = rows.select(
            *("topic", "source", "period_start", "numerator", "denominator")
        )
        return {
            (topic, source, day): (int(n or 0), int(of or 0))
            for topic, source, day, n, of in rows.iter_rows()
        }

    shares = asked([before(span), span], "share")
    trend = asked(months, "share")
    felt = asked([span], "net_sentiment")
    counts: dict[str, dict[str, _Count]] = {}
    for topic, source in {key[:2] for key in shares}:
        (n, of), (was, of_then) = (
            shares.get((topic, source, each.start), (0, 0))
            for each in (span, before(span))
        )
        net, _n = felt.get((topic, source, start), (0, 0))
        by_month = [trend.get((topic, source, m.start), (0, 0)) for m in months]
        found = _Count(n, of, net, was, of_then, by_month)
        counts.setdefault(topic, {})[source] = found
    impact = evening.metric(
        _METRIC, start=start, end=end, variant="impact", where=where
    ).rows
    return Topics(counts, dict(impact.select("topic", "value").iter_rows()))


def lines(
    lake: Lake, start: date, end: date, language: str, source: str = ""
) -> list[Line]:
    """Topics that came up, those of most comments first; what is no topic last."""
    found = counted(lake, start, end, language)
    some = [
        _line(topic, count, found.impact.get(topic) if source in SCORED else None)
        for topic, count in found.of(source).items()
        if count.n
    ]
    return sorted(some, key=lambda e: (e.topic == OTHER, -e.mentions, e.topic))


def warm(lake: Lake) -> None:
    """Have the page ready before it is asked for, as it opens."""
    span = span_of(USUAL_DAYS, lake.today)
    counted(lake, span.start, span.end, "")
    said_in(lake, span.start, span.end, "")


def _where(language: str) -> str | None:
    return f"language = {filters.text(language)}" if language else None


def _line(topic: str, count: _Count, impact: float | None) -> Line:
    share = count.n / count.of
    then = count.was / count.of_then if count.of_then else None
    return Line(
        topic,
        count.n,
        share,
        count.net / count.n,
        impact,
        None if then is None else share - then,
        # More comments of no topic are no news of one.
        topic != OTHER and is_rise(count.n, count.of, count.was, count.of_then),
        [n / of if of else None for n, of in count.months],
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
    def look(self) -> _Look:
        return SOURCES[self.quote.source]

    @property
    def place(self) -> str:
        """Where it stands in the timeline of its account: the first entry there."""
        at = timeline_feed.Asked(self.look.kind, before=self.quote.at)
        page = reverse("customers:timeline", args=[self.quote.account_id])
        return f"{page}{at.url()}"

    @property
    def color(self) -> str:
        """Of the score: happy, unhappy, or neither."""
        points = self.quote.points
        if points is None or 6.5 < points < 8.5:
            return ""
        return "green" if points >= 8.5 else "red"


@kept(*_TABLES, size=64, shared=True)
def said_in(lake: Lake, start: date, end: date, language: str) -> list[Quote]:
    """Comments of a period, the newest first."""
    return quotes.quotes(through_today(lake), start, end, _where(language))


def found(
    lake: Lake,
    start: date,
    end: date,
    language: str,
    topic: str,
    show: str = "",
    source: str = "",
) -> list[Quote]:
    """Those on a topic, of a source; `show`: "mismatch", of whose score the words say
    the opposite, or "corrected", those that a person had a word on."""
    return [
        quote
        for quote in said_in(lake, start, end, language)
        if (not topic or topic in quote.topics)
        and (show != "mismatch" or quote.is_mismatch)
        and (show != "corrected" or quote.is_corrected)
        and (not source or quote.source == source)
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
    told = ", ".join(said)
    record(by.workspace, by.user, "comment.corrected", response_id, topics=told)
    # Others may be read otherwise by what this one taught.
    jobs.soon("read_comments", by.workspace)


def take_back(by: Membership, response_id: str) -> None:
    """What was said of a comment counts no more, nor what it taught."""
    must_cover(by, Role.MEMBER)
    quotes.take_back(lake_of(by.workspace), response_id)
    record(by.workspace, by.user, "comment.correction_taken_back", response_id)
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
