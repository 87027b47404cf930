"""A workspace: its lake, its settings, and every question one can ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.errors import BadValue, UnknownName
from perennial.core.settings import Settings
from perennial.core.windows import Grain, Period, add_months, floor
from perennial.lake import (
    definition_days,
    definitions,
    former,
    healthbook,
    insights,
    merged,
    presence,
    settings_store,
    targets,
)
from perennial.lake import refresh as refreshing
from perennial.lake.engines import DuckEngine, Engine, no_collection
from perennial.lake.meaning import aliases
from perennial.lake.result import Result
from perennial.lake.store import Lake
from perennial.lake.tables import DATED, FACTS, TABLES
from perennial.metrics import answer, filters, registry
from perennial.metrics.custom import Definition, entry
from perennial.metrics.dimensions import IDS, IN_SEGMENT, TableSource
from perennial.metrics.hidden import Hidden, hidden
from perennial.metrics.inputs import Inputs, Known
from perennial.metrics.measured import GROUPS
from perennial.metrics.query import Query, ask
from perennial.metrics.registry import Metric
from perennial.metrics.seats import SeatTrend, seat_trend
from perennial.metrics.targets import Target
from perennial.scoring.scorecard import Scorecard


class Workspace:
    """One tenant's data. Cheap to make; safe to use from several threads.

    `clock` gives the present instant (UTC); questions without dates speak of the
    days before it.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        engine: Engine | None = None,
        clock: type[datetime] = datetime,
    ) -> None:
        self.lake = lake
        self.engine = engine or DuckEngine(lake)
        self._clock = clock
        self._settings: tuple[int, Settings] | None = None
        self._renamed: tuple[int, Mapping[str, str]] | None = None
        self._rates: tuple[tuple[int, str], pl.DataFrame] | None = None
        self._hidden: tuple[tuple[object, ...], Hidden] | None = None
        self._attributes: tuple[tuple[int, ...], list[str]] | None = None
        self._targets: tuple[int, Sequence[Target]] | None = None
        self._defined: tuple[int, Mapping[str, Mapping[int, Metric]]] | None = None

    @property
    def now(self) -> datetime:
        return self._clock.now(UTC)

    @property
    def settings(self) -> Settings:
        version = self.lake.snapshot("settings").version
        if self._settings is None or self._settings[0] != version:
            self._settings = (version, settings_store.load(self.lake))
        return self._settings[1]

    @property
    def today(self) -> date:
        """The first local day that is not over."""
        return self.now.astimezone(self.settings.tz).date()

    def table(self, name: str) -> ir.Table:
        """A table of the lake as an Ibis expression."""
        if name not in TABLES:
            raise UnknownName("table", name, sorted(TABLES))
        return self.engine.table(name)

    # Metrics

    @property
    def catalog(self) -> Mapping[str, Metric]:
        """Every metric by key: the built-in ones, then this workspace's own."""
        own = {key: [*of.values()][-1] for key, of in self._own_metrics.items()}
        return {**registry.all_metrics(), **own}

    @property
    def every_metric(self) -> Mapping[str, Metric]:
        """The same with what was taken out of the catalog since."""
        kept = definitions.history(self.lake)
        return {**registry.all_metrics(), **definitions.entries(kept)}

    def entry(self, key: str, params: Mapping[str, str] | None = None) -> Metric:
        """The metric called `key`, or the version of it `params` ask for.

        Raises `UnknownName`.
        """
        versions = self._own_metrics.get(key)
        if versions is None:
            if key not in registry.all_metrics():
                raise UnknownName("metric", key, list(self.catalog))
            return registry.get(key)
        newest = max(versions)
        asked = (params or {}).get("version", str(newest))
        if asked not in map(str, versions):
            raise UnknownName(f"version of {key}", asked, [*map(str, versions)])
        return versions[int(asked)]

    @property
    def targets(self) -> Sequence[Target]:
        """What numbers should be: the targets in force."""
        version = self.lake.snapshot(targets.NAME).version
        if self._targets is None or self._targets[0] != version:
            self._targets = (version, targets.load(self.lake))
        return self._targets[1]

    @property
    def _own_metrics(self) -> Mapping[str, Mapping[int, Metric]]:
        version = self.lake.snapshot(definitions.NAME).version
        if self._defined is None or self._defined[0] != version:
            found = definitions.catalog(definitions.history(self.lake))
            self._defined = (version, found)
        return self._defined[1]

    def metric(
        self,
        key: str,
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        as_of: date | str | None = None,
        grain: str = "total",
        by: Sequence[str] = (),
        where: str | None = None,
        variant: str | None = None,
        params: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> Result:
        """The values of a metric: one row per period and group.

        Dates are local days of the workspace, `start`/`end` half-open; `as_of` D
        speaks of everything before day D. Raises `UnknownName` and `BadValue`.
        """
        query = ask(
            self.entry(key, params),
            now=self.now,
            settings=settings or self.settings,
            start=_day(start),
            end=_day(end),
            as_of=_day(as_of),
            grain=grain,
            by=tuple(dict.fromkeys(by)),
            where=where,
            variant=variant,
            params=params,
        )
        self._check(query)
        return self._answer(query)

    def metric_over(
        self,
        key: str,
        spans: Sequence[Period],
        *,
        by: Sequence[str] = (),
        where: str | None = None,
        variant: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Result:
        """One value per span and group, of spans that may overlap, in one question.

        Each is the value of that span asked for alone. A span is known by its first
        day: no two may share it. Raises as `metric` does.
        """
        if len({span.start for span in spans}) < len(spans):
            raise BadValue("two spans begin on the same day")
        first, last = min(spans), max(spans, key=lambda span: span.end)
        query = ask(
            self.entry(key, params),
            now=self.now,
            settings=self.settings,
            start=first.start,
            end=last.end,
            by=tuple(dict.fromkeys(by)),
            where=where,
            variant=variant,
            params=params,
        )
        query = replace(query, periods=tuple(sorted(spans)))
        self._check(query)
        return self._answer(query)

    def _answer(self, query: Query) -> Result:
        with no_collection():
            expression = query.metric.compute(self.inputs(query), query)
        first = self.first_day(query.metric.reads)
        rows = answer.finish(query, self.engine.run(expression), first)
        return self.make_result(
            query,
            rows,
            lambda: self.engine.sql(expression),
            lambda: self._behind(query),
        )

    def tried(self, definition: Definition, span: Period, grain: Grain) -> Result:
        """What a definition would say, before it is kept.

        The roll-up does not hold it yet: events are read one by one, those of the
        span. Raises `BadValue` where it fits nothing.
        """
        made = definitions.checked(definition)
        metric = entry(made, definitions.source(made.table), 1)
        query = ask(
            metric,
            now=self.now,
            settings=self.settings,
            start=span.start,
            end=span.end,
            grain=grain,
        )
        engine = definition_days.on_duck(self)

        def table(name: str) -> ir.Table:
            if name == definition_days.NAME:
                return definition_days.counted(self, engine, made, span)
            return engine.table(name)

        expression = metric.compute(self.inputs(query, table), query)
        rows = answer.finish(
            query, engine.run(expression), self.first_day(query.metric.reads)
        )
        return self.make_result(query, rows, str, lambda: rows)

    def make_result(
        self,
        query: Query,
        rows: pl.DataFrame,
        sql: Callable[[], str],
        behind: Callable[[], pl.DataFrame],
    ) -> Result:
        """What `metric` answers with; the notebook's workspace draws charts too."""
        return Result(query, rows, sql, behind)

    def _behind(self, query: Query) -> pl.DataFrame:
        entity = query.metric.entity
        known = (*IDS, *query.metric.own_dimensions, *self.account_attributes)
        if entity in query.by or entity not in known:
            return self._answer(query).rows
        return self._answer(replace(query, by=(*query.by, entity))).rows

    def inputs(self, query: Query, source: TableSource | None = None) -> Inputs:
        names = FACTS["accounts"].names
        return Inputs(
            source or self.engine.table,
            query,
            names,
            Known(
                aliases=lambda: self._aliases,
                rates=self._rates_to,
                hides=self._hides,
                lacks=self.lake.has_nulls,
                counts_all=lambda: presence.is_current(self.lake),
                attributes=lambda: self.account_attributes,
            ),
        )

    def _hides(self, settings: Settings) -> Hidden:
        """Who is in no number, read once: looking it up in `users` for every table cost
        as much as many a question."""
        tables = ("accounts", "users", merged.NAME)
        versions = [self.lake.snapshot(name).version for name in tables]
        key = (*versions, *settings.internal_domains)
        if self._hidden is None or self._hidden[0] != key:
            asked = hidden(self.engine.table, settings)
            self._hidden = (key, Hidden(*map(self._told, asked)))
        return self._hidden[1]

    def _told(self, ids: ir.StringColumn | None) -> ir.StringColumn | None:
        """These ids as they are now, read once; None without any."""
        assert ids is not None
        found = self.engine.run(ids.as_table())
        return None if found.is_empty() else ibis.memtable(found.to_arrow())[0]

    def _rates_to(self, currency: str) -> pl.DataFrame:
        key = (self.lake.snapshot("fx_rates").version, currency)
        if self._rates is None or self._rates[0] != key:
            every = self.engine.table("fx_rates")
            rates = every.filter(every.quote == currency).select("date", "base", "rate")
            self._rates = (key, self.engine.run(rates))
        return self._rates[1]

    @property
    def _aliases(self) -> Mapping[str, str]:
        """Former user ids, and the person each belongs to now."""
        version = self.lake.snapshot("identities").version
        if self._renamed is None or self._renamed[0] != version:
            links = self.engine.table("identities")
            rows = self.engine.run(links.filter(links.kind == "alias"))
            self._renamed = (version, aliases(rows.iter_rows(named=True)))
        return self._renamed[1]

    def _check(self, query: Query) -> None:
        for name in query.by:
            if name in query.metric.own_dimensions:
                continue
            if name in IDS or not query.metric.is_of_accounts:
                raise BadValue(f"{query.metric.key} cannot be split by {name}")
            known = [IN_SEGMENT, *self.account_attributes, *sorted(GROUPS)]
            if name not in known:
                raise UnknownName(
                    "dimension", name, [*query.metric.dimensions[:1], *known]
                )

    def first_day(self, tables: Sequence[str]) -> date | None:
        """The first local day some of these tables speak of; None without any."""
        days = [self._first(name) for name in tables]
        known = [day for day in days if day is not None]
        return min(known) if known else None

    @property
    def first_days(self) -> Mapping[str, date | None]:
        """The first day of each roll-up, from its own rows."""
        return {name: self._first(name) for name in DATED}

    def _first(self, name: str) -> date | None:
        version = self.lake.snapshot(name).version
        cached = self._firsts.get(name)
        if cached is None or cached[0] != version:
            found = self.lake.least(name, DATED[name])
            if isinstance(found, datetime):
                found = found.astimezone(self.settings.tz).date()
            cached = self._firsts[name] = (version, found)
        return cached[1]

    @cached_property
    def _firsts(self) -> dict[str, tuple[int, date | None]]:
        return {}

    @property
    def account_attributes(self) -> list[str]:
        """Names by which accounts can be split and filtered, sorted."""
        tables = ("account_attributes", former.NAME)
        versions = tuple(self.lake.snapshot(name).version for name in tables)
        if self._attributes is None or self._attributes[0] != versions:
            now, once = map(self.engine.table, tables)
            every = now.select("name").union(once.select("name"), distinct=True)
            names = self.engine.run(every)["name"].to_list()
            columns = [c for c in FACTS["accounts"].names if c not in _PLAIN]
            self._attributes = (versions, sorted({*names, *columns}))
        return list(self._attributes[1])

    def day(self, value: date | str | None) -> date | None:
        """A local day given as a date or as ISO text."""
        return _day(value)

    def seat_trend(self, account: str, *, as_of: date | str | None = None) -> SeatTrend:
        """Seat use of an account over the last 12 month ends, and what it suggests."""
        end = floor(_day(as_of) or self.today, Grain.MONTH)
        rows = self.metric(
            "license_utilization",
            start=add_months(end, -12),
            end=end,
            grain="month",
            where=f"account = {filters.text(account)}",
        ).rows.filter(pl.col("denominator") > 0)
        active = [int(users) for users in rows["numerator"]]
        seats = int(rows["denominator"][-1]) if active else None
        return seat_trend(active, seats)

    # Health

    def health(
        self,
        *,
        account: str | None = None,
        as_of: date | str | None = None,
        users: bool = False,
        where: str | None = None,
        explain: bool = False,
        history: bool = False,
        card: Scorecard | None = None,
    ) -> pl.DataFrame:
        """Health of accounts (or users) on a day; see `healthbook.scores`."""
        rows = healthbook.scores(
            self,
            account=account,
            as_of=as_of,
            users=users,
            where=where,
            explain=explain,
            history=history,
            card=card,
        )
        # What the first hundred accounts all lack, a later one may have.
        return pl.DataFrame(rows, infer_schema_length=None)

    def insight(
        self,
        name: str,
        *,
        as_of: date | str | None = None,
        by: Sequence[str] = (),
        where: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> pl.DataFrame:
        """The rows of an insight as of a day; see `perennial.lake.insights`."""
        return insights.answer(
            self, name, as_of=as_of, by=by, where=where, params=params
        )

    # Work

    def roll_up(self) -> refreshing.Refreshed:
        """What metrics read, brought up to date: cheap right after each load.

        Health and the account measures wait for the next `refresh`.
        """
        done = refreshing.Refreshed()
        refreshing.roll_up(self, done)
        return done

    def refresh(
        self,
        *,
        as_of: date | str | None = None,
        full: bool = False,
        progress: refreshing.Progress | None = None,
    ) -> refreshing.Refreshed:
        """Bring everything derived up to date; only what new facts make necessary."""
        return refreshing.refresh(
            self, as_of=_day(as_of) or self.today, full=full, progress=progress
        )


#: The days that can be asked for.
_FIRST, _LAST = date(1900, 1, 1), date(2200, 1, 1)
_PLAIN = {"account_id", "properties", "is_test", "name", "traits_at"}


def _day(value: date | str | None) -> date | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise BadValue(f"not a date: {value!r} (write 2026-11-22)") from None
    # Windows around it must be days, too.
    if day is not None and not _FIRST <= day <= _LAST:
        raise BadValue(f"{day} is not between {_FIRST} and {_LAST}")
    return day
