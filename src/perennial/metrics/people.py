"""Whose an event is, which account's, what it means: `lake.meaning` in Ibis.

Roll-ups know this of every event. Metrics that need single events, because they
ask for names or for an order, resolve the few they read themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.core.event_names import LOGIN, LOGOUT

_EVER = datetime(1900, 1, 1, tzinfo=UTC)
_OPEN = datetime(9999, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400


@dataclass(frozen=True)
class People:
    """What is known of ids and of who belongs to which account.

    `aliases` are former user ids with the person each belongs to, `late_days` is
    the setting.
    """

    identities: ir.Table
    memberships: ir.Table
    aliases: Mapping[str, str]
    late_days: int

    def counted(self, events: ir.Table) -> ir.Table:
        """Events that are in numbers: not excluded, nor by HTTP too late (G3)."""
        wait = ibis.interval(seconds=self.late_days * _DAY_S)
        in_time = (
            events.source_id.isnull()
            | events.received_at.isnull()
            | (events.received_at <= events.timestamp + wait)
        )
        return events.filter(events.excluded_as.isnull() & in_time)

    def attributed(
        self, events: ir.Table, *, lack_users: bool, lack_accounts: bool
    ) -> ir.Table:
        """Events with the resolved `user_id` and `account_id`, null where unknown (G4).

        What no event may lack costs nothing.
        """
        known = self._renamed(events, "user_id")
        if lack_users:
            known = self._with_user(known)
        return self._with_account(known) if lack_accounts else known

    def renamed(self, facts: ir.Table) -> ir.Table:
        """Facts with the present id of their user."""
        return self._renamed(facts, "user_id")

    def placed(self, facts: ir.Table, key: str, at: str) -> ir.Table:
        """Facts, known by `key`, with the only account their user had at an instant.

        An account that is given stays. For few facts: they are not counted by steps.
        """
        lone = facts.filter(facts.account_id.isnull() & facts.user_id.notnull())
        own = self._renamed(self.memberships, "user_id").select(
            member="user_id", single="account_id", starts="starts_at", ends="ends_at"
        )
        held = lone.join(
            own,
            [
                lone.user_id == own.member,
                own.starts.isnull() | (own.starts <= lone[at]),
                own.ends.isnull() | (own.ends > lone[at]),
            ],
        )
        found = held.group_by(held[key].name("placed")).agg(
            accounts=held.single.nunique(), single=held.single.min()
        )
        found = found.filter(found.accounts == 1)
        rows = facts.left_join(found, facts[key] == found.placed)
        account = rows.account_id.coalesce(rows.single)
        return rows.mutate(account_id=account).select(facts.columns)

    def _with_user(self, events: ir.Table) -> ir.Table:
        """The user given, or else who was on the device."""
        device = self._devices()
        named = events.mutate(
            device=ibis.cases((events.user_id.isnull(), events.anonymous_id))
        )
        found = named.left_join(
            device,
            [
                named.device == device.device_id,
                device.since <= named.timestamp,
                device.until > named.timestamp,
            ],
        )
        user = found.user_id.coalesce(found.owner)
        return found.mutate(user_id=user).select(events.columns)

    def _with_account(self, events: ir.Table) -> ir.Table:
        """The account given, or else the only one the user belonged to then."""
        columns = events.columns
        member = self._members()
        events = events.mutate(
            lone=ibis.cases((events.account_id.isnull(), events.user_id))
        )
        found = events.left_join(
            member,
            [
                events.lone == member.person,
                member.since <= events.timestamp,
                member.until > events.timestamp,
            ],
        )
        account = found.account_id.coalesce(found.single)
        return found.mutate(account_id=account).select(columns)

    def _renamed(self, table: ir.Table, column: str) -> ir.Table:
        """The table with former user ids replaced by the person's present one."""
        if not self.aliases:
            return table
        found = table.left_join(
            self._alias_rows, table[column] == self._alias_rows.former
        )
        name = found.present.coalesce(found[column])
        return found.mutate(**{column: name}).select(table.columns)

    @cached_property
    def _alias_rows(self) -> ir.Table:
        rows = pa.table(
            {
                "former": pa.array(list(self.aliases), pa.string()),
                "present": pa.array(list(self.aliases.values()), pa.string()),
            }
        )
        return ibis.memtable(rows)

    def _devices(self) -> ir.Table:
        """Who was on a device: device_id, since, until, owner; steps without overlap.

        An event at t is of the first link at or after t, if that is not more than
        `late_days` later, and else of the last link before t.
        """
        links = self.identities
        links = links.filter(links.kind == "anonymous").select(
            device_id="previous_id",
            given="user_id",
            linked=links["at"].fill_null(ibis.literal(_EPOCH)),
        )
        window = ibis.window(group_by="device_id", order_by=["linked", "given"])
        before = links.linked.lag().over(window) + ibis.interval(microseconds=1)
        early = links.linked - ibis.interval(seconds=self.late_days * _DAY_S)
        begun = links.select(
            "device_id",
            "given",
            since=ibis.greatest(early, before.fill_null(ibis.literal(_EVER))),
        )
        if self.aliases:
            # Some clients alias the anonymous id; then it is that user's for ever.
            every = self._alias_rows.select(
                device_id="former", given="present", since=ibis.literal(_EVER)
            )
            begun = begun.union(every)
        order = ibis.window(group_by="device_id", order_by=["since", "given"])
        until = begun.since.lead().over(order).fill_null(ibis.literal(_OPEN))
        steps = begun.mutate(until=until)
        steps = steps.filter(steps.since < steps.until)
        return self._renamed(steps, "given").rename(owner="given")

    def _members(self) -> ir.Table:
        """Whose single account it was: person, since, until, single.

        Times at which a person belonged to none or to several are left out.
        """
        own = self._held()
        begins = own.select("person", since="starts", n=ibis.literal(1, "int64"))
        stops = own.filter(own.ends < ibis.literal(_OPEN))
        stops = stops.select("person", since="ends", n=ibis.literal(-1, "int64"))
        edges = begins.union(stops)
        edges = edges.group_by(["person", "since"]).agg(n=edges.n.sum())
        until_now = ibis.cumulative_window(group_by="person", order_by="since")
        order = ibis.window(group_by="person", order_by="since")
        steps = edges.mutate(
            held=edges.n.sum().over(until_now),
            until=edges.since.lead().over(order).fill_null(ibis.literal(_OPEN)),
        )
        alone = steps.filter(steps.held == 1)
        found = alone.join(
            own,
            [
                alone.person == own.person,
                own.starts <= alone.since,
                own.ends > alone.since,
            ],
        )
        return found.select("person", "since", "until", single="account_id")

    def _held(self) -> ir.Table:
        """Memberships by person, an account once at a time: starts, ends."""
        rows = self._renamed(self.memberships, "user_id")
        held = rows.select(
            "account_id",
            person="user_id",
            starts=rows.starts_at.fill_null(ibis.literal(_EVER)),
            ends=rows.ends_at.fill_null(ibis.literal(_OPEN)),
        )
        held = held.filter(held.starts < held.ends)
        earlier = ibis.window(
            group_by=["person", "account_id"],
            order_by=["starts", "ends"],
            preceding=(None, 1),
        )
        before = held.ends.max().over(earlier).fill_null(ibis.literal(_EVER))
        met = held.mutate(before=before)
        return met.filter(met.ends > met.before).select(
            "person",
            "account_id",
            "ends",
            starts=ibis.greatest(met.starts, met.before),
        )


def with_meaning(events: ir.Table, definitions: ir.Table) -> ir.Table:
    """Events that are activity, with `feature_id`, null where they are no use of one.

    A name means what its newest definition by then says; without one it is a
    feature of its own, unless it is called like a log-in or log-out.
    """
    columns = events.columns
    rows = definitions.select(
        "kind",
        "counts_as_activity",
        "valid_to",
        "valid_from",
        defined="name",
        named_feature="feature_id",
        since=definitions.valid_from.fill_null(ibis.literal(_EVER)),
    )
    order = ibis.window(group_by="defined", order_by="since")
    forever = ibis.literal(_OPEN)
    rows = rows.mutate(
        until=ibis.least(
            rows.valid_to.fill_null(forever),
            rows.since.lead().over(order).fill_null(forever),
        )
    )
    found = events.left_join(
        rows,
        [
            events.event == rows.defined,
            rows.since <= events.timestamp,
            rows.until > events.timestamp,
        ],
    )
    name = found.event.lower()
    is_door = name.re_search(LOGIN) | name.re_search(LOGOUT)
    is_feature = (found.kind == "feature") | (found.kind.isnull() & ~is_door)
    is_system = (found.kind == "system").fill_null(False)
    is_activity = found.counts_as_activity.fill_null(~is_system)
    feature = ibis.cases((is_feature, found.named_feature.coalesce(found.event)))
    active = found.mutate(feature_id=feature).filter(is_activity)
    return active.filter(~active.event.startswith("$")).select(*columns, "feature_id")
