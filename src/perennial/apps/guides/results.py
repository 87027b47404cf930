"""What a guide brought about: who saw it, how far they came, and what it changed.

Everybody who came to the moment of being shown it is in one of three groups: variant A,
variant B, held out. How far people came is counted of those who saw it; what it changed
is counted of all who came to that moment, whether they saw it then or not, so that both
sides are alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean
from typing import Any, Final

import polars as pl
from django.db.models import Count, Q, QuerySet

from perennial.apps.customers.kept import kept
from perennial.apps.guides.models import Guide, Showing, Told
from perennial.apps.guides.queries import shown_document
from perennial.apps.surveys import inviting
from perennial.apps.team.lake import lake_of
from perennial.core.guide_rules import Target
from perennial.core.guides import Guide as Document
from perennial.core.windows import DAY, local_date
from perennial.lake import deeds
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.differences import Effect, of_means, of_shares
from perennial.scoring.statistics import wilson

#: Fewer people, or accounts, on a side show nothing.
FEWEST: Final = 30
HELD_OUT: Final = "held_out"
Units = tuple[tuple[str, datetime], ...]


@dataclass(frozen=True)
class Side:
    """People of a variant: `came` to the moment, and what became of it."""

    variant: str
    came: int = 0
    seen: int = 0
    finished: int = 0
    dismissed: int = 0

    @property
    def share(self) -> float | None:
        return self.finished / self.seen if self.seen else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.finished, self.seen) if self.seen else None


@dataclass(frozen=True)
class Reached:
    """A step, or an item: how many came to it, of those who saw the guide."""

    id: str
    title: str
    n: int
    of: int
    lost: int

    @property
    def share(self) -> float | None:
        return self.n / self.of if self.of else None


@dataclass(frozen=True)
class Change:
    """What the guide changed: the target with it and without it.

    Values are shares of an event, or means of a metric; `n` counts people, or accounts,
    whose days are over, `waiting` those whose are not.
    """

    target: Target
    by: str
    n: int
    n_without: int
    waiting: int
    value: float | None
    without: float | None
    effect: Effect | None

    @property
    def is_enough(self) -> bool:
        return min(self.n, self.n_without) >= FEWEST

    @property
    def is_shown(self) -> bool:
        return self.is_enough and self.effect is not None and self.effect.is_shown


def showings(guide: Guide, days: int) -> QuerySet[Showing]:
    """Everybody who came to the moment in the last days."""
    since = lake_of(guide.workspace).now - DAY * days
    return guide.showings.filter(claimed_at__gte=since)


def sides(found: QuerySet[Showing]) -> dict[str, Side]:
    """By variant; those that nobody is in are left out."""
    seen = Q(seen_at__isnull=False)
    rows = (
        found.order_by()
        .values("variant")
        .annotate(
            came=Count("pk"),
            seen=Count("pk", filter=seen),
            finished=Count("pk", filter=seen & Q(finished_at__isnull=False)),
            dismissed=Count(
                "pk", filter=seen & Q(dismissed_at__isnull=False, finished_at=None)
            ),
        )
    )
    return {row["variant"]: Side(**row) for row in rows}


def whole(every: Mapping[str, Side]) -> Side:
    """All who were to see it."""
    shown = [side for key, side in every.items() if key != HELD_OUT]
    return Side(
        "",
        sum(side.came for side in shown),
        sum(side.seen for side in shown),
        sum(side.finished for side in shown),
        sum(side.dismissed for side in shown),
    )


def between(every: Mapping[str, Side]) -> Effect | None:
    """How much more of B finish than of A."""
    a, b = every.get("a", Side("a")), every.get("b", Side("b"))
    return of_shares(b.finished, b.seen, a.finished, a.seen)


def is_enough(every: Mapping[str, Side]) -> bool:
    return all(every.get(v, Side(v)).seen >= FEWEST for v in ("a", "b"))


def reached(
    guide: Guide, found: QuerySet[Showing], variant: str, language: str
) -> list[Reached]:
    """Step by step: how many people came there."""
    document = shown_document(guide)
    mine = found.filter(variant=variant)
    told = Told.objects.filter(
        showing__in=mine, did__in=(Told.Did.STEP, Told.Did.LOST, Told.Did.CLICKED)
    )
    counted = {
        (did, step): n
        for did, step, n in told.values_list("did", "step").annotate(
            n=Count("showing", distinct=True)
        )
    }
    seen = mine.filter(seen_at__isnull=False).count()
    content = document.content(variant)
    steps = [
        Reached(
            each.id,
            document.said(each.title, language),
            counted.get((Told.Did.STEP, each.id), 0),
            seen,
            counted.get((Told.Did.LOST, each.id), 0),
        )
        for each in content.steps
    ]
    # An item without an event is done by using it.
    items = [
        Reached(
            each.id,
            document.said(each.title, language),
            counted.get(
                (Told.Did.STEP if each.event else Told.Did.CLICKED, each.id), 0
            ),
            seen,
            0,
        )
        for each in content.items
    ]
    return [*steps, *items]


def by_segment(guide: Guide, found: QuerySet[Showing]) -> list[tuple[str, Side]]:
    """How far people came, by the segment their account is in today."""
    rows = list(
        found.exclude(variant=HELD_OUT).values_list(
            "account_id", "seen_at", "finished_at", "dismissed_at"
        )
    )
    made = []
    workspace = guide.workspace
    for segment in workspace.segments.filter(archived_at=None).order_by("name"):
        members = inviting.members(workspace, segment.key)
        side = _side([row for row in rows if row[0] in members])
        if side.came:
            made.append((segment.name, side))
    return sorted(made, key=lambda pair: -pair[1].came)


def _side(rows: Sequence[tuple[Any, ...]]) -> Side:
    counted = Counter[str]()
    for _account, seen, finished, dismissed in rows:
        counted["came"] += 1
        counted["seen"] += seen is not None
        counted["finished"] += None not in {seen, finished}
        counted["dismissed"] += bool(seen and dismissed and not finished)
    return Side("", **counted)


# --- what it changed ---------------------------------------------------------


def change(guide: Guide, found: QuerySet[Showing]) -> Change | None:
    """The target with the guide and without it; None where none is set, or nobody is
    held out to compare with."""
    document = shown_document(guide)
    target, lake = document.target, lake_of(guide.workspace)
    if target is None:
        return None
    shown, held = _units(found, document)
    if not held:
        return None
    over = lake.now - timedelta(days=target.days)
    with_it, without = (
        tuple((key, at) for key, at in sorted(units.items()) if at <= over)
        for units in (shown, held)
    )
    waiting = len(shown) + len(held) - len(with_it) - len(without)
    by, days = document.when.by, target.days
    if target.event:
        a, b = (
            len(_followed(lake, target.event, units, days, by))
            for units in (with_it, without)
        )
        value, other = (
            hits / len(units) if units else None
            for hits, units in ((a, with_it), (b, without))
        )
        effect = of_shares(a, len(with_it), b, len(without))
    else:
        did, did_not = (
            _measured(lake, target.metric, units, days, by)
            for units in (with_it, without)
        )
        value, other = (mean(each) if each else None for each in (did, did_not))
        effect = of_means(did, did_not)
    n, n_without = len(with_it), len(without)
    return Change(target, by, n, n_without, waiting, value, other, effect)


def _units(
    found: QuerySet[Showing], document: Document
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """People, or accounts, with the first instant they came to the moment: those who
    were to see it, and those held out."""
    sides: tuple[dict[str, datetime], dict[str, datetime]] = ({}, {})
    rows = found.order_by("claimed_at").values_list(
        "person", "account_id", "variant", "claimed_at"
    )
    for person, account, variant, at in rows:
        unit = account if document.when.by == "account" else person
        if unit:
            sides[variant == HELD_OUT].setdefault(unit, at)
    return sides


@kept("events", size=64)
def _followed(
    lake: Lake, event: str, units: Units, days: int, by: str
) -> frozenset[str]:
    return deeds.followed(lake, event, dict(units), days, by_account=by == "account")


@kept("user_days", "feature_days", "sessions", "assignments", size=64)
def _measured(
    lake: Lake, metric: str, units: Units, days: int, by: str
) -> tuple[float, ...]:
    """What each did over the days from the one on that they came, all their people
    together; who did nothing did 0.

    The metrics offered add up over days and people, so one question by day answers all
    spans; a question a span takes twice as long, and more.
    """
    if not units:
        return ()
    keys = [key for key, _at in units]
    first = [local_date(at, lake.settings.tz) for _key, at in units]
    rows = lake.metric(
        metric,
        start=min(first),
        end=max(first) + DAY * days,
        grain="day",
        by=["user", "account"] if by == "account" else ["user"],
    ).rows
    spans = pl.DataFrame({"key": keys, "first": first})
    key = "account" if by == "account" else "user"
    did = rows.join(spans, left_on=key, right_on="key").filter(
        pl.col("period_start") >= pl.col("first"),
        pl.col("period_start") < pl.col("first") + timedelta(days=days),
    )
    known = dict(did.group_by(key).agg(pl.col("value").sum()).iter_rows())
    return tuple(float(known.get(key) or 0) for key in keys)
