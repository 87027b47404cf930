"""Cases with what was observed of them, read from the roll-ups.

Of decisions of the past, to learn from; of live accounts today, to be told. Both are
measured the same way, so that what was learned of the one holds for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np
import polars as pl

from perennial.core.windows import DAY, Period
from perennial.lake import decisions
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.scoring import observed, power_features
from perennial.scoring.power_features import Rules
from perennial.scoring.statistics import Floats

if TYPE_CHECKING:
    from perennial.core.settings import Settings
    from perennial.lake.workspace import Workspace

#: A month of use, in days.
MONTH = 365.25 / 12
#: A window shorter than this says nothing.
LEAST_DAYS = 30
#: Months before a decision that a look back shows.
MONTHS_BACK = 6
#: What is known of a decision whenever it is looked at.
_DECISION = (
    *("account_id", "decided_on", "renewed", "term_days", "is_monthly", "counts"),
    *("mrr_e4", "segment"),
)
_KINDS = ("login", "page", "system", "billing", "support")


@dataclass(frozen=True)
class Observed:
    """Cases, in rows, and what was observed of each within its window.

    - `cases`: case, account_id, since, until, days (of the window), seats,
      tenure_months, plan, activity and voice; for decisions also their columns.
    - `uses`: by feature, uses a month by case; NaN where not entitled. `per_user`:
      the same by active user, NaN without any.
    - `by_month`: by feature, uses by case and month before the decision (or day),
      oldest first; NaN before the account began. `months`: −6 to −1, of which
      `last_month` is the last that lies within the windows.
    - `excluded`: features, and events that are none, not to be compared, with why.
    - `history_days`: for how long use has been recorded.
    """

    cases: pl.DataFrame
    uses: Mapping[str, Floats]
    per_user: Mapping[str, Floats]
    by_month: Mapping[str, Floats]
    months: Sequence[int]
    last_month: int
    excluded: Mapping[str, str]
    history_days: int

    def where(self, keep: pl.Series) -> Observed:
        """The same for some of the cases."""
        rows = keep.to_numpy()
        some: dict[str, Any] = {
            name: {f: x[rows] for f, x in getattr(self, name).items()}
            for name in ("uses", "per_user", "by_month")
        }
        return replace(self, cases=self.cases.filter(keep), **some)


def rules_of(settings: Settings) -> Rules:
    return Rules(
        window_days=settings.pf_window_days,
        gap_days=settings.pf_gap_days,
        min_class=settings.pf_min_class,
        min_auc=settings.pf_min_auc,
        min_adoption=settings.pf_min_adoption,
        fdr=settings.pf_fdr,
    )


def of_decisions(
    workspace: Workspace,
    *,
    as_of: date | None = None,
    where: str | None = None,
    every_month: bool = False,
) -> Observed:
    """Decisions before `as_of`, oldest first, with the window before each (P02)."""
    found = decisions.decided(
        workspace, as_of=as_of, where=where, every_month=every_month
    )
    settings = workspace.settings
    until = pl.col("decided_on") - pl.duration(days=settings.pf_gap_days)
    cases = found.with_columns(until=until.cast(pl.Date))
    return _observed(
        workspace, cases, as_of or workspace.today, ahead_days=settings.pf_gap_days
    )


def earlier(workspace: Workspace, seen: Observed, days: Sequence[int]) -> Observed:
    """Observed decisions as they stood so many days before instead, as accounts are
    today: with `row`, their place among `seen`, and `ahead`. Those whose window is too
    short so early are left out."""
    told = seen.cases.select(*_DECISION, row=pl.int_range(pl.len()))
    cases = pl.concat(
        told.with_columns(
            ahead=pl.lit(n, pl.Int64),
            until=(pl.col("decided_on") - pl.duration(days=n)).cast(pl.Date),
        )
        for n in days
    )
    return _observed(workspace, cases, workspace.today, ahead_days=0)


def of_accounts(
    workspace: Workspace, accounts: Sequence[str], *, as_of: date | None = None
) -> Observed:
    """These accounts with the window that ends before `as_of`."""
    day = as_of or workspace.today
    ids = pl.Series("account_id", sorted(accounts), pl.String)
    cases = pl.DataFrame({"account_id": ids}).with_columns(until=pl.lit(day))
    return _observed(workspace, cases, day, ahead_days=0)


def _observed(
    workspace: Workspace, cases: pl.DataFrame, as_of: date, *, ahead_days: int
) -> Observed:
    settings = workspace.settings
    first = workspace.first_days["user_days"] or as_of
    window = settings.pf_window_days
    back = observed.MONTH_DAYS * MONTHS_BACK - ahead_days
    start = min([first, *cases["until"].to_list()]) - DAY * max(window, back)
    query = decisions.question(workspace, Period(start, max(as_of, start + DAY)))
    ask = _Asker(workspace, query)
    cases = _with_windows(ask, cases, first, window)
    cases = _with_measures(ask, cases)
    features = _Features(ask, cases, back=back, ahead_days=ahead_days)
    months = range(-MONTHS_BACK, 0)
    # Month 0 of the window is the last before `until`: so many before the decision.
    shift = 1 + ahead_days // observed.MONTH_DAYS
    return Observed(
        cases=cases,
        uses=features.uses,
        per_user=features.per_user,
        by_month=features.by_month([-m - shift for m in months]),
        months=tuple(months),
        last_month=-shift,
        excluded=features.excluded,
        history_days=(as_of - first).days,
    )


class _Asker:
    """Asks tables of cases: one question, one frame."""

    def __init__(self, workspace: Workspace, query: Query) -> None:
        self.inputs = workspace.inputs(query)
        self.query = query
        self.lake = workspace.lake
        self._run = workspace.engine.run

    def __call__(
        self, question: Callable[[Inputs, ir.Table], ir.Table], cases: pl.DataFrame
    ) -> pl.DataFrame:
        columns = ["case", "account_id", "since", "until"]
        table = ibis.memtable(cases.select(columns).to_arrow())
        return self._run(question(self.inputs, table))

    def table(self, name: str) -> pl.DataFrame:
        return self._run(self.inputs.everything(name))

    @cached_property
    def late(self) -> ir.Table | None:
        """Activity that came in on a later day; None where no event says when it came."""
        if not self.lake.has_values("events", "received_at"):
            return None
        span = self.query.periods[0]
        return self.inputs.late_events(span.start, span.end)


def _with_windows(
    ask: _Asker, cases: pl.DataFrame, first: date, window: int
) -> pl.DataFrame:
    """Cases with the window they were there for; without those it is too short for."""
    earliest = (pl.col("until") - pl.duration(days=window)).cast(pl.Date)
    cases = cases.with_row_index("case").with_columns(
        pl.col("case").cast(pl.Int64), since=earliest
    )
    began = pl.coalesce("created", "paid", "first_day", pl.lit(first))
    cases = cases.join(ask(observed.beginnings, cases), on="case", how="left")
    cases = cases.with_columns(
        began=began,
        since=pl.max_horizontal("since", began, pl.lit(first)),
        tenure_months=(pl.col("until") - pl.coalesce("paid", began)).dt.total_days()
        / MONTH,
    )
    days = (pl.col("until") - pl.col("since")).dt.total_days()
    cases = cases.with_columns(days=days).filter(pl.col("days") >= LEAST_DAYS)
    return (
        cases.drop("case")
        .with_row_index("case")
        .with_columns(pl.col("case").cast(pl.Int64))
    )


def _with_measures(ask: _Asker, cases: pl.DataFrame) -> pl.DataFrame:
    parts = [
        ask(question, cases)
        for question in (
            lambda t, c: observed.activity(t, c, ask.late),
            observed.seats,
            observed.tickets,
            observed.voice,
        )
    ]
    joined = reduce(
        lambda rows, part: rows.join(part, on="case", how="left"), parts, cases
    )
    counts = ("active_users", "active_days", "duration_ms", "opened", "unsolved")
    return joined.with_columns(
        *(pl.col(name).fill_null(0) for name in counts),
        nps=pl.col("nps_sum") / pl.col("nps_n"),
        silent_days=(pl.col("until") - pl.col("last_day")).dt.total_days() - 1,
    ).sort("case")


class _Features:
    """Use of features by case, as numbers in the order of the cases."""

    def __init__(
        self, ask: _Asker, cases: pl.DataFrame, *, back: int, ahead_days: int
    ) -> None:
        self._ask, self._cases = ask, cases
        self._days = cases["days"].to_numpy() / MONTH
        self._inside = self._counted(cases, 0)
        early = (pl.col("until") - pl.duration(days=back)).cast(pl.Date)
        wide = cases.with_columns(since=pl.max_horizontal(early, "began"))
        self._around = ask(
            lambda t, c: observed.feature_uses(t, c, ahead_days=ahead_days), wide
        )
        self._wide_since = wide["since"]
        self._grants = ask.table("entitlements")
        features = ask.table("features")
        self._names = dict(features.select("feature_id", "name").iter_rows())
        self._released = dict(features.select("feature_id", "released_at").iter_rows())
        names = sorted(self._inside["feature_id"].unique())
        self._entitled = {name: self._may(name) for name in names}
        self.uses = {name: self._monthly(name) for name in names}
        users = cases["active_users"].to_numpy().astype(float)
        users[users == 0] = np.nan
        self.per_user = {name: x / users for name, x in self.uses.items()}
        self.excluded = self._left_out(names)

    def _counted(self, cases: pl.DataFrame, ahead_days: int) -> pl.DataFrame:
        """Uses by case and feature, without those heard of too late to have been
        known."""
        rows = self._ask(observed.feature_uses, cases)
        if (late := self._ask.late) is not None:
            uses = self._ask(lambda _t, c: observed.late_uses(late, c), cases)
            rows = pl.concat([rows, uses.with_columns(uses=-pl.col("uses"))])
        return rows.group_by("case", "feature_id").agg(pl.col("uses").sum())

    def _monthly(self, feature: str) -> Floats:
        rows = self._inside.filter(pl.col("feature_id") == feature)
        x = np.zeros(len(self._cases))
        x[rows["case"].to_numpy()] = rows["uses"].to_numpy()
        return np.where(self._entitled[feature], x / self._days, np.nan)

    def by_month(self, wanted: Sequence[int]) -> dict[str, Floats]:
        """Uses by case and month; months an account had not begun in are NaN."""
        until, since = self._cases["until"], self._wide_since
        months = np.array(wanted)
        first = (until - since).dt.total_days().to_numpy()[:, None]
        began = first >= (months + 1) * observed.MONTH_DAYS
        found = {}
        for feature in self.uses:
            rows = self._around.filter(
                (pl.col("feature_id") == feature) & pl.col("month").is_in(wanted)
            )
            x = np.zeros((len(self._cases), len(months)))
            at = np.searchsorted(-months, -rows["month"].to_numpy())
            x[rows["case"].to_numpy(), at] = rows["uses"].to_numpy()
            known = began & self._entitled[feature][:, None]
            found[feature] = np.where(known, x, np.nan)
        return found

    def _may(self, feature: str) -> np.ndarray:
        """Who might use a feature: whoever was granted it on a day of the window, and
        everybody where nobody was granted anything."""
        grants = self._grants.filter(pl.col("feature_id") == feature)
        if grants.is_empty():
            return np.ones(len(self._cases), bool)
        begins = pl.col("starts_at").dt.date().fill_null(date.min)
        ends = pl.col("ends_at").dt.date().fill_null(date.max)
        pairs = self._cases.select("case", "account_id", "since", "until").join(
            grants.select("account_id", begins=begins, ends=ends), on="account_id"
        )
        live = pairs.filter(
            (pl.col("begins") < pl.col("until")) & (pl.col("ends") > pl.col("since"))
        )
        may = np.zeros(len(self._cases), bool)
        may[live["case"].to_numpy()] = True
        return may

    def _left_out(self, names: Sequence[str]) -> dict[str, str]:
        """Features and other events that are not compared, with the reason."""
        found: dict[str, str] = {}
        half = len(self._cases) / 2
        for name in names:
            released = self._released.get(name)
            reason = power_features.leaks(name, self._names.get(name))
            if reason is None and released is not None:
                late = (self._cases["since"] < released.date()).sum()
                reason = "released_late" if late > half else None
            if reason:
                found[name] = reason
        meanings = self._ask.table("event_definitions")
        kinds = dict(meanings.select("name", "kind").iter_rows())
        others = {n: k for n, k in kinds.items() if k in _KINDS and n not in names}
        return found | others
