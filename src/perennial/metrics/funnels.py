"""From one step to the next: A01 to A03 of the reference.

People are followed from their first step of a period for so many local days; a
period whose people still have time is provisional.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.metrics import steps
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, USER_DIMENSIONS, metric


@metric(
    title="Funnel",
    theme="product",
    unit="ratio",
    formula="people who took every step in order and in time / people who took the first",
    example="4 people take the first step, 3, 2 and 1 of them the next ones: 1 / 4 = 0.25",
    source="A02",
    reads=("events",),
    dimensions=(*USER_DIMENSIONS, "step"),
    window_days=90,
    variants=steps.VARIANTS,
    units={"median_days": "days"},
    goods={"median_days": "down"},
    params={
        "steps": "names of events in order, separated by commas; else the setting `funnel_steps`",
        "within_days": "days after the first step that count; else the setting `funnel_days`",
    },
    caveats="Without steps there is no data. Other events may come between two steps. Attributes are those of the first step. People who never signed in count by device.",
)
def funnel(t: Inputs, q: Query) -> ir.Table:
    """How many people get through a series of events in order: the number is of the
    last step. Split by `step`, every step has its own, with its people in `n`."""
    names = q.listed("steps") or list(q.settings.funnel_steps)
    within = q.count("within_days", q.settings.funnel_days)
    return steps.rows(q, _reached(t, q, names, within), names, within=within)


@metric(
    title="Conversion rate",
    theme="product",
    unit="ratio",
    formula="people with the goal within 30 days of the base / people with the base",
    example="of 8 visitors two buy within 30 days, one on day 31: 2 / 8 = 0.25",
    source="A01",
    reads=("events",),
    dimensions=USER_DIMENSIONS,
    window_days=90,
    variants={
        "cohort": "of those with the base event in the period, within 30 days",
        "period": "people with the goal in the period over people with the base in it; may exceed 1",
    },
    params={
        "base_event": "event of those who may convert; else the setting `conversion_base_event`",
        "goal_event": "event that is the conversion; else the setting `conversion_goal_event`",
        "within_days": "days a conversion may take; else the setting `conversion_days`",
    },
    caveats="Without both events there is no data. A person converts once. Attributes are those of the base event. People who never signed in count by device.",
)
def conversion_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the people who come this far that reach the goal."""
    base = q.params.get("base_event") or q.settings.conversion_base_event
    goal = q.params.get("goal_event") or q.settings.conversion_goal_event
    names = [base, goal] if base and goal else []
    if q.variant == "period":
        return _of_period(t, q, names)
    within = q.count("within_days", q.settings.conversion_days)
    return steps.rows(q, _reached(t, q, names, within), names, within=within)


def _of_period(t: Inputs, q: Query, names: Sequence[str]) -> ir.Table:
    events = t.dated(t.named_events(names or [NOTHING], *_span(q)))
    events = t.in_periods(t.split(events))
    base, goal = names or ("", "")
    people = events.group_by(q.keys).agg(
        numerator=events.person.nunique(where=events.event == goal),
        denominator=events.person.nunique(where=events.event == base),
    )
    return people.mutate(n=people.denominator)


def _span(q: Query) -> tuple[date | None, date]:
    """The days events are needed of: the first of a period up to the horizon."""
    return q.span.start if q.span else None, q.horizon


def _reached(t: Inputs, q: Query, names: Sequence[str], within: int) -> ir.Table:
    """One row per period, group, person and step taken: `rank`, `at`, `before`.

    The first step is the first in the period; each other is the first event of its
    name at or after the step before, at most `within` local days after the first.
    """
    events = t.named_events(names or [NOTHING], *_span(q))
    first = names[0] if names else NOTHING
    entry = t.in_periods(t.split(t.dated(events.filter(events.event == first))))
    who = [*steps.other_keys(q, "step"), "person"]
    marks = entry.group_by(who).agg(at=entry["at"].min(), entered=entry.date.min())
    marks = marks.mutate(
        rank=ibis.literal(1, "int64"), before=ibis.null(marks["at"].type())
    )
    taken = marks
    for rank, name in enumerate(names[1:], start=2):
        named = events.filter(events.event == name)
        # One event is not two steps.
        again = name in names[: rank - 1]
        found = _next(marks, named, after=again, lone=len(q.periods) == 1)
        last = (found.entered + ibis.interval(days=within)).cast("date")
        found = found.filter(t.local_date(found.reached) <= last)
        marks = found.select(
            *who,
            "entered",
            at="reached",
            before="at",
            rank=ibis.literal(rank, "int64"),
        )
        marks = marks.select(taken.columns)
        taken = taken.union(marks)
    return taken


def _next(marks: ir.Table, events: ir.Table, *, after: bool, lone: bool) -> ir.Table:
    """Marks with the instant of the person's first event at or after them: `reached`.

    Those without one are left out. `after`: not an event at the same instant. `lone`:
    nobody has many marks, so that each is paired with all that is later, which is
    three times faster than both in order of time. Of months or days that would pair
    everything with everything.
    """
    if not lone:
        return _next_in_line(marks, events.semi_join(marks, "person"), after=after)
    coming = events.select("person", reached="at")
    both = marks.join(coming, "person")
    later = both.reached > both["at"] if after else both.reached >= both["at"]
    both = both.filter(later)
    return both.group_by(marks.columns).agg(reached=both.reached.min())


def _next_in_line(marks: ir.Table, events: ir.Table, *, after: bool) -> ir.Table:
    """The same in one pass over marks and events."""
    place = ibis.literal(2 if after else 0, "int64")
    lines = marks.mutate(reached=ibis.null(events["at"].type()), place=place)
    given = {"reached": events["at"], "place": ibis.literal(1, "int64")}
    kept = ("person", "at", *given)
    blank = {n: ibis.null(kind) for n, kind in lines.schema().items() if n not in kept}
    coming = events.mutate(**given, **blank).select(lines.columns)
    ahead = ibis.window(
        group_by="person", order_by=["at", "place"], preceding=0, following=None
    )
    both = lines.union(coming)
    both = both.mutate(reached=both.reached.min().over(ahead))
    return both.filter((both.place != 1) & both.reached.notnull())


@metric(
    title="Lead funnel",
    theme="onboarding",
    unit="ratio",
    formula="leads that got to the last stage within 30 days / leads that came in",
    example="of 332 leads 12 are won within 30 days: 12 / 332 = 0.036",
    source="A02",
    reads=("leads", "lead_stages"),
    dimensions=(*ACCOUNT_DIMENSIONS, "source", "stage"),
    window_days=90,
    variants={
        **steps.VARIANTS,
        "win_rate": "won of all leads that were won or lost, however long it took",
    },
    units={"median_days": "days"},
    goods={"median_days": "down"},
    params={
        "stages": "stages in order, separated by commas; else the setting `lead_stages`",
        "within_days": "days after it came in that count; else the setting `funnel_days`",
    },
    caveats="A stage implies all before it. A period has the leads that came in in it; until 30 days after it, it is provisional.",
)
def lead_funnel(t: Inputs, q: Query) -> ir.Table:
    """How far leads get on their way to a sale: the number is of the last stage.
    Split by `stage`, every stage has its own, with its leads in `n`."""
    names = q.listed("stages") or list(q.settings.lead_stages)
    within = q.count("within_days", q.settings.funnel_days)
    leads = t.in_periods(t.split(_leads(t)))
    if q.variant == "win_rate":
        return _won(t, q, leads, names[-1])
    return steps.rows(
        q,
        _stages_reached(t, q, leads, names, within),
        names,
        within=within,
        dimension="stage",
    )


def _stage_rows(t: Inputs, q: Query) -> ir.Table:
    """Stages leads entered up to the horizon: lead_id, name (lower case), at, day."""
    rows = t.rows("lead_stages")
    rows = rows.select(
        "lead_id",
        name=rows.stage.lower(),
        at="entered_at",
        day=t.local_date(rows.entered_at),
    )
    return rows.filter(rows.day < q.horizon)


def _leads(t: Inputs) -> ir.Table:
    """One row a lead: lead_id, account_id, source, `at` and `date` it came in.

    That is when it was created, or entered its first stage if that was before.
    """
    stages = t.rows("lead_stages")
    first = stages.group_by("lead_id").agg(staged=stages.entered_at.min())
    leads = t.rows("leads").left_join(first, "lead_id", rname="{name}_s")
    came = ibis.least(
        leads.created_at.coalesce(leads.staged), leads.staged.coalesce(leads.created_at)
    )
    leads = leads.select("lead_id", "account_id", "source", at=came)
    leads = leads.filter(leads["at"].notnull())
    return leads.mutate(date=t.local_date(leads["at"]))


def _stages_reached(
    t: Inputs, q: Query, leads: ir.Table, names: Sequence[str], within: int
) -> ir.Table:
    """One row per lead and stage reached, those implied by a later one included."""
    keys = [*steps.other_keys(q, "stage"), "lead_id"]
    entered = leads.select(*keys, "at", entered="date")
    places = {name.lower(): rank for rank, name in enumerate(names, start=1)}
    ranks = ibis.memtable(
        pa.table({"name": list(places), "place": pa.array(places.values(), pa.int64())})
    )
    found = _stage_rows(t, q).join(ranks, "name")
    own = entered.join(found.rename(staged="at"), "lead_id")
    last = (own.entered + ibis.interval(days=within)).cast("date")
    own = own.filter((own.day <= last) & (own.place > 1))
    later = ibis.memtable(
        pa.table({"rank": pa.array(range(2, len(names) + 1), pa.int64())})
    )
    implied = own.join(later, later["rank"] <= own.place)
    reached = implied.group_by([*keys, "entered", "rank"]).agg(at=implied.staged.min())
    first = entered.select(*keys, "at", "entered", rank=ibis.literal(1, "int64"))
    every = first.union(reached.select(first.columns))
    order = ibis.window(group_by=keys, order_by="rank")
    return every.mutate(before=every["at"].lag().over(order))


def _won(t: Inputs, q: Query, leads: ir.Table, won: str) -> ir.Table:
    """Won leads over those won or lost; one row for all stages."""
    lost = [name.lower() for name in q.settings.lead_lost_stages]
    ends = _stage_rows(t, q)
    ends = ends.filter(ends.name.isin([won.lower(), *lost]))
    decided = ends.group_by("lead_id").agg(
        won=(ends.name == won.lower()).cast("int64").max()
    )
    found = leads.join(decided, "lead_id").mutate(stage=ibis.literal(won))
    return found.group_by(q.keys).agg(
        numerator=found.won.sum(), denominator=found.count(), n=found.count()
    )
