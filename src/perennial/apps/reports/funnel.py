"""The funnel builder: steps in order, who takes them, how long, and who drops out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers.hooks import guide_events
from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.dimensions import names_in, title_of
from perennial.apps.reports.explore import SPLITS
from perennial.apps.reports.results import Answers, Question, Row
from perennial.apps.reports.tables import Cell, Grid, Line
from perennial.core.event_names import GUIDE_EVENTS
from perennial.core.windows import DAY
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Steps a funnel can have, and accounts its list shows.
MOST_STEPS, MOST_ACCOUNTS = 6, 25
#: Days of events whose names are offered.
_OFFERED = 90


@dataclass(frozen=True)
class Built:
    """What the address asks for."""

    steps: tuple[str, ...]
    within: int


@dataclass(frozen=True)
class Step:
    name: str
    taken: int
    share: str
    of_before: str
    wait: str
    dropped: int
    bar: float


@dataclass(frozen=True)
class Dropped:
    """People of an account who began and did not finish."""

    account_id: str
    name: str
    began: int
    finished: int

    @property
    def count(self) -> int:
        return self.began - self.finished


@dataclass(frozen=True)
class Funnel:
    lead: str
    steps: list[Step]
    accounts: list[Dropped]
    parts: Grid


def parse(query: QueryDict, answers: Answers) -> Built:
    """The steps of the address, or those of the settings."""
    settings = answers.lake.settings
    named = tuple(name for name in query.getlist("step") if name.strip())
    text = query.get("within", "")
    within = int(text) if text.isdecimal() and 0 < int(text) <= 365 else 0
    return Built(
        (named or settings.funnel_steps)[:MOST_STEPS], within or settings.funnel_days
    )


def offered(answers: Answers) -> list[str]:
    """Names of the events of the last months, the most frequent first; those of guides
    once one was in force, whether or not it was seen."""

    def compute() -> list[str]:
        days = answers.lake.table("event_days")
        recent = days.filter(days.date >= answers.today - DAY * _OFFERED)
        counted = recent.group_by("event").agg(events=recent.events.sum())
        rows = answers.lake.engine.run(counted).sort(
            "events", "event", descending=[True, False]
        )
        names: list[str] = rows["event"].to_list()
        ours = GUIDE_EVENTS.values()
        return [name for name in names if name in ours or not name.startswith("$")]

    names = answers.keep("event names", ("event_days",), compute)
    return [*dict.fromkeys([*names, *guide_events(answers.workspace)])]


def funnel(
    answers: Answers, asked: Asked, built: Built, regional: Regional
) -> Funnel | None:
    """The funnel of the period; None without two steps, or where nobody began."""
    if len(built.steps) < 2:
        return None
    counted = _rows(answers, asked, built, ("step",))
    if not counted or not counted[0].n:
        return None
    waits = _rows(answers, asked, built, ("step",), variant="median_days")
    steps = _steps(counted, waits, regional)
    parts = _parts(answers, asked, built, regional)
    lost = _accounts(answers, asked, built)
    return Funnel(_lead(steps, regional), steps, lost, parts)


def _rows(
    answers: Answers,
    asked: Asked,
    built: Built,
    by: tuple[str, ...],
    variant: str | None = None,
) -> list[Row]:
    period = asking.period_of(asked.period, answers.today)
    said = (("steps", ",".join(built.steps)), ("within_days", str(built.within)))
    question = Question(
        "funnel",
        period.start,
        period.end,
        by=by,
        where=asked.where,
        variant=variant,
        params=said,
    )
    return answers.rows(question)


def _steps(
    counted: Sequence[Row], waits: Sequence[Row], regional: Regional
) -> list[Step]:
    first = counted[0].n or 1
    found = []
    for before, row, wait in zip([counted[0], *counted], counted, waits, strict=False):
        came, taken = before.n or 0, row.n or 0
        found.append(
            Step(
                row.groups["step"] or "",
                taken,
                formats.percent(taken / first, regional),
                formats.percent(taken / came, regional) if came else formats.EMPTY,
                values.text(wait.value, "days", regional),
                came - taken,
                taken / first,
            )
        )
    return found


def _parts(answers: Answers, asked: Asked, built: Built, regional: Regional) -> Grid:
    """A line a group, a column a step: the share of those who began."""
    by = asked.by if asked.by in SPLITS else SPLITS[0]
    groups: dict[str, list[Row]] = {}
    for row in _rows(answers, asked, built, ("step", by)):
        groups.setdefault(row.groups[by] or "", []).append(row)
    lines = [
        Line(
            name or _("not set"),
            [
                Cell(formats.number(rows[0].n, regional, 0)),
                *(
                    Cell(formats.percent(r.value, regional), round(10 * (r.value or 0)))
                    for r in rows[1:]
                ),
            ],
        )
        for name, rows in sorted(groups.items())
    ]
    head = [str(title_of(by)), *built.steps]
    return Grid(head, lines, _("By %(what)s") % {"what": by}, _("Of those who began."))


def _lead(steps: Sequence[Step], regional: Regional) -> str:
    """Where most are lost."""
    worst = max(pairwise(steps), key=lambda pair: pair[1].dropped)
    lost = formats.number(worst[1].dropped, regional, 0)
    said = {"before": worst[0].name, "after": worst[1].name, "n": lost}
    if not worst[1].dropped:
        return _("Everybody who begins gets to the end.")
    return (
        ngettext(
            "Between %(before)s and %(after)s, %(n)s person is lost: most of all.",
            "Between %(before)s and %(after)s, %(n)s people are lost: most of all.",
            worst[1].dropped,
        )
        % said
    )


def _accounts(answers: Answers, asked: Asked, built: Built) -> list[Dropped]:
    """Accounts whose people began and did not finish, most people first."""
    taken: dict[str, dict[str, int]] = {}
    for row in _rows(answers, asked, built, ("step", "account")):
        account = row.groups["account"] or ""
        taken.setdefault(account, {})[row.groups["step"] or ""] = row.n or 0
    first, last = built.steps[0], built.steps[-1]
    lost = {
        account: (counts.get(first, 0), counts.get(last, 0))
        for account, counts in taken.items()
        if account and counts.get(first, 0) > counts.get(last, 0)
    }
    order = sorted(lost, key=lambda a: (lost[a][1] - lost[a][0], a))[:MOST_ACCOUNTS]
    names = names_in(answers, "accounts", order) if order else {}
    return [Dropped(a, names.get(a, a), *lost[a]) for a in order]
