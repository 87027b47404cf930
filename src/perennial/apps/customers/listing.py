"""The list of accounts: what its address asks for.

A filter is one frozen value, read from the query string and written back to it,
so that every view of the list can be shared and reloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
from django.http import QueryDict

from perennial.apps.customers.account import COLORS, FULL, RANK
from perennial.core.windows import day_start

STATES = ("paying", "trial", "free", "lead", "paused", "churned", "archived")
RENEWALS = ("30", "60", "90", "180", "none")
TOUCHES = ("30", "60", "90")
ANY = "all"
ME = "me"
NOBODY = "nobody"
NO_SCORE = "none"
PRIORITY = "priority"
#: Columns shown at once, at most.
MOST_COLUMNS = 40


@dataclass(frozen=True)
class Sort:
    """A column to sort by. `inverted`: shown as an age, stored as an instant."""

    value: Callable[[ir.Table], ir.Value]
    descends_first: bool = False
    inverted: bool = False


SORTS: Mapping[str, Sort] = {
    "name": Sort(lambda m: m.name.lower()),
    "health": Sort(lambda m: m.health_score),
    "change": Sort(lambda m: m.health_score - m.health_score_28d),
    "mrr": Sort(lambda m: m.mrr_e4, descends_first=True),
    "renewal": Sort(lambda m: m.renewal_on),
    "owner": Sort(lambda m: m.owner_email),
    "stage": Sort(lambda m: m.lifecycle_stage),
    "segment": Sort(lambda m: m.segment),
    "touch": Sort(lambda m: m.last_touch_at, descends_first=True, inverted=True),
    "seen": Sort(lambda m: m.last_seen_at, descends_first=True, inverted=True),
    "active": Sort(lambda m: m.active_users, descends_first=True),
    "use": Sort(lambda m: license_use(m), descends_first=True),
    "nps": Sort(lambda m: m.nps_score),
    "tickets": Sort(lambda m: m.open_tickets, descends_first=True),
}


@dataclass(frozen=True)
class Filter:
    """What is asked for. `owner` is an address, `me` or `nobody`.

    `columns` are those shown, of none the usual ones; `view` is the saved view that
    this began as.
    """

    q: str = ""
    health: tuple[str, ...] = ()
    state: str = "paying"
    segment: str = ""
    owner: str = ""
    renewal: str = ""
    touched: str = ""
    is_full: bool = False
    member: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()
    view: str = ""

    @property
    def column(self) -> str:
        """The column sorted by; empty for priority."""
        return self.sort.removeprefix("-")

    @property
    def descends(self) -> bool:
        return self.sort.startswith("-")

    @property
    def is_narrowed(self) -> bool:
        return self.narrowing != Filter()

    @property
    def narrowing(self) -> Filter:
        """What decides which accounts there are, without how they are shown."""
        return replace(self, sort="", columns=(), view="")

    def url(self, **changes: object) -> str:
        """The query string of this filter with some of it changed."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        return f"?{urlencode(changed.pairs)}"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parts of the query string; what is as it is by default is left out."""
        plain = [(name, str(getattr(self, name))) for name in _PLAIN]
        found = [(name, value) for name, value in plain if value != _PLAIN[name]]
        found += [("health", color) for color in self.health]
        found += [("in", self.member)] if self.member else []
        found += [("cols", ",".join(self.columns))] if self.columns else []
        found += [("view", self.view)] if self.view else []
        return [*found, ("use", "full")] if self.is_full else found

    def sorted_by(self, column: str) -> str:
        """The link of a column head: one direction, the other one, priority."""
        first, second = column, f"-{column}"
        if SORTS[column].descends_first:
            first, second = second, first
        return self.url(
            sort={"": first, first: second, second: ""}.get(self.sort, first)
        )

    def toggled(self, color: str) -> str:
        """The link that adds a color to the filter, or takes it away."""
        chosen = set(self.health) ^ {color}
        return self.url(health=tuple(c for c in (*COLORS, NO_SCORE) if c in chosen))


_PLAIN = {
    "q": "",
    "state": "paying",
    "segment": "",
    "owner": "",
    "renewal": "",
    "touched": "",
    "sort": "",
}


def parse(query: QueryDict) -> Filter:
    """The filter of a query string; what it does not know is left out."""
    colors = query.getlist("health")
    sort = query.get("sort", "")
    return Filter(
        q=query.get("q", "").strip()[:100],
        health=tuple(c for c in (*COLORS, NO_SCORE) if c in colors),
        state=_one_of(query.get("state", ""), (*STATES, ANY), "paying"),
        segment=query.get("segment", ""),
        owner=query.get("owner", ""),
        renewal=_one_of(query.get("renewal", ""), RENEWALS, ""),
        touched=_one_of(query.get("touched", ""), TOUCHES, ""),
        is_full=query.get("use") == "full",
        member=query.get("in", ""),
        columns=_columns(query),
        view=query.get("view", "") if query.get("view", "").isdecimal() else "",
        sort=sort if sort.removeprefix("-") in SORTS else "",
    )


def _columns(query: QueryDict) -> tuple[str, ...]:
    """Columns by name: as an address says them, or as a form ticks them."""
    said = [*query.get("cols", "").split(","), *query.getlist("col")]
    return tuple(dict.fromkeys(name for name in said if name))[:MOST_COLUMNS]


def _one_of(value: str, known: tuple[str, ...], default: str) -> str:
    return value if value in known else default


# --- as expressions over account_measures ------------------------------------


@dataclass(frozen=True)
class Reader:
    """Who asks, and of which day: what relative conditions are relative to."""

    email: str
    as_of: date
    zone: ZoneInfo


def filtered(
    measures: ir.Table, asked: Filter, reader: Reader, members: ir.Table
) -> ir.Table:
    """The rows a filter asks for; `members` are those of all segments."""
    conditions = [c for build in _CONDITIONS for c in build(measures, asked, reader)]
    found = measures.filter(conditions) if conditions else measures
    if not asked.member:
        return found
    live = members.filter((members.segment == asked.member) & members.ends_on.isnull())
    return found.semi_join(live, "account_id")


def ordered(measures: ir.Table, asked: Filter) -> ir.Table:
    """The rows in the order asked for, then by MRR; missing values last, both ways."""
    if not asked.column:
        return measures.order_by(priority(measures))
    sort = SORTS[asked.column]
    turn = ibis.desc if asked.descends is not sort.inverted else ibis.asc
    keys = [turn(sort.value(measures), nulls_first=False)]
    if asked.column != "mrr":
        keys.append(ibis.desc(measures.mrr_e4, nulls_first=False))
    return measures.order_by([*keys, measures.account_id.asc()])


def priority(measures: ir.Table) -> list[ir.Value]:
    """Color (worst first), then MRR, then the renewal that comes first."""
    rank = ibis.cases(
        *((measures.health_color == color, n) for color, n in RANK.items()),
        else_=len(RANK),
    )
    return [
        rank.asc(),
        ibis.desc(measures.mrr_e4, nulls_first=False),
        ibis.asc(measures.renewal_on, nulls_first=False),
        measures.account_id.asc(),
    ]


def license_use(measures: ir.Table) -> ir.FloatingValue:
    return measures.active_users.cast("float64") / measures.seats.nullif(0)


def renews_within(measures: ir.Table, as_of: date, days: int) -> ir.BooleanValue:
    return measures.renewal_on <= as_of + timedelta(days=days)


def untouched(measures: ir.Table, reader: Reader, days: int) -> ir.BooleanValue:
    since = day_start(reader.as_of - timedelta(days=days), reader.zone)
    touched = measures.last_touch_at
    return touched.isnull() | (touched < ibis.literal(since))


def owned_by(measures: ir.Table, email: str) -> ir.BooleanValue:
    return measures.owner_email.lower() == email.lower()


Conditions = list[ir.BooleanValue]


def _by_name(m: ir.Table, f: Filter, _: Reader) -> Conditions:
    if not f.q:
        return []
    said = f.q.lower()
    return [m.name.lower().contains(said) | (m.account_id.lower() == said)]


def _by_state(m: ir.Table, f: Filter, _: Reader) -> Conditions:
    found = [] if f.state == ANY else [m.state == f.state]
    return [*found, m.segment == f.segment] if f.segment else found


def _by_health(m: ir.Table, f: Filter, _: Reader) -> Conditions:
    if not f.health:
        return []
    colors = [c for c in f.health if c != NO_SCORE]
    found = m.health_color.isin(colors) if colors else ibis.literal(value=False)
    return [found | m.health_color.isnull() if NO_SCORE in f.health else found]


def _by_owner(m: ir.Table, f: Filter, reader: Reader) -> Conditions:
    if not f.owner:
        return []
    if f.owner == NOBODY:
        return [m.owner_email.isnull()]
    return [owned_by(m, reader.email if f.owner == ME else f.owner)]


def _by_dates(m: ir.Table, f: Filter, reader: Reader) -> Conditions:
    found: Conditions = []
    if f.renewal == "none":
        found.append(m.renewal_on.isnull())
    elif f.renewal:
        found.append(renews_within(m, reader.as_of, int(f.renewal)))
    if f.touched:
        found.append(untouched(m, reader, int(f.touched)))
    if f.is_full:
        found.append(license_use(m) >= FULL)
    return found


_CONDITIONS = (_by_name, _by_state, _by_health, _by_owner, _by_dates)
