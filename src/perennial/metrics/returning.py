"""Whether people come back: K01 of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.errors import BadValue
from perennial.core.windows import Grain, Period, floor, following, periods
from perennial.metrics.activity import active_user_days
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric

#: What the variant `bracket` tells where no days are named.
_BRACKETS = "1-7,8-14,15-28"
#: Units whose presence is kept in one whole number.
_BITS = 60
_MOST_DAYS = 36_525


class Span(NamedTuple):
    """Days `first` to `last` since somebody began, as they are shown and ordered."""

    label: str
    first: int
    last: int


def _concluded(query: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """One row per period, group, cohort and whole unit of time since: column `k`.

    `raw` has one row per cohort: the number of its own `unit`, its `size`, and in
    `in_0`, `in_1`, … how many of it were there in each unit.
    """
    if "day" in raw.columns:
        return raw
    keys = [*query.keys, "cohort"]
    rows = []
    for row in raw.sort(keys).iter_rows(named=True):
        last = _complete(query, row["cohort"])
        rows += [
            {
                **{key: row[key] for key in keys},
                "k": k,
                "numerator": row[f"in_{row['unit'] + k}"] if k else row["size"],
                "denominator": row["size"],
                "n": row["size"],
                "provisional": int(query.variant == "unbounded" and k == last),
            }
            for k in range(last + 1)
        ]
    whole = pl.Int64()
    schema = {key: raw.schema[key] for key in keys}
    own = ("k", "numerator", "denominator", "n", "provisional")
    return pl.DataFrame(rows, schema={**schema, **dict.fromkeys(own, whole)})


def _unit(q: Query) -> Grain:
    """What cohorts and `k` are counted in: the grain, or weeks."""
    return Grain.WEEK if q.grain is Grain.TOTAL else q.grain


def _complete(q: Query, cohort: date) -> int:
    """The last `k` of a cohort that is over by the horizon; −1 if none is."""
    k, end = -1, following(cohort, _unit(q))
    while end <= q.horizon:
        k, end = k + 1, following(end, _unit(q))
    return k


@metric(
    title="User retention",
    theme="retention",
    unit="ratio",
    formula="users of the cohort who came back in unit k (on day N) / users of the cohort for whom it is over",
    example="of 4 users who began in a week 3 are back in the next one: 3 / 4 = 0.75",
    source="K01",
    reads=("user_days",),
    dimensions=USER_DIMENSIONS,
    makes=("cohort", "k"),
    fills=False,
    window_days=90,
    conclude=_concluded,
    variants={
        "n_day": "there in exactly that unit, or on that day",
        "unbounded": "there then or later",
        "bracket": "there on any day of the bracket",
    },
    params={
        "days": "days since the first, as 0,1,7 (column `day` instead of `k`); for the variant bracket from-to, as 1-7,8-14",
        "start_event": "event that begins it; any activity without it",
        "return_event": "event that is a return; any activity without it",
        "feature": "feature whose uses are both",
    },
    caveats="A cohort has the people whose first activity ever was in it, and is followed up to now by whole units: days, weeks (also for a total), months, quarters or years. Day and unit 0 are 1 by definition. Attributes are those of the first day.",
)
def user_retention(t: Inputs, q: Query) -> ir.Table:
    """Share of the people who began together that come back, by the time since
    (columns `cohort` and `k`)."""
    spans = _spans(q)
    if spans:
        return _by_days(t, q, spans)
    return _by_units(t, q)


def _spans(q: Query) -> list[Span]:
    """The days asked for; raises `BadValue`."""
    named = q.listed("days")
    is_bracket = q.variant == "bracket"
    if is_bracket and not named:
        named = _BRACKETS.split(",")
    spans = []
    for text in named:
        first, dash, last = text.partition("-")
        try:
            span = Span(text, int(first), int(last) if dash else int(first))
        except ValueError:
            raise BadValue(f"days are numbers, not {text!r}") from None
        is_day = 0 <= span.first <= span.last <= _MOST_DAYS
        if not is_day or (dash and not is_bracket):
            raise BadValue(f"{text!r} is no day; brackets are for the variant bracket")
        spans.append(span)
    return spans


def _presence(t: Inputs, q: Query) -> tuple[ir.Table, ir.Table]:
    """Days of beginning and of coming back: the question's groups, person, date.

    Groups are those of the first day, so that a change of segment is no return.
    People of several accounts count in the groups of each with what they do there.
    """
    starts, returns = _activity(t, q)
    if not q.by and not q.where:
        return starts, returns
    first = starts.group_by(["account_id", "person"]).agg(date=starts.date.min())
    members = t.split(first.mutate(user_id=first.person))
    groups = members.select(*dict.fromkeys([*q.by, "person", "account_id"]))
    began = members.select(*q.by, "person", "date")
    there = returns.join(groups, ["account_id", "person"])
    return began, there.select(*q.by, "person", "date")


def _activity(t: Inputs, q: Query) -> tuple[ir.Table, ir.Table]:
    """Days of beginning and of coming back: account_id, person, date."""
    feature = q.params.get("feature")
    begin, back = q.params.get("start_event"), q.params.get("return_event")
    starts = _days(t, q, begin, feature)
    return starts, starts if begin == back else _days(t, q, back, feature)


def _days(t: Inputs, q: Query, event: str | None, feature: str | None) -> ir.Table:
    if event:
        found = t.dated(t.named_events([event], end=q.horizon))
    elif feature:
        uses = t.whole.feature_days
        found = uses.filter((uses.feature_id == feature) & (uses.uses > 0))
        found = found.mutate(person=found.user_id)
    else:
        found = active_user_days(t.whole)
        found = found.mutate(person=found.user_id)
    known = found.filter(found.person.notnull() & (found.date < q.horizon))
    return known.select(
        "person", "date", account_id=known.account_id.fill_null(NOTHING)
    )


def _by_units(t: Inputs, q: Query) -> ir.Table:
    """Rows for `_concluded`: one per period, group and cohort.

    A person's presence is one bit a unit, so that a single pass over the days tells
    all: to count people by cohort and unit they would have to be paired first.
    """
    units = _units(q)
    calendar = _calendar(q, units)
    starts, returns = _presence(t, q)
    who = [*q.by, "person"]
    masks = _masks(returns, calendar, who, blocks=-(-len(units) // _BITS))
    if starts is returns:
        people = masks.rename(date="first")
    else:
        first = starts.group_by(who).agg(date=starts.date.min())
        people = first.left_join(masks, who, rname="{name}_m")
    people = t.in_periods(people).join(calendar, "date")
    return people.group_by([*q.keys, "cohort", "unit"]).agg(
        size=people.count(),
        **{
            f"in_{unit}": _was_there(q, people, unit).cast("int64").sum().fill_null(0)
            for unit in range(len(units))
        },
    )


def _masks(
    present: ir.Table, calendar: ir.Table, who: list[str], *, blocks: int
) -> ir.Table:
    """One row per group and person: the `first` day, and the bits of units they were in.

    Bits are in mask_0, mask_1, …; days before the first unit have none.
    """
    there = present.left_join(calendar, "date", rname="{name}_c")
    masks = {
        f"mask_{block}": there.bit.bit_or(where=there.block == block)
        for block in range(blocks)
    }
    return there.group_by(who).agg(first=there.date.min(), **masks)


def _was_there(q: Query, people: ir.Table, unit: int) -> ir.BooleanValue:
    """Was the person there in a unit? In the variant `unbounded`: or later?"""
    block, place = divmod(unit, _BITS)
    bits = 1 << place
    if q.variant != "unbounded":
        return (people[f"mask_{block}"] & bits) != 0
    late = (1 << _BITS) - bits
    found = ((people[f"mask_{block}"] & late) != 0).fill_null(False)
    for column in people.columns:
        if column.startswith("mask_") and int(column[5:]) > block:
            found = found | (people[column] != 0).fill_null(False)
    return found


def _units(q: Query) -> list[Period]:
    """The units from the first period to the horizon."""
    first = min(period.start for period in q.periods)
    if first >= q.horizon:
        return []
    return list(periods(first, q.horizon, _unit(q), q.settings.calendar))


def _calendar(q: Query, units: Sequence[Period]) -> ir.Table:
    """One row a day: date, its `cohort`, `unit` number, and the unit's `block` and `bit`."""
    rows = [
        (day, floor(unit.start, _unit(q), q.settings.calendar), number)
        for number, unit in enumerate(units)
        for day in unit
    ]
    schema = {"date": pl.Date, "cohort": pl.Date, "unit": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        block=pl.col("unit") // _BITS,
        bit=pl.lit(2, pl.Int64).pow(pl.col("unit") % _BITS).cast(pl.Int64),
    )
    return ibis.memtable(frame.to_arrow())


def _by_days(t: Inputs, q: Query, spans: Sequence[Span]) -> ir.Table:
    """The metric's rows: one per period, group and span of days, column `day`."""
    starts, returns = _presence(t, q)
    who = [*q.by, "person"]
    started = t.in_periods(starts.group_by(who).agg(date=starts.date.min()))
    asked = _span_table(spans, as_text=q.variant == "bracket")
    horizon = ibis.literal(q.horizon)
    aged = started.mutate(age=_days_between(started.date, horizon))
    people = aged.cross_join(asked)
    people = people.filter(people.age > people["last"])
    if q.variant == "unbounded":
        # Whoever was there for the last time on a day was there then or later.
        returns = returns.group_by(who).agg(date=returns.date.max())
    both = started.join(returns.rename(there="date"), who)
    both = both.mutate(offset=_days_between(both.date, both.there))
    far = ibis.literal(2**30) if q.variant == "unbounded" else asked["last"]
    hits = both.join(asked, [both.offset >= asked["first"], both.offset <= far])
    hits = hits.select(*q.keys, "person", "rank", hit=1).distinct()
    found = people.left_join(hits, [*q.keys, "person", "rank"], rname="{name}_h")
    came = found.hit.notnull() | (found["first"] == 0)
    rows = found.group_by([*q.keys, "day", "rank"]).agg(
        numerator=came.cast("int64").sum(), denominator=found.count(), n=found.count()
    )
    return rows.mutate(cohort=rows.period_start)


def _days_between(first: ir.DateValue, second: ir.DateValue) -> ir.IntegerValue:
    return second.delta(first, unit="day").cast("int64")


def _span_table(spans: Sequence[Span], *, as_text: bool) -> ir.Table:
    """One row a span: day (a number, or a bracket's text), first, last, rank."""
    frame = pl.DataFrame(
        {
            "day": [span.label if as_text else span.first for span in spans],
            "first": [span.first for span in spans],
            "last": [span.last for span in spans],
            "rank": range(len(spans)),
        }
    )
    return ibis.memtable(frame.to_arrow())
