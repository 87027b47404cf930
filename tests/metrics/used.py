"""Use of the product from plain events: activity, uses, sessions, seats.

Written a second time, without engine and roll-ups, for tests to compute from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise

from tests.metrics.plainly import DAY, Plain, Row, local

LATE = timedelta(days=35)
GAP, LONGEST = timedelta(minutes=30), timedelta(hours=24)
_DOORS = ("in", "out")
_WORDS = ("log", "logged", "sign", "signed")


def is_door(name: str) -> str | None:
    """ "in" or "out" for a name like Log In, user signed out, else None."""
    words = name.lower().replace("_", " ").replace("-", " ").split()
    if words[:1] == ["user"]:
        words = words[1:]
    text = "".join(words)
    for way in _DOORS:
        if text in {f"{word}{way}" for word in _WORDS}:
            return way
    return None


@dataclass(frozen=True)
class Event:
    at: datetime
    date: date
    event_id: str
    name: str
    user: str | None
    account: str | None
    person: str
    feature: str | None
    is_activity: bool


@dataclass(frozen=True)
class Session:
    account: str | None
    user: str
    events: tuple[Event, ...]

    @property
    def date(self) -> date:
        return self.events[0].date

    @property
    def length(self) -> timedelta:
        return self.events[-1].at - self.events[0].at


class Used(Plain):
    """The facts of a world, with what was used when, where and by whom."""

    @cached_property
    def _devices(self) -> dict[str, list[tuple[datetime, str]]]:
        found = defaultdict(list)
        for row in self.rows("identities"):
            if row["kind"] == "anonymous":
                found[row["previous_id"]].append((row["at"], row["user_id"]))
        return {device: sorted(links) for device, links in found.items()}

    def _whose(self, row: Row) -> str | None:
        if row["user_id"] is not None:
            return self.person(row["user_id"])
        links = self._devices.get(row["anonymous_id"], [])
        soon = [user for at, user in links if row["timestamp"] <= at]
        after = [at for at, _ in links if row["timestamp"] <= at]
        if soon and after[0] - row["timestamp"] <= LATE:
            return self.person(soon[0])
        before = [user for at, user in links if at < row["timestamp"]]
        if before:
            return self.person(before[-1])
        alias = self.person(row["anonymous_id"])
        return alias if alias != row["anonymous_id"] else None

    @cached_property
    def _meanings(self) -> dict[str, list[Row]]:
        found = defaultdict(list)
        for row in self.rows("event_definitions"):
            found[row["name"]].append(row)
        return {
            name: sorted(
                rows, key=lambda r: (r["valid_from"] is not None, r["valid_from"])
            )
            for name, rows in found.items()
        }

    def _meaning(self, row: Row) -> tuple[str | None, bool]:
        """The feature it is a use of, and whether it is activity."""
        name, at = row["event"], row["timestamp"]
        held = [
            d
            for d in self._meanings.get(name, ())
            if d["valid_from"] is None or d["valid_from"] <= at
        ]
        if not held:
            return (None if is_door(name) else name), True
        known = held[-1]
        active = known["counts_as_activity"]
        if active is None:
            active = known["kind"] != "system"
        is_feature = known["kind"] == "feature"
        return ((known["feature_id"] or name) if is_feature else None), active

    @cached_property
    def events(self) -> list[Event]:
        """Every event in numbers, oldest first."""
        found = []
        for row in self.rows("events"):
            received = row["received_at"]
            late = row["source_id"] and received and received - row["timestamp"] > LATE
            if row["excluded_as"] or late:
                continue
            user = self._whose(row)
            row = self.attributed({**row, "user_id": user}, "timestamp")
            if not self.visible([row]):
                continue
            feature, is_activity = self._meaning(row)
            found.append(
                Event(
                    row["timestamp"],
                    local(row["timestamp"]),
                    row["event_id"],
                    row["event"],
                    user,
                    row["account_id"],
                    user or row["anonymous_id"],
                    feature,
                    is_activity,
                )
            )
        return sorted(found, key=lambda e: (e.at, e.event_id))

    @cached_property
    def active(self) -> list[Row]:
        """One row per day, account and known user with activity."""
        days = {
            (e.date, e.account, e.user) for e in self.events if e.is_activity and e.user
        }
        return [
            {"date": d, "account_id": a, "user_id": u}
            for d, a, u in sorted(days, key=str)
        ]

    @cached_property
    def uses(self) -> list[Row]:
        """One row per use of a feature by a known user."""
        return [
            {
                "date": e.date,
                "account_id": e.account,
                "user_id": e.user,
                "feature": e.feature,
            }
            for e in self.events
            if e.feature and e.user
        ]

    @cached_property
    def sessions(self) -> list[Session]:
        chains = defaultdict(list)
        for event in self.events:
            if event.is_activity and event.user:
                chains[event.account, event.user].append(event)
        return [
            Session(account, user, tuple(part))
            for (account, user), events in chains.items()
            for chain in _broken(events)
            for part in _cut(chain)
        ]

    @cached_property
    def seats(self) -> list[tuple[str, str, date | None, date | None]]:
        """Who had a seat where: account, user, first day and first day no longer."""
        spans = set()
        for row in self.rows("memberships"):
            first, last = row["starts_at"], row["ends_at"]
            spans.add(
                (
                    row["account_id"],
                    self.person(row["user_id"]),
                    local(first) if first else None,
                    local(last) if last else None,
                )
            )
        members = {(account, user) for account, user, _, _ in spans}
        seen: dict[tuple[str, str], date] = {}
        for row in self.active:
            place = row["account_id"], row["user_id"]
            if row["account_id"] and place not in members:
                seen[place] = min(seen.get(place, row["date"]), row["date"])
        spans |= {(*place, day, None) for place, day in seen.items()}
        off = {
            r["user_id"]: local(r["deactivated_at"])
            for r in self.rows("users")
            if r["deactivated_at"]
        }
        found = []
        for account, user, first, last in spans:
            ends = min(filter(None, (last, off.get(user))), default=None)
            if first is None or ends is None or first < ends:
                found.append((account, user, first, ends))
        rows = [{"account_id": a, "user_id": u, "span": (f, e)} for a, u, f, e in found]
        return [(r["account_id"], r["user_id"], *r["span"]) for r in self.visible(rows)]

    def holders(self, first: date, last: date) -> set[tuple[str, str]]:
        """Accounts and users with a seat on any of the days `[first, last]`."""
        return {
            (account, user)
            for account, user, since, until in self.seats
            if (since is None or since <= last) and (until is None or until > first)
        }

    @cached_property
    def _contracts(self) -> list[tuple[str, int, date, date | None]]:
        """Seats by account and run of days; an open contract ends with the next."""
        contracts = defaultdict(list)
        for row in self.visible(self.rows("seat_contracts")):
            contracts[row["account_id"]].append(row)
        found = []
        for account, rows in contracts.items():
            rows.sort(key=lambda r: r["starts_at"])
            for row, after in pairwise([*rows, None]):
                ends = row["ends_at"] or (after and after["starts_at"])
                last = local(ends) if ends else None
                found.append(
                    (account, row["seats"] or 0, local(row["starts_at"]), last)
                )
        return found

    @lru_cache  # noqa: B019
    def bought(self, day: date) -> dict[str, int]:
        """Seats by account at the end of a day, where there are any."""
        found: dict[str, int] = defaultdict(int)
        for account, seats, first, until in self._contracts:
            if first <= day and (until is None or until > day):
                found[account] += seats
        return {account: seats for account, seats in found.items() if seats}

    @cached_property
    def paying(self) -> list[tuple[str, date, date | None]]:
        """Runs of days accounts paid, from the ledger: money is told elsewhere."""
        rows = self.world.workspace.lake.read("mrr_ledger").to_pylist()
        return [
            (r["account_id"], r["date_from"], r["date_to"])
            for r in rows
            if r["mrr_e4"] > 0
        ]

    @cached_property
    def first_paid(self) -> dict[str, date]:
        found: dict[str, date] = {}
        for account, first, _ in self.paying:
            found[account] = min(found.get(account, first), first)
        return found

    @cached_property
    def _paying_runs(self) -> dict[str, list[tuple[date, date | None]]]:
        found = defaultdict(list)
        for account, first, until in self.paying:
            found[account].append((first, until))
        return found

    def pays(self, account: str, day: date) -> bool:
        return any(
            first <= day and (until is None or until > day)
            for first, until in self._paying_runs.get(account, ())
        )

    def open_to(self, account: str, first: date, end: date) -> set[str]:
        """Features an account may use on a day of `[first, end)`."""
        released, free = self._released(end)
        return free | {
            feature
            for feature, starts, ends in self._grants.get(account, ())
            if feature in released
            and (starts is None or local(starts) < end)
            and (ends is None or _is_after(ends, first))
        }

    @lru_cache  # noqa: B019
    def _released(self, end: date) -> tuple[set[str], set[str]]:
        """Features there are before a day: all, and those open to everybody."""
        told = {r["feature_id"]: r["released_at"] for r in self.rows("features")}
        granted = {r["feature_id"] for r in self.rows("entitlements")}
        known = {*told, *granted, *(e.feature for e in self.events if e.feature)}
        out = {f for f in known if told.get(f) is None or local(told[f]) < end}
        return out, out - granted

    @cached_property
    def _grants(self) -> dict[str, list[tuple[str, datetime | None, datetime | None]]]:
        found = defaultdict(list)
        for r in self.rows("entitlements"):
            grant = r["feature_id"], r["starts_at"], r["ends_at"]
            found[r["account_id"]].append(grant)
        return found


def _is_after(instant: datetime, day: date) -> bool:
    """Is it later than the first instant of a local day?"""
    return local(instant - timedelta(microseconds=1)) >= day


def _broken(events: Iterable[Event]) -> list[list[Event]]:
    """Events of one user in one account, cut at gaps and after log-outs."""
    ordered = sorted(events, key=lambda e: (e.at, is_door(e.name) == "out"))
    chains = [[ordered[0]]]
    for before, event in pairwise(ordered):
        left = is_door(before.name) == "out" and event.at > before.at
        if event.at - before.at > GAP or left:
            chains.append([])
        chains[-1].append(event)
    return chains


def _cut(chain: list[Event]) -> list[list[Event]]:
    parts = [[chain[0]]]
    for event in chain[1:]:
        if event.at - parts[-1][0].at > LONGEST:
            parts.append([])
        parts[-1].append(event)
    return parts


def days(first: date, end: date) -> list[date]:
    return [first + DAY * n for n in range((end - first).days)]
