"""What the screens of onboarding read: flows in numbers, and who stands where."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Final

from django.db.models import QuerySet

from perennial.apps.customers import queries as customers
from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.onboarding.models import Flow
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import onboarding as rules
from perennial.core import survival
from perennial.core.survival import Spell
from perennial.core.windows import local_date
from perennial.lake import flowbook, places, respondents
from perennial.lake.entries import ENTRIES, STEPS
from perennial.lake.places import Place
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.statistics import wilson

TABLES: Final = (flowbook.NAME, ENTRIES, STEPS)
#: With who is still there.
STANDING: Final = (*TABLES, "users", "account_measures")
_METRIC_TABLES: Final = (*TABLES, "accounts", "users", "account_attributes")
#: Fewer of a group than this are not enough to speak of a share.
FEWEST: Final = 10
_SECONDS_A_DAY: Final = 86_400


def flows(workspace: Workspace) -> QuerySet[Flow]:
    return workspace.onboarding_flows.select_related("workspace").order_by("name")


@kept(*STANDING, size=64)
def standing(lake: Lake, flow: str) -> Sequence[Place]:
    """Everybody in a flow, who began last first."""
    return places.places(lake, flow)


@kept(*STANDING, "events", size=32)
def tried(lake: Lake, flow: str, document: str) -> Sequence[Place]:
    """Who would be where, by a draft as JSON; raises `BadValue`."""
    return places.tried(lake, flow, flowbook.checked(lake, json.loads(document)))


# --- a flow in numbers -------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """Of some who began: how many finished, stand still, and days to first value.

    `days` is the median, whoever is not there yet counted as waiting; None where fewer
    than half got there. `in_order` of the finished took the steps in their order.
    """

    started: int
    finished: int
    stalled: int
    in_order: int
    days: int | None
    valued: int

    @property
    def rate(self) -> float | None:
        return self.finished / self.started if self.started else None


def summary(lake: Lake, some: Sequence[Place]) -> Summary:
    days = lake.settings.onboarding_stall_days
    every = [place.progress for place in some]
    finished = [p for p in every if p.finished_at]
    tz = lake.settings.tz
    return Summary(
        len(every),
        len(finished),
        sum(place.is_stalled(lake.today, days, tz) for place in some),
        sum(p.reached == len(p.flow.chain) for p in finished),
        survival.median(survival.curve(_waits(lake, some))),
        sum(p.valued_at is not None for p in every),
    )


def _waits(lake: Lake, some: Iterable[Place]) -> list[Spell]:
    """Days from the beginning to the first value, or to today."""
    found = []
    for place in some:
        p = place.progress
        at = p.valued_at
        until = local_date(at, lake.settings.tz) if at else lake.today
        found.append(Spell(max(0, (until - p.started).days), ended=at is not None))
    return found


@dataclass(frozen=True)
class StepLine:
    """A step: `n` came so far in order (A04), `lost` of them did not go on.

    `done` took it at any time; `stopped` stand still before it; `days` lie between the
    step before and this one, in the middle, of those who took both.
    """

    step: rules.Step
    n: int
    share: float | None
    lost: float | None
    done: int
    stopped: int
    days: float | None
    is_worst: bool = False


def steps(lake: Lake, flow: rules.Flow, some: Sequence[Place]) -> list[StepLine]:
    """Steps of the version in force; of other versions those it has, too."""
    every = [place.progress for place in some]
    reached = Counter(p.reached for p in every if p.flow.chain == flow.chain)
    of = sum(reached.values())
    done = Counter(name for p in every for name in p.done)
    days, tz = lake.settings.onboarding_stall_days, lake.settings.tz
    stopped = Counter(
        place.progress.next_step
        for place in some
        if place.is_stalled(lake.today, days, tz)
    )
    came = {
        name: sum(n for place, n in reached.items() if place >= at)
        for at, name in enumerate(flow.chain, 1)
    }
    lines = []
    for step in flow.steps:
        n, lost = came.get(step.name, 0), None
        at = flow.place(step.name)
        if at is not None and at < len(flow.chain) and n:
            lost = 1 - came[flow.chain[at]] / n
        lines.append(
            StepLine(
                step,
                n,
                n / of if of and at is not None else None,
                lost,
                done[step.name],
                stopped[step.name],
                _between(every, flow, step.name),
            )
        )
    worst = max((line.lost or 0 for line in lines), default=0)
    return [replace(e, is_worst=bool(worst and e.lost == worst)) for e in lines]


def _between(
    every: Iterable[rules.Progress], flow: rules.Flow, name: str
) -> float | None:
    """Days in the middle between the step before this one and this."""
    at = flow.place(name)
    if at is None or at < 2:
        return None
    before = flow.chain[at - 2]
    spans = [
        (p.done[name] - p.done[before]).total_seconds() / _SECONDS_A_DAY
        for p in every
        if name in p.done and before in p.done and p.done[name] >= p.done[before]
    ]
    return median(spans) if spans else None


@dataclass(frozen=True)
class Cohort:
    """Those who began in a month."""

    month: date
    summary: Summary


def cohorts(lake: Lake, some: Sequence[Place], most: int = 12) -> list[Cohort]:
    """By the month they began in, the last first."""
    by: dict[date, list[Place]] = {}
    for place in some:
        by.setdefault(place.progress.started.replace(day=1), []).append(place)
    months = sorted(by, reverse=True)[:most]
    return [Cohort(month, summary(lake, by[month])) for month in months]


@dataclass(frozen=True)
class Part:
    """Those of one segment or plan, and the share of them that took each step."""

    name: str
    n: int
    shares: Sequence[float]


def parts(
    flow: rules.Flow,
    some: Sequence[Place],
    value_of: Callable[[str], str],
) -> list[Part]:
    """Drop-off by what `value_of` says of an account; the largest first."""
    by: dict[str, list[rules.Progress]] = {}
    for place in some:
        if place.progress.flow.chain == flow.chain:
            key = value_of(place.account_id or "")
            by.setdefault(key, []).append(place.progress)
    made = [
        Part(
            name,
            len(every),
            [
                sum(p.reached >= at for p in every) / len(every)
                for at in range(1, len(flow.chain) + 1)
            ],
        )
        for name, every in by.items()
    ]
    return sorted(made, key=lambda part: (-part.n, part.name))


@dataclass(frozen=True)
class Conversion:
    """Trials whose onboarding got to a step, and how many of them became paying, with
    the 95 % interval; None where there are too few."""

    step: str
    n: int
    paid: int
    interval: tuple[float, float] | None

    @property
    def share(self) -> float | None:
        return self.paid / self.n if self.interval else None


@kept(*_METRIC_TABLES, "subscription_items", "payments", size=32, shared=True)
def conversions(
    lake: Lake, flow: str, chain: tuple[str, ...], start: date, end: date
) -> list[Conversion]:
    """A03 by the last step reached in a flow (A04): of the accounts in it whose trial
    had its days to pay. Optional steps lead nowhere."""
    within = {place.account_id for place in standing(lake, flow)}
    rows = lake.metric(
        "free_to_paid",
        start=start,
        end=end,
        by=["account", "last_step"],
        params={"flow": flow},
    ).rows
    counted, paying = Counter[str](), Counter[str]()
    for row in rows.iter_rows(named=True):
        if row["account"] in within:
            step = row["last_step"] if row["last_step"] in chain else ""
            counted[step] += int(row["n"] or 0)
            paying[step] += int(row["numerator"] or 0)
    found = []
    for step in ("", *chain):
        n, paid = counted[step], paying[step]
        interval = wilson(paid, n) if n >= FEWEST else None
        found.append(Conversion(step, n, paid, interval))
    return found if any(each.n for each in found) else []


# --- who stands where --------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """One of those in a flow as a row: with names, and whole days without a step."""

    place: Place
    account: Account | None
    who: str
    days: int
    is_stalled: bool


def rows(workspace: Workspace, some: Sequence[Place]) -> list[Standing]:
    """Rows of a page, in their order."""
    lake = lake_of(workspace)
    accounts = customers.some(
        workspace, tuple(sorted({p.account_id for p in some if p.account_id}))
    )
    ids = sorted({p.user_id for p in some if p.user_id})
    people = respondents.people(lake, ids) if ids else {}
    tz, stall = lake.settings.tz, lake.settings.onboarding_stall_days
    made = []
    for place in some:
        person = people.get(place.user_id or "")
        who = (person.name or person.email) if person else ""
        p = place.progress
        made.append(
            Standing(
                place,
                accounts.get(place.account_id or ""),
                who or place.user_id or "",
                (lake.today - p.moved(tz)).days,
                place.is_stalled(lake.today, stall, tz),
            )
        )
    return made


def stalled(lake: Lake, some: Iterable[Place]) -> list[Place]:
    """Those who stand still, who moved last first: they are reached most easily. Not
    who left: nobody can help them on."""
    tz, days = lake.settings.tz, lake.settings.onboarding_stall_days
    still = [place for place in some if place.is_stalled(lake.today, days, tz)]
    return sorted(still, key=lambda p: p.progress.moved(tz), reverse=True)


@kept("account_attributes", size=16)
def attribute(lake: Lake, name: str) -> Mapping[str, str]:
    """A text attribute of every account that has one."""
    table = lake.engine.table("account_attributes")
    found = table.filter(table["name"] == name).select("account_id", "value")
    return dict(lake.engine.run(found).iter_rows())
