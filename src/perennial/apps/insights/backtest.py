"""Every way to tell who renews, side by side: how well, and how early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from perennial.apps.customers.reasons import Sentence
from perennial.apps.insights import words
from perennial.scoring.trials import BESIDE, Comparison, Way, ways
from perennial.ui import charts, formats
from perennial.ui.charts import Chart, Line
from perennial.ui.formats import Regional


@dataclass(frozen=True)
class Row:
    """A way beside the others; `warned` of the losses had a warning at all."""

    name: str
    way: Way
    is_beside: bool

    @property
    def warned(self) -> float | None:
        verdict = self.way.verdict
        return verdict.warned / verdict.left if verdict.left else None

    @property
    def shares(self) -> list[tuple[float | None, float | None]]:
        """Of leavers and of stayers: red or orange, by days before."""
        return [(e.caught, e.alarmed) for e in self.way.early]


def rows(compared: Comparison) -> list[Row]:
    return [
        Row(words.way_name(way.name), way, way.name in BESIDE) for way in ways(compared)
    ]


def headline(
    found: Sequence[Row], compared: Comparison, regional: Regional
) -> Sentence:
    told = [r for r in found if not r.is_beside and r.way.verdict.auc is not None]
    if not told:
        return Sentence(
            _("There are too few decisions to judge any way to tell who renews."),
            _("Ten renewals and ten losses after those learned from are needed."),
        )
    best = max(told, key=lambda r: r.way.verdict.auc or 0)
    verdict = best.way.verdict
    lead = _(
        "%(way)s tells best who renews: AUC %(auc)s (likely %(low)s–%(high)s), where "
        "guessing is 0.5."
    )
    rest = _("Tested on %(n)s later decisions none had seen, %(left)s of them losses.")
    said = {
        "way": best.name,
        "auc": formats.number(verdict.auc, regional, 2),
        "low": formats.number(verdict.auc_low, regional, 2),
        "high": formats.number(verdict.auc_high, regional, 2),
        "n": formats.number(verdict.n, regional),
        "left": formats.number(verdict.left, regional),
    }
    return Sentence(lead % said, f"{_warning(best, regional)} {rest % said}".strip())


def _warning(row: Row, regional: Regional) -> str:
    verdict = row.way.verdict
    if verdict.warning_days is None:
        return _("It turned red or orange before no loss.")
    told = _(
        "It warned of %(share)s of the losses, of half of those at least %(days)s days "
        "before."
    )
    return told % {
        "share": formats.percent(row.warned, regional, 0),
        "days": formats.number(verdict.warning_days, regional),
    }


def days(found: Sequence[Row]) -> list[int]:
    return sorted({e.days for r in found for e in r.way.early})


def chart(found: Sequence[Row], regional: Regional) -> Chart | None:
    """AUC by days before the decision; of models only the one in use, or the best."""
    models = [r for r in found if r.way.name.startswith("calibrated:")]
    best = max(
        models, key=lambda r: (r.way.adopted, r.way.verdict.auc or 0), default=None
    )
    lines = [
        Line(r.name, known)
        for r in found
        if r is best or r not in models
        if (known := {e.days: e.auc for e in r.way.early if e.auc is not None})
    ]
    if max((len(line.values) for line in lines), default=0) < 2:
        return None
    return charts.lines_chart(
        lines, regional, axis=_("days before the decision"), unit="ratio", falling=True
    )


def files(found: Sequence[Row]) -> list[Mapping[str, Any]]:
    """A row for each way and number of days before."""
    return [
        {
            "way": row.way.name,
            "days_before": e.days,
            "auc": e.auc,
            "leavers_red_or_orange": e.caught,
            "stayers_red_or_orange": e.alarmed,
            "n": e.n,
            "left": e.left,
        }
        for row in found
        for e in row.way.early
    ]


def verdicts(found: Sequence[Row]) -> list[Mapping[str, Any]]:
    """A row for each way, as it stood nearest to the decision."""
    return [
        {
            "way": row.way.name,
            "ece": row.way.ece,
            "adopted": row.way.adopted,
            **vars(row.way.verdict),
        }
        for row in found
    ]
