"""What a draft would have known: its scores before past decisions, judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl

from perennial.core.ids import digest
from perennial.core.windows import DAY
from perennial.lake import decisions, snapshots
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import backtest
from perennial.scoring.scorecard import Scorecard
from perennial.scoring.scorecard_text import write

#: Scores are judged as they stood at least so many days before a decision.
BEFORE = 30
#: Days before the decision at which shares of red and orange are told.
STEPS = (180, 150, 120, 90, 60, 30)
#: Decisions older than this say little about today's product.
_YEARS_DAYS = 730
#: Weeks computed at once; a page of progress between.
_BATCH = 13

Report = Callable[[float, str], None]


def digest_of(card: Scorecard) -> str:
    """What a verdict is of: any other card has another digest."""
    return digest(write(card, "json"))


def compare(
    lake: Lake, cards: Mapping[str, Scorecard], report: Report, message: str = ""
) -> dict[str, Any]:
    """Each card judged by the decisions of two years: verdicts and shares at risk.

    Scores are weekly, by what the roll-ups hold of the days before. Plain values,
    ready to be kept; `n` 0 says that nothing was decided.
    """
    decided = decisions.decided(lake)
    since = lake.today - DAY * _YEARS_DAYS
    decided = decided.filter(pl.col("decided_on") >= since)
    scored = _scores(lake, cards, _weeks(decided, lake.today), decided, report, message)
    verdicts = {name: _verdict(rows, decided) for name, rows in scored.items()}
    return {"n": len(decided), "cards": verdicts}


def _weeks(decided: pl.DataFrame, today: date) -> list[date]:
    """Mondays from half a year before the first decision to a month before the last."""
    if decided.is_empty():
        return []
    first, last = decided["decided_on"][0], decided["decided_on"][-1]
    start = first - DAY * (STEPS[0] + 7)
    start -= DAY * start.weekday()
    end = min(last - DAY * BEFORE, today)
    return [start + DAY * n for n in range(0, (end - start).days + 1, 7)]


def _scores(
    lake: Lake,
    cards: Mapping[str, Scorecard],
    weeks: Sequence[date],
    decided: pl.DataFrame,
    report: Report,
    message: str,
) -> dict[str, pl.DataFrame]:
    """Weekly score and color, by each card, of the accounts that decided."""
    accounts = decided.select("account_id").unique()
    found: dict[str, list[pl.DataFrame]] = {name: [_NOTHING] for name in cards}
    for start in range(0, len(weeks), _BATCH):
        report(start / len(weeks), message)
        measured: dict[str, pl.DataFrame] = {}
        for name, card in cards.items():
            if card.needs not in measured:
                days = weeks[start : start + _BATCH]
                rows = snapshots.measured(lake, days, card)
                measured[card.needs] = rows.join(accounts, "account_id", how="semi")
            rows = snapshots.scored(measured[card.needs], card)
            found[name].append(rows.select(_NOTHING.columns))
    report(1.0, message)
    return {name: pl.concat(frames) for name, frames in found.items()}


_NOTHING = pl.DataFrame(
    schema={
        "account_id": pl.String,
        "date": pl.Date,
        "score": pl.Float64,
        "color": pl.String,
    }
)


def _verdict(scored: pl.DataFrame, decided: pl.DataFrame) -> dict[str, Any]:
    cases = decided.select("account_id", "decided_on", "renewed").with_row_index("case")
    cases = cases.join(scored, "account_id")
    ahead = (pl.col("decided_on") - pl.col("date")).dt.total_days()
    cases = cases.with_columns(ahead=ahead).filter(pl.col("ahead") >= BEFORE)
    last = _at(cases, BEFORE).filter(pl.col("score").is_not_null())
    warned = _warnings(cases)
    gone = last.filter(~pl.col("renewed"))["case"]
    verdict = backtest.judge(
        last["score"].to_list(),
        last["renewed"].to_list(),
        colors=last["color"].to_list(),
        warnings=[warned.get(case) for case in gone],
    )
    return {
        **asdict(verdict),
        "at_risk": [_share(_at(cases, days), days) for days in STEPS],
    }


def _at(cases: pl.DataFrame, days: int) -> pl.DataFrame:
    """Each case as it stood so many days before, by the newest week at that time."""
    known = cases.filter((pl.col("ahead") >= days) & (pl.col("ahead") < days + 7))
    return known.sort("ahead").unique("case", keep="first", maintain_order=True)


def _share(cases: pl.DataFrame, days: int) -> dict[str, float | int | None]:
    """Of leavers and of stayers with a score: the share that was red or orange."""
    known = cases.filter(pl.col("score").is_not_null())
    told: dict[str, float | int | None] = {"days": days}
    for name, renewed in (("left", False), ("stayed", True)):
        of = known.filter(pl.col("renewed") == renewed)
        risky = of.filter(pl.col("color").is_in(backtest.RISKY))
        told[name] = len(risky) / len(of) if len(of) else None
        told[f"n_{name}"] = len(of)
    return told


def _warnings(cases: pl.DataFrame) -> dict[int, int]:
    """Days before the loss from which on an account was red or orange throughout."""
    found: dict[int, int] = {}
    lost = cases.filter(~pl.col("renewed")).sort("case", "ahead")
    for (case,), rows in lost.group_by("case", maintain_order=True):
        for color, ahead in rows.select("color", "ahead").iter_rows():
            if color not in backtest.RISKY:
                break
            found[int(str(case))] = ahead
    return found
