"""Rows by what is asked of them: conditions met, dimensions attached.

Attributes of accounts are those of the rows' own day (G6); segments and measures are
those of now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from functools import cached_property

import ibis
import ibis.expr.types as ir

from perennial.core.errors import BadValue, UnknownName
from perennial.metrics import filters
from perennial.metrics.measured import MEASURES, measured
from perennial.metrics.query import Query
from perennial.metrics.spans import Spans

TableSource = Callable[[str], ir.Table]

#: Where a run of days has no beginning, or no end.
_FIRST = date(1990, 1, 1)
_LAST = date(9999, 12, 31)

#: A missing value of a dimension while it is computed; no import lets "" in.
NOTHING = ""
#: Dimensions that are ids carried by the roll-ups themselves.
IDS = {"account": "account_id", "user": "user_id", "feature": "feature_id"}
#: Membership of segments that people made, as a condition and as a dimension.
IN_SEGMENT = "in_segment"
#: Columns of `accounts` that cannot be asked for as a dimension.
_NOT_DIMENSIONS = {"account_id", "properties", "is_test", "traits_at"}


class Dimensions(Spans):
    """Splits tables by the conditions and dimensions of one question.

    `source` gives a table by name; `account_columns` are the columns of `accounts`.
    """

    def __init__(
        self, source: TableSource, query: Query, account_columns: Iterable[str]
    ) -> None:
        super().__init__(query)
        self._source = source
        self._columns = [c for c in account_columns if c not in _NOT_DIMENSIONS]
        self._conditions = filters.parts(query.where) if query.where else []

    @cached_property
    def accounts(self) -> ir.Table:
        return self._source("accounts")

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
        elif self._is_measure(name):
            values = measured(self._source("account_measures"), name)
            return table.left_join(values, "account_id").drop("account_id_right")
        else:
            every = self._source("account_attributes")
            values = every.filter(every["name"] == name).select(
                "account_id", **{name: every["value"]}
            )
        joined = table.left_join(values, "account_id").drop("account_id_right")
        return self._as_it_was(joined, name) if self._is_text(name) else joined

    def _is_measure(self, name: str) -> bool:
        """Is it a measure of accounts, and no attribute? Raises where it is neither."""
        known = self._attribute_names()
        if known is None or name in known:
            return known is None and name in MEASURES
        if name not in MEASURES:
            raise UnknownName("attribute", name, [*known, *MEASURES])
        return True

    def _attribute_names(self) -> Collection[str] | None:
        """The attributes accounts have; None where nobody told."""
        return None

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
            since=since.fill_null(_FIRST),
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
        start = open_.date_from.fill_null(_FIRST)
        present = open_.filter(
            open_.changed.isnull()
            | open_.date_to.isnull()
            | (open_.date_to > open_.changed)
        ).mutate(
            date_from=ibis.cases(
                (open_.changed > start, open_.changed), else_=open_.date_from
            )
        )
        begins = ledger.date_from.fill_null(_FIRST)
        ends = ledger.date_to.fill_null(_LAST)
        both = ledger.join(runs, [same, begins < runs.until, ends > runs.since])
        before = both.mutate(
            date_from=ibis.greatest(both.date_from, both.since),
            date_to=ibis.least(both.date_to.fill_null(_LAST), both.until),
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
