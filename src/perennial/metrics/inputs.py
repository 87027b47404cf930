"""The tables a metric sees: scoped, filtered, with the dimensions attached.

Test accounts, test users and one's own people are left out here, once for every
metric (G4); conditions and dimensions on account attributes are joined here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.errors import BadValue, UnknownName
from perennial.core.windows import DAY, day_start, month_end, offsets
from perennial.metrics import filters
from perennial.metrics.people import People, with_meaning
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
#: Membership of segments that people made, as a condition and as a dimension.
IN_SEGMENT = "in_segment"
#: Columns of `accounts` that cannot be asked for as a dimension.
_NOT_DIMENSIONS = {"account_id", "properties", "is_test", "traits_at"}


class Inputs:
    """Tables for one query. `source` gives a roll-up or fact table by name.

    `aliases` gives former user ids with the person each belongs to now; `lacks` says
    whether some row of a table may lack a column, `counts_all` whether what is kept of
    everybody is up to date, and no account is a test.
    """

    def __init__(
        self,
        source: TableSource,
        query: Query,
        account_columns: Iterable[str],
        aliases: Callable[[], Mapping[str, str]] = dict,
        lacks: Callable[[str, str], bool] = lambda _table, _column: True,
        counts_all: Callable[[], bool] = lambda: False,
    ):
        self._source = source
        self._aliases = aliases
        self._lacks = lacks
        self._counts_all = counts_all
        self.query = query
        self._columns = [c for c in account_columns if c not in _NOT_DIMENSIONS]
        self._conditions = filters.parts(query.where) if query.where else []

    def asking(self, query: Query) -> Inputs:
        """The same tables for another question."""
        return Inputs(
            self._source,
            query,
            self._columns,
            self._aliases,
            self._lacks,
            self._counts_all,
        )

    @cached_property
    def whole(self) -> Inputs:
        """The same question of the whole workspace: not split, without conditions."""
        return self.asking(replace(self.query, by=(), where=None))

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
        return self._scoped("user_days")

    @property
    def is_of_all(self) -> bool:
        """Is it asked of every account, and does every account count?"""
        return not (self.query.by or self.query.where) and self._counts_all()

    @cached_property
    def presence(self) -> ir.Table:
        """Days of people in whichever account: where the question `is_of_all`."""
        return self._scoped("presence")

    @cached_property
    def feature_days(self) -> ir.Table:
        return self._scoped("feature_days")

    @cached_property
    def sessions(self) -> ir.Table:
        return self._scoped("sessions")

    @cached_property
    def mrr_ledger(self) -> ir.Table:
        return self._scoped("mrr_ledger")

    @cached_property
    def seat_ledger(self) -> ir.Table:
        return self._scoped("seat_ledger")

    @cached_property
    def assignments(self) -> ir.Table:
        return self._scoped("assignments")

    @cached_property
    def account_days(self) -> ir.Table:
        return self._scoped("account_days")

    @cached_property
    def request_days(self) -> ir.Table:
        return self._scoped("request_days")

    @cached_property
    def users(self) -> ir.Table:
        return self._source("users")

    @cached_property
    def visible_users(self) -> ir.Table:
        """Users that are in numbers: no test users, none of one's own people."""
        return self.users.anti_join(self._hidden_users, "user_id")

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
    def costs(self) -> ir.Table:
        return self._source("costs")

    @cached_property
    def leads(self) -> ir.Table:
        return self._source("leads")

    @cached_property
    def fx_rates(self) -> ir.Table:
        return self._source("fx_rates")

    def facts(
        self,
        name: str,
        at: str,
        prepared: Callable[[ir.Table], ir.Table] | None = None,
    ) -> ir.Table:
        """Rows of a fact table with `date`, the local day of the instant or day in `at`.

        Scoped like every other table; rows without that instant are left out. What
        `prepared` makes of the stored rows, conditions and dimensions can speak of.
        """
        table = self._source(name).drop("properties")
        if prepared is not None:
            table = prepared(table)
        table = table.filter(table[at].notnull())
        is_day = table[at].type().is_date()
        table = table.mutate(date=table[at] if is_day else self.local_date(table[at]))
        return self.split(self._visible(table))

    def rows(self, name: str) -> ir.Table:
        """A fact table as it is, but for test rows: for what is put together first.

        `split` what comes of it.
        """
        return self._visible(self._source(name))

    def named_events(
        self, names: Sequence[str], start: date | None = None, end: date | None = None
    ) -> ir.Table:
        """Events of these names, one row an event: event, at, person, ids.

        `user_id` and `account_id` are resolved (G4), null where unknown; `person` is
        the user, or else the device nobody signed in on. `start` and `end` bound the
        local days read. Test rows are left out; conditions and dimensions are for
        `split`.
        """
        events = self._counted_events(start, end)
        found = self._visible(
            self._whose(events.filter(events.event.isin(list(names))))
        )
        return found.select(
            "event",
            "user_id",
            "account_id",
            at="timestamp",
            person=found.user_id.coalesce(found.anonymous_id),
        )

    def dated(self, events: ir.Table) -> ir.Table:
        """Events with the local `date` they were `at`: worth doing to few."""
        return events.mutate(date=self.local_date(events["at"]))

    def activity_events(self, start: date, end: date) -> ir.Table:
        """Activity of known users on the local days `[start, end)`, one row an event.

        Columns event_id, at, user_id, account_id, feature_id (null where it is no
        use of a feature). Reads every event of the days: for what needs their order.
        """
        events = self._whose(self._counted_events(start, end))
        meant = with_meaning(events, self._source("event_definitions"))
        found = self._visible(meant.filter(meant.user_id.notnull()))
        columns = ["event_id", "user_id", "account_id", "feature_id"]
        return found.select(*columns, at="timestamp")

    def late_feature_events(self, start: date, end: date) -> ir.Table:
        """Uses of features on the local days `[start, end)` that came in on a later
        day, one row an event: account_id, user_id, feature_id, date, received_on."""
        late = self._counted_events(start, end, "received_at")
        late = late.filter(late.received_at > late.timestamp)
        late = late.mutate(
            date=self.local_date(late.timestamp),
            received_on=self.local_date(late.received_at),
        )
        events = self._whose(late.filter(late.received_on > late.date))
        meant = with_meaning(events, self._source("event_definitions"))
        known = meant.filter(meant.account_id.notnull() & meant.feature_id.notnull())
        columns = ["account_id", "user_id", "feature_id", "date", "received_on"]
        return self._visible(known).select(columns)

    def counted_events(self, start: date, end: date) -> ir.Table:
        """Events in numbers on local days, with all they carry and whose they are.

        Test rows are in it: for roll-ups, which are scoped where they are read.
        """
        return self._whose(self._counted_events(start, end, "source_id", "properties"))

    def _counted_events(
        self, start: date | None, end: date | None, *also: str
    ) -> ir.Table:
        """Events in numbers between local days, with what tells whose they are."""
        tz = self.query.settings.tz
        events = self._source("events")
        if start is not None:
            events = events.filter(events.timestamp >= day_start(start, tz))
        if end is not None:
            events = events.filter(events.timestamp < day_start(end, tz))
        columns = ("event_id", "event", "timestamp", "user_id", "anonymous_id")
        return self._people.counted(events).select(*columns, "account_id", *also)

    def _whose(self, events: ir.Table) -> ir.Table:
        return self._people.attributed(
            events,
            lack_users=self._lacks("events", "user_id"),
            lack_accounts=self._lacks("events", "account_id"),
        )

    def everything(self, name: str) -> ir.Table:
        """A table as it is stored, for what belongs to rows that are scoped."""
        return self._source(name)

    def attributed(self, name: str, key: str, rows: ir.Table, at: str) -> ir.Table:
        """Rows of a fact table, known by `key`, with the present id of their user (G4).

        Where they lack an account, it is the only one the user had at the instant.
        """
        rows = self._people.renamed(rows)
        if not self._lacks(name, "account_id"):
            return rows
        return self._people.placed(rows, key, at)

    @cached_property
    def _people(self) -> People:
        return People(
            self._source("identities"),
            self._source("memberships"),
            self._aliases(),
            self.query.settings.late_days,
        )

    def _scoped(self, name: str) -> ir.Table:
        return self.split(self._visible(self._source(name)))

    def _visible(self, table: ir.Table) -> ir.Table:
        """Rows that are not of test accounts, test users or one's own people."""
        if "user_id" in table.columns:
            table = table.anti_join(self._hidden_users, "user_id")
        if "account_id" in table.columns:
            table = table.anti_join(self._hidden_accounts, "account_id")
        return table

    def split(self, table: ir.Table) -> ir.Table:
        """Rows that meet the conditions, with the dimensions asked for.

        The table has an `account_id`; with a `date`, attributes are those of it.
        What must not depend on conditions, as the first time of something, is found
        in `whole` and split afterwards.
        """
        for dimension in self._attributes(table):
            if "account_id" not in table.columns:
                raise BadValue(f"{self.query.metric.key} knows nothing of {dimension}")
            table = self._with_attribute(table, dimension)
        if IN_SEGMENT in self.query.by and IN_SEGMENT not in table.columns:
            table = self._by_segment(table)
        for part in self._conditions:
            if self._is_about_other_rows(part, table):
                continue
            if IN_SEGMENT in filters.names(part):
                table = self._in_segment(part, table)
                continue
            table = table.filter(filters.condition(part, self._column(table)))
        # Groups are joined later on, and null equals nothing: "" stands for it.
        groups = {
            name: table[IDS.get(name, name)].cast("string").fill_null(NOTHING)
            for name in self.query.by
            if IDS.get(name, name) in table.columns
        }
        return table.mutate(**groups) if groups else table

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
        first = self.first_paid()
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

    def first_paid(self) -> ir.Table:
        """One row per account that ever paid: account_id, paid (its first paid day).

        From its whole ledger, whatever the question's conditions are.
        """
        ledger = self._source("mrr_ledger")
        paid = ledger.filter(ledger.mrr_e4 > 0)
        return paid.group_by("account_id").agg(paid=paid.date_from.min())

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
        now = self.query.now
        known = offsets(
            self.query.settings.tz, _FIRST, datetime(now.year + 1, 1, 1, tzinfo=UTC)
        )
        changes = [c for c in known if c.since <= now]
        recent = [c for c in changes if c.since > now - _ZONE_YEARS]
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
        return self.meeting(table, "feature")

    def meeting(self, table: ir.Table, name: str) -> ir.Table:
        """Rows that meet the conditions on one dimension of the metric's own."""
        for part in self._conditions:
            if filters.names(part) == [name]:
                table = table.filter(filters.condition(part, self._column(table)))
        return table

    def asks(self, name: str) -> bool:
        """Is a dimension part of the question, as a group or in a condition?"""
        conditions = [filters.names(part) for part in self._conditions]
        return name in self.query.by or [name] in conditions

    # Dimensions

    def _in_segment(self, part: filters.Condition, table: ir.Table) -> ir.Table:
        """Rows of accounts that are in a segment now, whatever the rows' day is.

        A segment of today says nothing of who would have been in it before it was made.
        """
        keys, is_meant = filters.one_of(part, IN_SEGMENT)
        live = self._members(table)
        live = live.filter(live[IN_SEGMENT].isin(keys))
        if is_meant:
            return table.semi_join(live, "account_id")
        return table.anti_join(live, "account_id")

    def _by_segment(self, table: ir.Table) -> ir.Table:
        """Rows once for each segment their account is in now; those in none go."""
        return table.join(self._members(table), "account_id")

    def _members(self, table: ir.Table) -> ir.Table:
        """Who is in which segment: account_id, in_segment (its key)."""
        if "account_id" not in table.columns:
            raise BadValue(f"{self.query.metric.key} knows nothing of segments")
        members = self._source("segment_members")
        live = members.filter(members.ends_on.isnull())
        return live.select("account_id", **{IN_SEGMENT: live.segment})

    def with_memberships(self, table: ir.Table, columns: Mapping[str, str]) -> ir.Table:
        """A dated table of accounts with a column a segment, by key: was it in it when
        the day was over, that is, on the next one?"""
        every = self._source("segment_members")
        day = (table.date + ibis.interval(days=1)).cast("date")
        for key, column in columns.items():
            one = every.filter(every.segment == key)
            runs = one.select("starts_on", "ends_on", member=one.account_id)
            then = [
                table.account_id == runs.member,
                day >= runs.starts_on,
                runs.ends_on.isnull() | (day < runs.ends_on),
            ]
            found = table.left_join(runs, then)
            table = found.mutate(**{column: found.member.notnull()}).select(
                *table.columns, column
            )
        return table

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
            and name != IN_SEGMENT
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

    def with_attributes(self, table: ir.Table, names: Iterable[str]) -> ir.Table:
        """A dated table of accounts with these attributes, as they were on the date."""
        for name in names:
            table = self._with_attribute(table, name)
        return table

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
