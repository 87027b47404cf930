"""Was it the customers, or did tracking break? A day with far too few events."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date
from statistics import median

from perennial.core.windows import DAY

#: A day with less than this share of what is usual is an outage (H04).
SHARE = 0.5
#: Same weekdays before, and how many of them have to be known.
_WEEKS, _KNOWN = 8, 4
#: Below this many events a day, half of them missing says nothing.
_FEWEST = 20


def expected(
    volumes: Mapping[date, int], day: date, first: date, holidays: Container[date] = ()
) -> float | None:
    """Events the workspace usually has on such a weekday; None: cannot be told.

    The median of the same weekday in the eight weeks before, since the `first` day
    with events. Holidays say nothing about other days, and nothing is usual on one.
    """
    if day in holidays:
        return None
    before = (day - DAY * 7 * week for week in range(1, _WEEKS + 1))
    known = [volumes.get(d, 0) for d in before if d >= first and d not in holidays]
    if len(known) < _KNOWN:
        return None
    usual = float(median(known))
    return usual if usual >= _FEWEST else None


def is_outage(volume: int, usual: float | None) -> bool:
    return usual is not None and volume < usual * SHARE
