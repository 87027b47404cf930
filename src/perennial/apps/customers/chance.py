"""A customer's chance of renewal, and what makes it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec
import polars as pl
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers.kept import kept
from perennial.lake import chances
from perennial.lake.workspace import Workspace as Lake
from perennial.ui import formats
from perennial.ui.formats import Regional

Text = str | Promise

#: Measures that move a chance of renewal.
REASONS: Mapping[str, Text] = {
    "power_uses": gettext_lazy("Use of the power feature"),
    "frequency": gettext_lazy("How often people come"),
    "breadth": gettext_lazy("Share of seats in use"),
    "depth": gettext_lazy("Key features used"),
    "growth": gettext_lazy("Growth of users and MRR"),
    "active_users": gettext_lazy("Active users"),
    "seats": gettext_lazy("Seats bought"),
    "minutes": gettext_lazy("Time in the application"),
    "active_days": gettext_lazy("Days with activity"),
    "silent_days": gettext_lazy("Days since the last visit"),
    "tenure_months": gettext_lazy("Time as a customer"),
    "term_days": gettext_lazy("Length of the term"),
    "mrr": gettext_lazy("What the account pays"),
    "tickets": gettext_lazy("Tickets opened"),
    "unsolved": gettext_lazy("Tickets not solved"),
    "nps": gettext_lazy("NPS answers"),
    "segment": gettext_lazy("Segment"),
}


#: Moves smaller than this are nothing to talk about.
_LEAST = 0.005
#: What rounds to less than a tenth of a point is not shown.
_SHOWN = 0.0005


@dataclass(frozen=True)
class Part:
    """A reason and how many points it moves a chance by."""

    name: str
    points: float


def parts(reasons: tuple[tuple[str, float], ...], most: int = 99) -> list[Part]:
    """The greatest moves first; those below half a point are nothing to talk about."""
    shown = [Part(str(REASONS.get(n, n)), m) for n, m in reasons if abs(m) >= _LEAST]
    return shown[:most]


def reason_text(reasons: tuple[tuple[str, float], ...], regional: Regional) -> str:
    """ "Days since the last visit −12 points, tickets not solved −4 points\""""
    return ", ".join(
        _("%(reason)s %(points)s points")
        % {"reason": part.name, "points": signed(part.points * 100, regional)}
        for part in parts(reasons, 2)
    )


def signed(value: float, regional: Regional, places: int = 0) -> str:
    text = formats.number(value, regional, places)
    return f"+{text}" if value > 0 else text


@dataclass(frozen=True)
class Chance:
    """That the next decision is a renewal: `p` with its 95 % interval. The reasons move
    it from `base`, the chance of a usual customer; they add up. `gap` is how many uses
    of the power feature a month are missing to the green band."""

    p: float
    low: float | None
    high: float | None
    base: float | None
    reasons: tuple[tuple[str, float], ...]
    feature: str | None
    uses: float | None
    band: str | None
    gap: int | None

    @property
    def rest(self) -> float:
        """What the small moves add up to."""
        shown = sum(m for _, m in self.reasons if abs(m) >= _LEAST)
        return self.p - (self.base or 0.0) - shown

    @property
    def has_rest(self) -> bool:
        return abs(self.rest) >= _SHOWN

    @property
    def parts(self) -> list[Part]:
        return parts(self.reasons)


@kept(chances.NAME, "features", size=512)
def chance_of(lake: Lake, account_id: str, as_of: date) -> Chance | None:
    """The stored chance of an account on a day; None where there is none."""
    found = lake.engine.rows(chances.NAME, account_id, since=as_of)
    rows = found.filter(pl.col("date") == as_of).sort("computed_at").to_dicts()
    if not rows or rows[-1]["p"] is None:
        return None
    row = rows[-1]
    why = msgspec.json.decode(row["reasons"])
    features = lake.table("features")
    named = features.filter(features.feature_id == row["feature_id"]).select("name")
    names = lake.engine.run(named)["name"]
    return Chance(
        p=row["p"],
        low=row["p_low"],
        high=row["p_high"],
        base=why["base"],
        reasons=tuple((name, move) for name, move in why["parts"]),
        feature=names[0] if len(names) else row["feature_id"],
        uses=row["uses"],
        band=row["band_color"],
        gap=row["gap_to_green"],
    )
