"""The way to the first value: A04 and A05 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.core.windows import DAY
from perennial.metrics import waits
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, USER_DIMENSIONS, metric


@metric(
    title="Onboarding funnel",
    theme="onboarding",
    unit="ratio",
    formula="people who completed every step in order / people who completed the first",
    example="200, 150, 120 and 60 complete the four steps: 60 / 200 = 0.3",
    source="A04",
    reads=("onboarding_steps",),
    dimensions=(*USER_DIMENSIONS, "flow", "step"),
    window_days=90,
    variants={
        "completion": "those who got so far, of all who began",
        "drop": "those who did not go on to the next step, of those who got so far; of all steps, those who did not complete",
        "stalled": "those who stopped here and took no step for 7 days, of all who began",
    },
    goods={"drop": "down", "stalled": "down"},
    params={"unit": "accounts: an account has a step when one of its people has"},
    caveats="A period has those who completed the first step in it, however long the others take. A step without a position is optional where others have one. Several flows are added up.",
)
def onboarding_funnel(t: Inputs, q: Query) -> ir.Table:
    """How far people get in their onboarding: the number is of those who complete
    it. Split by `step`, every step has its own, with its people in `n`."""
    done = _steps(t, q)
    chain = _chain(done)
    began = _began(t, q, done, chain)
    people = began.join(_progress(q, done, chain), [*_ids(q), "flow_name"])
    keys = [*(key for key in q.keys if key != "step"), "flow_name"]
    began_in = people.group_by(keys).agg(entered=people.count())
    every = began_in.join(chain, "flow_name")
    for part in (_taken(people, chain, keys), _stopped(people, q, keys)):
        every = every.left_join(part, [*keys, "place"], rname="{name}_r")
        every = every.drop(*(c for c in every.columns if c.endswith("_r")))
    every = every.mutate(
        taken=every.taken.fill_null(0), stalled=every.stalled.fill_null(0)
    )
    order = ibis.window(group_by=keys, order_by="place")
    every = every.mutate(onward=every.taken.lead().over(order))
    # Of steps that nobody ever took, only how many there are is known.
    ends = every.onward.isnull()
    every = every.mutate(
        is_last=ends.cast("int64"),
        is_end=(ends & (every.place == every.steps)).cast("int64"),
        onward=ibis.ifelse(ends & (every.place < every.steps), 0, every.onward),
    )
    return _shown(q, every)


def _shown(q: Query, every: ir.Table) -> ir.Table:
    """The variant's rows, of steps with `entered`, `taken`, `onward`, `stalled`."""
    if "step" not in q.by:
        sums = every.group_by(q.keys).agg(
            done=(every.taken * every.is_end).sum(),
            entered=(every.entered * every.is_last).sum(),
            stalled=every.stalled.sum(),
        )
        numerator = {
            "completion": sums.done,
            "drop": sums.entered - sums.done,
            "stalled": sums.stalled,
        }[q.variant]
        return sums.select(
            *q.keys, numerator=numerator, denominator=sums.entered, n=sums.entered
        )
    numerator, denominator = {
        "completion": (every.taken, every.entered),
        "drop": (
            every.taken - every.onward,
            ibis.cases((every.onward.notnull(), every.taken)),
        ),
        "stalled": (every.stalled, every.entered),
    }[q.variant]
    rows = every.mutate(numerator=numerator, denominator=denominator)
    # Steps of one name in several flows are one; the first of their places is its.
    first = rows.group_by("step").agg(rank=rows.place.min())
    sums = rows.group_by(q.keys).agg(
        numerator=rows.numerator.sum(),
        denominator=rows.denominator.sum(),
        n=rows.taken.sum(),
    )
    return sums.join(first, "step")


def _ids(q: Query) -> list[str]:
    """What tells people apart: in several accounts they count in each, if asked."""
    return ["account", "person"] if "account" in q.by else ["person"]


def _steps(t: Inputs, q: Query) -> ir.Table:
    """One row per account, person, flow and step taken: at (the first time), date."""
    rows = t.rows("onboarding_steps")
    of_accounts = q.params.get("unit") == "accounts"
    person = rows.account_id if of_accounts else rows.user_id.coalesce(rows.account_id)
    rows = rows.mutate(person=person, date=t.local_date(rows.completed_at))
    # Steps of another version are another flow; what other tools say goes with it.
    mine = ibis.window(group_by=["flow", "person"])
    version = rows.version.max().over(mine).cast("string")
    rows = rows.mutate(
        flow_name=rows.flow + (ibis.literal("/") + version).fill_null("")
    )
    rows = rows.filter(rows.person.notnull() & (rows.date < q.horizon))
    return rows.group_by(["account_id", "person", "flow", "flow_name", "step"]).agg(
        at=rows.completed_at.min(),
        date=rows.date.min(),
        position=rows.position.min(),
        steps=rows.steps.max(),
    )


def _chain(done: ir.Table) -> ir.Table:
    """One row per flow and step: flow_name, step, `place` from 1, `steps` of the flow."""
    known = done.group_by(["flow_name", "step"]).agg(
        position=done.position.min(), first=done["at"].min(), steps=done.steps.max()
    )
    flow = ibis.window(group_by="flow_name")
    known = known.mutate(
        placed=known.position.count().over(flow), steps=known.steps.max().over(flow)
    )
    known = known.filter(known.position.notnull() | (known.placed == 0))
    known = known.mutate(
        steps=ibis.greatest(known.steps.fill_null(0), known.count().over(flow))
    )
    order = ibis.window(
        group_by="flow_name",
        order_by=[known.position.fill_null(0), "first", "step"],
    )
    return known.select(
        "flow_name",
        "step",
        "steps",
        place=ibis.row_number().over(order).cast("int64") + 1,
    )


def _began(t: Inputs, q: Query, done: ir.Table, chain: ir.Table) -> ir.Table:
    """One row per period, group, person and flow whose first step was in it."""
    first = chain.filter(chain.place == 1)
    entries = done.semi_join(first, ["flow_name", "step"])
    entries = entries.select(
        "account_id", "person", "date", "flow", "flow_name", user="person"
    )
    entries = t.split(entries)
    keys = [*(key for key in q.by if key != "step"), *_ids(q), "flow_name"]
    keys = list(dict.fromkeys(keys))
    return t.in_periods(entries.group_by(keys).agg(date=entries.date.min()))


def _progress(q: Query, done: ir.Table, chain: ir.Table) -> ir.Table:
    """One row per person and flow: the last step `reached` in order, `latest` day.

    Steps taken out of order, or before the one before, are not reached.
    """
    rows = done.mutate(account=done.account_id.fill_null(NOTHING))
    who = [*_ids(q), "flow_name"]
    latest = rows.group_by(who).agg(latest=rows.date.max())
    rows = rows.group_by([*who, "step"]).agg(at=rows["at"].min())
    rows = rows.join(chain.drop("steps"), ["flow_name", "step"])
    order = ibis.window(group_by=who, order_by="place")
    before = rows["at"].lag().over(order)
    rows = rows.mutate(
        fits=(
            (rows.place == ibis.row_number().over(order) + 1)
            & (before.isnull() | (rows["at"] >= before))
        ).cast("int64")
    )
    so_far = ibis.cumulative_window(group_by=who, order_by="place")
    rows = rows.mutate(fits=rows.fits.min().over(so_far))
    reached = rows.group_by(who).agg(reached=rows.fits.sum())
    steps = chain.group_by("flow_name").agg(steps=chain.steps.max())
    return reached.join(latest, who).join(steps, "flow_name")


def _taken(people: ir.Table, chain: ir.Table, keys: list[str]) -> ir.Table:
    """How many took each step: keys, place, `taken`."""
    places = chain.select(at_flow="flow_name", place="place")
    each = people.join(
        places,
        [people.flow_name == places.at_flow, people.reached >= places.place],
    )
    return each.group_by([*keys, "place"]).agg(taken=each.count())


def _stopped(people: ir.Table, q: Query, keys: list[str]) -> ir.Table:
    """How many came to a halt after each step: keys, place, `stalled`."""
    quiet = q.horizon - DAY * q.settings.onboarding_stall_days
    still = people.filter((people.reached < people.steps) & (people.latest < quiet))
    still = still.mutate(place=still.reached)
    return still.group_by([*keys, "place"]).agg(stalled=still.count())


@metric(
    title="Time to value",
    theme="onboarding",
    unit="days",
    formula="days from the start of an account to its first value; median over accounts, those still without included (Kaplan-Meier)",
    example="values after 2, 5 and 10 days, others watched for 4 and 12: 10 days, as the share still without falls to half then: (1 - 1 / 5) * (1 - 1 / 3) * (1 - 1 / 2) = 0.267",
    source="A05",
    reads=("account_days",),
    also_reads=("contracts", "events", "feature_days"),
    dimensions=ACCOUNT_DIMENSIONS,
    good="down",
    window_days=180,
    conclude=waits.conclude,
    variants={
        "median": "median of all, whoever has no value yet is still waiting",
        "p25": "days by which a quarter got there",
        "p75": "days by which three quarters got there",
        "naive_median": "median of those who got there; too low, as it forgets the others",
    },
    params={
        "event": "names of events that are the first value, separated by commas; else the setting `value_event`"
    },
    caveats="A period has the accounts that started in it, followed up to now. Null where fewer than half got there. Without an event, the first use of a key feature is the first value.",
)
def time_to_value(t: Inputs, q: Query) -> ir.Table:
    """Days until an account first gets what it came for, from its sign-up or the
    start of its contract, whichever was first."""
    terms = t.rows("contracts")
    terms = terms.group_by("account_id").agg(signed=terms.term_start.min())
    known = t.onboarded().left_join(terms, "account_id", rname="{name}_t")
    start = ibis.least(
        known.began.coalesce(known.signed), known.signed.coalesce(known.began)
    )
    known = known.select("account_id", date=start)
    started = t.in_periods(t.split(known.filter(known.date.notnull())))
    found = started.left_join(_first_values(t, q), "account_id", rname="{name}_v")
    until = ibis.literal(q.horizon - DAY)
    keys = dict.fromkeys(["account_id", *q.keys])
    rows = found.select(*keys, "reached", start="date", until=until)
    return waits.counted(q, rows)


def _first_values(t: Inputs, q: Query) -> ir.Table:
    """One row per account with value: account_id, `reached`, the first day of it."""
    names = q.listed("event") or [n.strip() for n in q.settings.value_event.split(",")]
    if any(names):
        values = t.dated(t.named_events(names, end=q.horizon))
    else:
        key_features = t.features.filter(t.features.is_key.fill_null(False))
        uses = t.whole.feature_days.semi_join(key_features, "feature_id")
        values = uses.filter((uses.uses > 0) & (uses.date < q.horizon))
    return values.group_by("account_id").agg(reached=values.date.min())
