"""Answers of metrics, kept: a page needs a hundred of them and has 200 ms.

An answer is kept under the question, the day, and the versions of the tables it is
made from, so it is never out of date: new data have new versions. The cache lies in
the data folder; web and worker share it, and it outlives a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from django.core.cache import cache

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.ids import digest
from perennial.core.windows import Period
from perennial.lake.result import Result
from perennial.metrics import filters
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.metrics.measured import MEASURES
from perennial.metrics.registry import Metric
from perennial.metrics.targets import Target

T = TypeVar("T")

#: What every metric may read beside its own roll-ups: who counts, and how (G4).
SHARED = (
    *("accounts", "account_attributes", "former_attributes", "users", "memberships"),
    *("identities", "assignments", "settings"),
    *("features", "entitlements", "fx_rates", "user_days", "presence", "account_days"),
    *("mrr_ledger", "seat_ledger"),
)
#: Answers speak of a day; after two nobody asks for them again.
KEEP = timedelta(days=2)
#: Part of every key: raise it when `Row` changes.
LAYOUT = 1

_OWN = ("metric", "period_start", "period_end", "value", "numerator", "denominator")
_PLAIN = {*_OWN, "n", "status"}


class Missing(Exception):
    """The answer is not kept, and the page does not wait for it."""


@dataclass(frozen=True)
class Question:
    """What is asked of a metric, as `perennial.lake.workspace.Workspace.metric`."""

    key: str
    start: date
    end: date
    grain: str = "total"
    by: tuple[str, ...] = ()
    where: str | None = None
    variant: str | None = None
    params: tuple[tuple[str, str], ...] = ()

    @property
    def arguments(self) -> dict[str, Any]:
        said = {name: v for name, v in vars(self).items() if name != "key"}
        return {**said, "params": dict(self.params)}


@dataclass(frozen=True)
class Row:
    """One period of one group."""

    start: date
    end: date
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int | None
    status: str
    groups: Mapping[str, str | None]

    @property
    def group(self) -> str | None:
        """The value of its only dimension."""
        return next(iter(self.groups.values()), None)


class Answers:
    """The answers of a workspace at one version of its data.

    With `wait` off, an answer that is not kept raises `Missing`.
    """

    def __init__(self, workspace: Workspace, *, wait: bool = True) -> None:
        self.workspace = workspace
        self.lake = lake_of(workspace)
        self.today = self.lake.today
        self._wait = wait
        self._versions: dict[str, int] = {}

    @cached_property
    def catalog(self) -> Mapping[str, Metric]:
        """Every metric, looked up once a page."""
        return self.lake.catalog

    @cached_property
    def targets(self) -> Sequence[Target]:
        """What numbers should be, looked up once a page."""
        return self.lake.targets

    def rows(self, question: Question) -> list[Row]:
        return self.kept("rows", question, lambda: _rows(self._ask(question)))

    def spans(self, question: Question, spans: Sequence[Period]) -> list[list[Row]]:
        """The rows of one question over several spans of time, asked in one go.

        They are kept together: a tile reads one entry, not one a month.
        """

        def compute() -> list[list[Row]]:
            found: dict[Period, list[Row]] = {}
            for some in _apart(dict.fromkeys(spans)):
                rows = _rows(self._over(question, some))
                found |= {s: [r for r in rows if r.start == s.start] for s in some}
            return [found[span] for span in spans]

        return self._get(self._key(repr(spans), question), compute)

    def rows_now(self, question: Question, *, behind: bool) -> list[Row]:
        """Rows that are not kept, as there may be one for each account; `behind`:
        those of a number, by its metric's entity."""
        return (_behind if behind else _rows)(self._ask(question))

    def sql(self, question: Question) -> str:
        return self.kept("sql", question, lambda: self._ask(question).sql())

    def keep(self, name: str, tables: tuple[str, ...], compute: Callable[[], T]) -> T:
        """Anything else that is made from these tables, under a name."""
        return self._get(digest("other", name, self._state(tables)), compute)

    def computed_at(self, question: Question, spans: Sequence[Period]) -> datetime:
        """When the kept answer over these spans was computed; now, without one."""
        found = cache.get(f"answer-{self._key(repr(spans), question)}")
        return found[1] if found else datetime.now(UTC)

    def _ask(self, question: Question) -> Result:
        return self.lake.metric(question.key, **question.arguments)

    def _over(self, question: Question, spans: Sequence[Period]) -> Result:
        return self.lake.metric_over(
            question.key,
            spans,
            by=question.by,
            where=question.where,
            variant=question.variant,
            params=dict(question.params),
        )

    def kept(self, kind: str, question: Question, compute: Callable[[], T]) -> T:
        """What is made from the tables that answer a question."""
        return self._get(self._key(kind, question), compute)

    def _key(self, kind: str, question: Question) -> str:
        metric = self.catalog[question.key]
        reads = [*SHARED, *metric.reads, *metric.also_reads]
        spoken_of = {*question.by, *_names(question.where)}
        if IN_SEGMENT in spoken_of:
            reads.append("segment_members")
        if spoken_of & MEASURES.keys():
            reads.append("account_measures")
        return digest(kind, repr(question), self._state(reads))

    def _get(self, key: str, compute: Callable[[], T]) -> T:
        found: tuple[T, datetime] | None = cache.get(f"answer-{key}")
        if found is not None:
            return found[0]
        if not self._wait:
            raise Missing
        made = compute()
        at = datetime.now(UTC)
        cache.set(f"answer-{key}", (made, at), KEEP.total_seconds())
        return made

    def _state(self, tables: Iterable[str]) -> str:
        versions = [(name, self._version(name)) for name in sorted(set(tables))]
        return repr(
            (LAYOUT, self.workspace.key, self.lake.lake.root, self.today, versions)
        )

    def _version(self, name: str) -> int:
        """Asked once a page, so that all of its answers are of one state."""
        if name not in self._versions:
            self._versions[name] = self.lake.lake.snapshot(name).version
        return self._versions[name]


@lru_cache(maxsize=64)
def _names(where: str | None) -> tuple[str, ...]:
    return tuple(filters.names(filters.parse(where))) if where else ()


def _apart(spans: Iterable[Period]) -> list[list[Period]]:
    """The spans in groups in which no two begin on the same day."""
    groups: list[list[Period]] = []
    for span in spans:
        for group in groups:
            if all(span.start != other.start for other in group):
                group.append(span)
                break
        else:
            groups.append([span])
    return groups


def answer(workspace: Workspace, key: str, **question: Any) -> list[Row]:
    """The rows of a metric, from the cache where they are kept."""
    return Answers(workspace).rows(Question(key, **question))


def _behind(result: Result) -> list[Row]:
    return [_row(row) for row in result.behind.iter_rows(named=True)]


def _rows(result: Result) -> list[Row]:
    return [_row(row) for row in result.rows.iter_rows(named=True)]


def _row(row: Mapping[str, Any]) -> Row:
    return Row(
        start=row["period_start"],
        end=row["period_end"],
        value=row["value"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        n=row["n"],
        status=row["status"],
        groups={k: v for k, v in row.items() if k not in _PLAIN},
    )
