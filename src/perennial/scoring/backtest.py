"""How well a score told leavers from stayers in the past, and how early.

A score is judged by decisions it could not know: taken as it stood some days before
each. Beside it stand scores anybody could have: the base rate, days since the last
log-in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from perennial.scoring.statistics import Numbers, auc, auc_interval

#: Fewer leavers, or fewer stayers, than this tell nothing.
FEWEST = 5
#: Colors that warn.
RISKY = ("red", "orange")
#: The worst of all accounts by score: whom a team could call.
_TOP = 0.1


@dataclass(frozen=True)
class Verdict:
    """What a score was worth on `n` decisions, `left` of them losses.

    - `auc`: chance that a stayer scored higher than a leaver; with a 95 % interval.
    - `lift`: share of leavers among the lowest tenth, against the share among all.
    - `precision`: share of those called red that left; `red` of them.
    - `warning_days`: median days between turning red or orange and the loss, of the
      losses that were red or orange; `warned` of them.

    None where there is nothing to tell it from: fewer than five of either.
    """

    n: int
    left: int
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    lift: float | None
    precision: float | None
    red: int
    warning_days: float | None
    warned: int


def judge(
    scores: Numbers,
    renewed: Sequence[bool],
    *,
    colors: Sequence[str | None] = (),
    warnings: Sequence[int | None] = (),
) -> Verdict:
    """Scores (higher is healthier) against whether each account renewed.

    `colors` are the colors of the scores; `warnings` the days before a loss from
    which on the account was red or orange, None where it was not. Cases without a
    score are the caller's to leave out.
    """
    values, stayed = np.asarray(scores, float), np.asarray(renewed, bool)
    left = int((~stayed).sum())
    area = auc(values[stayed], values[~stayed])
    enough = min(left, len(stayed) - left) >= FEWEST
    low, high = (
        auc_interval(area, len(stayed) - left, left)
        if enough and area is not None
        else (None, None)
    )
    red = np.array([color == "red" for color in colors], bool)
    early = [days for days in warnings if days is not None]
    return Verdict(
        n=len(stayed),
        left=left,
        auc=area if enough else None,
        auc_low=low,
        auc_high=high,
        lift=_lift(values, ~stayed) if enough else None,
        precision=float((~stayed)[red].mean()) if red.any() else None,
        red=int(red.sum()),
        warning_days=median(early) if early else None,
        warned=len(early),
    )


def _lift(values: np.ndarray, left: np.ndarray) -> float:
    """Leavers among the lowest tenth against all; of equal scores, each its share."""
    wanted = max(1.0, len(values) * _TOP)
    found = taken = 0.0
    for value in np.unique(values):
        same = values == value
        part = min(1.0, (wanted - taken) / same.sum())
        found, taken = found + part * left[same].sum(), taken + part * same.sum()
        if taken >= wanted:
            break
    return float(found / taken / left.mean())
