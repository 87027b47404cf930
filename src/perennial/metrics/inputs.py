"""The tables a metric sees: scoped, filtered, with the dimensions attached.

Test accounts, test users and one's own people are left out here, once for every
metric (G4); conditions and dimensions on account attributes are joined here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.errors import UnknownName
from perennial.core.windows import DAY, day_start, month_end, offsets
from perennial.metrics import filters
from perennial.metrics.query import Query

TableSource = Callable[[str], ir.Table]

_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
#: Changes of a zone's offset are followed for this long; before, the last one holds.
_ZONE_YEARS = timedelta(days=366 * 15)

#: A missing value of a dimension while it is computed; no import lets "" in.
NOTHING = ""
#: Dimensions that are ids carried by the roll-ups themselves.
IDS = {"account": "account_id", "user": "user_id", "feature": "feature_id"}
#: Columns of `accounts` that cannot be asked for as a dimension.
_NOT_DIMENSIONS = {"account_id", "properties", "is_test", "traits_at"}


class Inputs:
    """Tables for one query. `source` gives a roll-up or fact table by name."""

    def __init__(
        self, source: TableSource, query: Query, account_columns: Iterable[str]
    ):
        self._source = source
        self.query = query
        self._columns = [c for c in account_columns if c not in _NOT_DIMENSIONS]
        self._conditions = filters.parts(query.where) if query.where else []

    # Periods

    @cached_property
    def days(self) -> ir.Table:
        """One row per finished day: date, period_start."""
        rows = [
            (day, period.start)
            for period in self.query.periods
            for day in self.query.complete(period) or ()
        ]
        return _memtable(rows, ("date", "period_start"))

    @cached_property
    def ends(self) -> ir.Table:
        """One row per period: period_start, last (its last finished day), days.

        `low` and `high` are its first instant and the first one after it (UTC).
        """
        tz = self.query.settings.tz
        rows = [
            (
                period.start,
                done.end - DAY,
                done.days,
                day_start(done.start, tz),
                day_start(done.end, tz),
            )
            for period in self.query.periods
            if (done := self.query.complete(period))
        ]
        return _memtable(rows, ("period_start", "last", "days", "low", "high"))

    def trailing(self, days: int, *, skip: int = 0) -> ir.Table:
        """One row per day of each period's trailing window: date, period_start.

        The window ends with the period, or `skip` days before that.
        """
        rows = [
            (day - DAY * skip, period.start)
            for period in self.query.periods
            if (done := self.query.complete(period))
            for day in done.trailing(days)
        ]
        return _memtable(rows, ("date", "period_start"))

    def within_trailing(self, table: ir.Table, days: int) -> ir.Table:
        """Rows of a dated table that some period's trailing window can hold."""
        done = [d for p in self.query.periods if (d := self.query.complete(p))]
        if not done:
            return table.filter(ibis.literal(value=False))
        low = min(p.end for p in done) - DAY * days
        high = max(p.end for p in done)
        return table.filter((table.date >= low) & (table.date < high))

    def month_ends(self) -> ir.Table:
        """One row per period: period_start, due (last day of its last month)."""
        rows = [
            (
                period.start,
                # The month's end is still to come in the current month.
                min(month_end(done.end - DAY), self.query.today - DAY),
            )
            for period in self.query.periods
            if (done := self.query.complete(period))
        ]
        return _memtable(rows, ("period_start", "due"))

    def in_periods(self, table: ir.Table, days: ir.Table | None = None) -> ir.Table:
        """Rows of a dated table with the period they fall in."""
        calendar = self.days if days is None else days
        # Plain bounds let the engine skip files and row groups; a join cannot.
        longest = 366 if calendar is not self.days else 0
        spans = [d for p in self.query.periods if (d := self.query.complete(p))]
        if not spans:
            return table.filter(ibis.literal(value=False)).join(calendar, "date")
        low = min(span.start for span in spans) - DAY * longest
        high = max(span.end for span in spans)
        bounded = table.filter((table.date >= low) & (table.date < high))
        return bounded.join(calendar, "date")

    # Tables

    @cached_property
    def user_days(self) -> ir.Table:
        return self._scoped("user_days", users=True)

    @cached_property
    def feature_days(self) -> ir.Table:
        return self._scoped("feature_days", users=True)

    @cached_property
    def sessions(self) -> ir.Table:
        return self._scoped("sessions", users=True)

    @cached_property
    def mrr_ledger(self) -> ir.Table:
        return self._scoped("mrr_ledger")

    @cached_property
    def seat_ledger(self) -> ir.Table:
        return self._scoped("seat_ledger")

    @cached_property
    def assignments(self) -> ir.Table:
        return self._scoped("assignments", users=True)

    @cached_property
    def account_days(self) -> ir.Table:
        return self._scoped("account_days")

    @cached_property
    def users(self) -> ir.Table:
        return self._source("users")

    @cached_property
    def accounts(self) -> ir.Table:
        return self._source("accounts")

    @cached_property
    def features(self) -> ir.Table:
        return self._source("features")

    @cached_property
    def entitlements(self) -> ir.Table:
        return self._source("entitlements")

    @cached_property
    def fx_rates(self) -> ir.Table:
        return self._source("fx_rates")

    def facts(self, name: str, at: str) -> ir.Table:
        """Rows of a fact table with `date`, the local day of the instant in `at`.

        Scoped like every other table; rows without that instant are left out.
        """
        table = self._source(name).drop("properties")
        table = table.filter(table[at].notnull())
        table = table.mutate(date=self.local_date(table[at]))
        return self._narrowed(table, users="user_id" in table.columns)

    def _scoped(self, name: str, *, users: bool = False) -> ir.Table:
        return self._narrowed(self._source(name), users=users)

    def _narrowed(self, table: ir.Table, *, users: bool) -> ir.Table:
        if users:
            table = table.anti_join(self._hidden_users, "user_id")
        table = table.anti_join(self._hidden_accounts, "account_id")
        for dimension in self._attributes(table):
            table = self._with_attribute(table, dimension)
        for part in self._conditions:
            if self._is_about_other_rows(part, table):
                continue
            table = table.filter(filters.condition(part, self._column(table)))
        # Groups are joined later on, and null equals nothing: "" stands for it.
        groups = {
            name: table[IDS.get(name, name)].cast("string").fill_null(NOTHING)
            for name in self.query.by
            if IDS.get(name, name) in table.columns
        }
        return table.mutate(**groups)

    @cached_property
    def _hidden_users(self) -> ir.Table:
        users = self.users
        hidden = users.is_test.fill_null(False) | users.is_internal.fill_null(False)
        domains = self.query.settings.internal_domains
        if domains:
            domain = users.email.lower().re_extract(r"@(.+)$", 1)
            hidden = hidden | domain.isin([d.lower() for d in domains]).fill_null(False)
        return users.filter(hidden).select("user_id")

    @cached_property
    def _hidden_accounts(self) -> ir.Table:
        return self.accounts.filter(self.accounts.is_test.fill_null(False)).select(
            "account_id"
        )

    def onboarded(self) -> ir.Table:
        """One row per account: account_id, began, onboarded, paid (local dates or null).

        Without a date of its own, onboarding took the configured days from the
        creation of the account, or else from its first paid day (settled point 7).
        """
        ledger = self._source("mrr_ledger")
        paid = ledger.filter(ledger.mrr_e4 > 0)
        first = paid.group_by("account_id").agg(paid=paid.date_from.min())
        known = self.accounts.select(
            "account_id",
            completed=self.local_date(self.accounts.onboarding_completed_at),
            created=self.local_date(self.accounts.created_at),
        )
        rows = (
            self.account_ids()
            .left_join(known, "account_id", rname="{name}_k")
            .left_join(first, "account_id", rname="{name}_p")
        )
        began = rows.created.coalesce(rows.paid)
        wait = ibis.interval(days=self.query.settings.onboarding_days)
        return rows.select(
            "account_id",
            "paid",
            began=began,
            onboarded=rows.completed.coalesce((began + wait).cast("date")),
        )

    def account_ids(self) -> ir.Table:
        """Every account any table knows: account_id."""
        named = self.accounts.select("account_id")
        used = self._source("account_days").select("account_id")
        paying = self._source("mrr_ledger").select("account_id")
        every = named.union(used, paying, distinct=True)
        return every.filter(every.account_id.notnull()).anti_join(
            self._hidden_accounts, "account_id"
        )

    def local_date(self, instant: ir.TimestampColumn) -> ir.DateColumn:
        """The local day of an instant, by the zone's offsets (see core.windows)."""
        changes = offsets(self.query.settings.tz, _FIRST, self.query.now)
        recent = [c for c in changes if c.since > self.query.now - _ZONE_YEARS]
        before = changes[len(changes) - len(recent) - 1] if recent else changes[-1]
        shifted = [
            (
                instant >= ibis.literal(c.since),
                instant + ibis.interval(seconds=c.seconds),
            )
            for c in reversed(recent)
        ]
        base = instant + ibis.interval(seconds=before.seconds)
        return (ibis.cases(*shifted, else_=base) if shifted else base).cast("date")

    def filtered_features(self, table: ir.Table) -> ir.Table:
        """Rows of a table of features that meet the conditions on features."""
        for part in self._conditions:
            if filters.names(part) == ["feature"]:
                table = table.filter(filters.condition(part, self._column(table)))
        return table

    # Dimensions

    def _is_about_other_rows(self, part: filters.Condition, table: ir.Table) -> bool:
        """Speaks it of the metric's own rows only, and is this another table?"""
        asked = {IDS.get(name, name) for name in filters.names(part)}
        own = {IDS.get(name, name) for name in self.query.metric.own_dimensions}
        return asked <= own - {"account_id"} and not asked <= set(table.columns)

    def _attributes(self, table: ir.Table) -> list[str]:
        """Account attributes asked for that the table does not carry itself."""
        asked = [*self.query.by]
        for part in self._conditions:
            asked += filters.names(part)
        return [
            name
            for name in dict.fromkeys(asked)
            if name not in IDS
            and name not in table.columns
            and name not in self.query.metric.own_dimensions
        ]

    def _with_attribute(self, table: ir.Table, name: str) -> ir.Table:
        if name in self._columns:
            values = self.accounts.select("account_id", name)
        else:
            every = self._source("account_attributes")
            values = every.filter(every["name"] == name).select(
                "account_id", **{name: every["value"]}
            )
        joined = table.left_join(values, "account_id").drop("account_id_right")
        return self._as_it_was(joined, name) if self._is_text(name) else joined

    def _is_text(self, name: str) -> bool:
        """Is its past known? That of instants and flags of accounts is not."""
        return name not in self._columns or self.accounts[name].type().is_string()

    def _as_it_was(self, table: ir.Table, name: str) -> ir.Table:
        """A dated table or ledger with the attribute's value of each day (G6)."""
        runs = self._former(name)
        same = table.account_id == runs.former_id
        if "date_to" in table.columns:
            return self._cut(table, runs, same, name)
        if "date" not in table.columns:
            return table
        then = same & (table.date >= runs.since) & (table.date < runs.until)
        found = table.left_join(runs, then)
        value = ibis.cases((found.former_id.notnull(), found.former), else_=found[name])
        return found.mutate(**{name: value}).select(table.columns)

    def _former(self, name: str) -> ir.Table:
        """One row per account and run of days it was something else.

        Columns former_id, former, since, until: the days `[since, until)`.
        """
        every = self._source("former_attributes")
        rows = every.filter(every["name"] == name)
        window = ibis.window(group_by="account_id", order_by="date_to")
        since = rows.date_to.lag().over(window)
        return rows.select(
            former_id="account_id",
            former="value",
            since=since.fill_null(_FIRST.date()),
            until="date_to",
        )

    def _cut(
        self, ledger: ir.Table, runs: ir.Table, same: ir.BooleanValue, name: str
    ) -> ir.Table:
        """A ledger whose runs are cut where the attribute changed.

        Its present value holds from the last change on.
        """
        last = runs.group_by("former_id").agg(changed=runs.until.max())
        open_ = ledger.left_join(last, ledger.account_id == last.former_id)
        start = open_.date_from.fill_null(_FIRST.date())
        present = open_.filter(
            open_.changed.isnull()
            | open_.date_to.isnull()
            | (open_.date_to > open_.changed)
        ).mutate(
            date_from=ibis.cases(
                (open_.changed > start, open_.changed), else_=open_.date_from
            )
        )
        begins = ledger.date_from.fill_null(_FIRST.date())
        ends = ledger.date_to.fill_null(_LAST.date())
        both = ledger.join(runs, [same, begins < runs.until, ends > runs.since])
        before = both.mutate(
            date_from=ibis.greatest(both.date_from, both.since),
            date_to=ibis.least(both.date_to.fill_null(_LAST.date()), both.until),
            **{name: both.former},
        )
        columns = ledger.columns
        return present.select(columns).union(before.select(columns))

    def _column(self, table: ir.Table) -> Callable[[str], ir.Column]:
        def column(name: str) -> ir.Column:
            found = IDS.get(name, name)
            if found not in table.columns:
                raise UnknownName("attribute here", name, sorted(table.columns))
            return table[found]

        return column


def _memtable(rows: Sequence[tuple[object, ...]], names: tuple[str, ...]) -> ir.Table:
    types: dict[str, pl.DataType | type[pl.DataType]] = {
        "date": pl.Date,
        "period_start": pl.Date,
        "last": pl.Date,
        "days": pl.Int64,
        "due": pl.Date,
        "low": pl.Datetime("us", "UTC"),
        "high": pl.Datetime("us", "UTC"),
    }
    frame = pl.DataFrame(rows, schema={n: types[n] for n in names}, orient="row")
    return ibis.memtable(frame.to_arrow())
