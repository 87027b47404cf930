"""Before anything is published: who would have which color under a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from perennial.apps.customers import queries
from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.health.queries import STATES
from perennial.core.settings import COMPOSITE
from perennial.lake import snapshots, told
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.scorecard import Scorecard

_RANK = {state: -n for n, state in enumerate(STATES)}
#: What scores are made from beside the roll-ups that account measures follow.
_READ = ("account_measures", told.OVERRIDES, told.PULSES, "data_incidents")


@dataclass(frozen=True)
class Needs:
    """A card as what it has to have measured: equal to others with the same needs."""

    text: str
    card: Scorecard = field(compare=False)


@dataclass(frozen=True)
class Changed:
    """An account whose color the draft would change."""

    account: Account
    now: str
    draft: str
    score: float | None


@dataclass(frozen=True)
class Cell:
    """Customers of one color now and one under the draft."""

    accounts: int
    kind: str


@dataclass(frozen=True)
class Preview:
    """All customers by their color now and under the draft.

    `matrix` has a row a state now, a cell a state under the draft; `before` and
    `after` are customers by state; `accounts` the changed ones, who pays most first.
    """

    matrix: list[tuple[str, list[Cell]]]
    before: Mapping[str, int]
    after: Mapping[str, int]
    worse: int
    better: int
    scored: int
    accounts: list[Changed]

    @property
    def changed(self) -> int:
        return self.worse + self.better

    @property
    def bars(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """Customers by state, now and under the draft, worst first."""
        order = STATES[::-1][1:] + STATES[-1:]
        return [(s, self.before[s]) for s in order], [(s, self.after[s]) for s in order]


def preview(lake: Lake, card: Scorecard, as_of: date) -> Preview:
    """The colors of today's snapshot beside those by a card, for paying customers."""
    rows = scored(lake, card, as_of)
    draft = rows.select("account_id", draft=pl.col("color").fill_null("none"),
                        draft_score="score")  # fmt: skip
    both = _now(lake, as_of).join(draft, "account_id")
    pairs = {
        (row["now"], row["draft"]): row["len"]
        for row in both.group_by("now", "draft").len().to_dicts()
    }
    worse = sum(n for pair, n in pairs.items() if _kind(*pair) == "worse")
    better = sum(n for pair, n in pairs.items() if _kind(*pair) == "better")
    return Preview(
        [(now, [_cell(pairs, now, then) for then in STATES]) for now in STATES],
        {s: sum(n for (now, _), n in pairs.items() if now == s) for s in STATES},
        {s: sum(n for (_, then), n in pairs.items() if then == s) for s in STATES},
        worse,
        better,
        both.filter(pl.col("now") != "none").height,
        _changed(lake, both),
    )


def scored(lake: Lake, card: Scorecard, as_of: date) -> pl.DataFrame:
    """Every account's score by a card; what it is made from is measured once a day."""
    return snapshots.scored(_measured(lake, Needs(card.needs, card), as_of), card)


@kept(*_READ, size=8)
def _measured(lake: Lake, needs: Needs, as_of: date) -> pl.DataFrame:
    return snapshots.measured(lake, [as_of], needs.card)


def _now(lake: Lake, as_of: date) -> pl.DataFrame:
    """Customers with their color of today by the scorecard, whatever health goes by."""
    m = lake.table("account_measures")
    m = m.filter(m.state == "paying")
    paying = lake.engine.run(m.select("account_id", now=m.health_color))
    if lake.settings.health_mode != COMPOSITE:
        stored = snapshots.latest(lake, dates=[as_of])
        by_card = pl.coalesce("composite_color", "color")
        own = stored.select("account_id", now=by_card)
        paying = paying.drop("now").join(own, "account_id", how="left")
    return paying.with_columns(pl.col("now").fill_null("none"))


def _cell(pairs: Mapping[tuple[str, str], int], now: str, then: str) -> Cell:
    return Cell(pairs.get((now, then), 0), _kind(now, then))


def _kind(now: str, then: str) -> str:
    """Worse or better; to and from no score is neither, and the same is nothing."""
    if now == then:
        return "same"
    if "none" in (now, then):
        return "other"
    return "worse" if _RANK[then] < _RANK[now] else "better"


def _changed(lake: Lake, both: pl.DataFrame) -> list[Changed]:
    changed = {
        row["account_id"]: row
        for row in both.filter(pl.col("now") != pl.col("draft")).to_dicts()
    }
    if not changed:
        return []
    m = lake.table("account_measures")
    rows = m.filter(m.account_id.isin(list(changed)))
    accounts = queries.accounts_of(lake, lake.engine.run(rows))
    return [
        Changed(
            account,
            changed[account.account_id]["now"],
            changed[account.account_id]["draft"],
            changed[account.account_id]["draft_score"],
        )
        for account in sorted(accounts, key=lambda a: (-a.mrr, a.name))
    ]
