"""The tables a metric sees: scoped, filtered, with the dimensions attached.

Who is `hidden` is left out here, once for every metric (G4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.settings import Settings
from perennial.core.windows import day_start
from perennial.metrics.dimensions import Dimensions, TableSource
from perennial.metrics.hidden import Hidden, hidden, shown
from perennial.metrics.people import People, with_meaning
from perennial.metrics.query import Query

_RATES = {"date": pl.Date, "base": pl.String, "rate": pl.Float64}


@dataclass(frozen=True)
class Known:
    """What is known of tables before they are asked, by whoever keeps them.

    - `aliases`: former user ids, with the person each belongs to now.
    - `rates`: the rates to a currency, ever: date, base, rate.
    - `hides`: the ids that are in no number; without it, tables are asked.
    - `lacks`: may some row of a table lack a column?
    - `counts_all`: is what is kept of everybody up to date?
    - `attributes`: names of the attributes accounts have; None: whatever is asked.
    """

    aliases: Callable[[], Mapping[str, str]] = dict
    rates: Callable[[str], pl.DataFrame] = lambda _currency: pl.DataFrame(schema=_RATES)
    hides: Callable[[Settings], Hidden] | None = None
    lacks: Callable[[str, str], bool] = lambda _table, _column: True
    counts_all: Callable[[], bool] = lambda: False
    attributes: Callable[[], Collection[str]] | None = None


class Inputs(Dimensions):
    """Tables for one query. `source` gives a roll-up or fact table by name."""

    def __init__(
        self,
        source: TableSource,
        query: Query,
        account_columns: Iterable[str],
        known: Known = Known(),
    ) -> None:
        super().__init__(source, query, account_columns)
        self._known = known

    def _attribute_names(self) -> Collection[str] | None:
        told = self._known.attributes
        return told() if told else None

    def asking(self, query: Query) -> Inputs:
        """The same tables for another question."""
        return Inputs(self._source, query, self._columns, self._known)

    @cached_property
    def whole(self) -> Inputs:
        """The same question of the whole workspace: not split, without conditions."""
        return self.asking(replace(self.query, by=(), where=None))

    @cached_property
    def user_days(self) -> ir.Table:
        return self._scoped("user_days")

    @property
    def is_of_all(self) -> bool:
        """Is it asked of every account, and does every account count?"""
        is_split = self.query.by or self.query.where
        counts_all = self._hidden.accounts is None and self._known.counts_all()
        return not is_split and counts_all

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
        return self._visible(self.users)

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
    def rates(self) -> pl.DataFrame:
        """Rates to the workspace's currency: date, base, rate."""
        return self._known.rates(self.query.settings.currency)

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

    def late_events(self, start: date, end: date) -> ir.Table:
        """Activity on the local days `[start, end)` that came in on a later day, one
        row an event: account_id, user_id, feature_id (null for what is no use of one),
        date, received_on."""
        late = self._counted_events(start, end, "received_at")
        late = late.filter(late.received_at > late.timestamp)
        late = late.mutate(
            date=self.local_date(late.timestamp),
            received_on=self.local_date(late.received_at),
        )
        events = self._whose(late.filter(late.received_on > late.date))
        meant = with_meaning(events, self._source("event_definitions"))
        known = meant.filter(meant.account_id.notnull())
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
            lack_users=self._known.lacks("events", "user_id"),
            lack_accounts=self._known.lacks("events", "account_id"),
        )

    def everything(self, name: str) -> ir.Table:
        """A table as it is stored, for what belongs to rows that are scoped."""
        return self._source(name)

    def attributed(self, name: str, key: str, rows: ir.Table, at: str) -> ir.Table:
        """Rows of a fact table, known by `key`, with the present id of their user (G4).

        Where they lack an account, it is the only one the user had at the instant.
        """
        rows = self._people.renamed(rows)
        if not self._known.lacks(name, "account_id"):
            return rows
        return self._people.placed(rows, key, at)

    @cached_property
    def _people(self) -> People:
        return People(
            self._source("identities"),
            self._source("memberships"),
            self._known.aliases(),
            self.query.settings.late_days,
        )

    def _scoped(self, name: str) -> ir.Table:
        return self.split(self._visible(self._source(name)))

    def _visible(self, table: ir.Table) -> ir.Table:
        return shown(table, self._hidden)

    @cached_property
    def _hidden(self) -> Hidden:
        if self.query.flag("include_test"):
            return Hidden(None, None)
        hides, settings = self._known.hides, self.query.settings
        return hides(settings) if hides else hidden(self._source, settings)

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
        return self._visible(every.filter(every.account_id.notnull()))
