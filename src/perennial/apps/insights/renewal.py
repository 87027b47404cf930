"""How chances of renewal were told, and whose are low."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from django.utils.translation import gettext as _

from perennial.apps.customers.chance import REASONS, reason_text
from perennial.apps.customers.reasons import Sentence
from perennial.apps.insights import words
from perennial.apps.insights.queries import Chance
from perennial.scoring.review import Review
from perennial.scoring.statistics import Group
from perennial.scoring.trials import Comparison, Trial
from perennial.ui import charts, formats
from perennial.ui.charts import Chart, Said
from perennial.ui.formats import Regional

#: Customers of the list: more nobody reads.
LOWEST = 25


@dataclass(frozen=True)
class ModelRow:
    """A model beside the others."""

    name: str
    trial: Trial
    failed: str


@dataclass(frozen=True)
class LowRow:
    """A customer whose chance is low, with the reasons."""

    chance: Chance
    why: str


@dataclass(frozen=True)
class Weight:
    """How far a reason moves chances on average; `share` of the farthest."""

    name: str
    points: float
    share: float


def headline(compared: Comparison, regional: Regional) -> Sentence:
    chosen = adopted(compared)
    if chosen is None:
        return Sentence(
            _("There are too few decisions to test a model of renewals."),
            _(
                "Until there are, the chance is the share that renewed at that level "
                "of use."
            ),
        )
    said = chosen.quality
    lead = _(
        "Of a customer who leaves and one who renews, the model tells which is which "
        "%(auc)s of the time."
    )
    rest = _(
        "Likely %(low)s–%(high)s, tested on %(n)s later decisions it had not seen; "
        "%(base)s of them renewed."
    )
    return Sentence(
        lead % {"auc": formats.percent(said.auc, regional, 0)},
        rest
        % {
            "low": formats.number(100 * (said.auc_low or 0), regional),
            "high": formats.percent(said.auc_high, regional, 0),
            "n": formats.number(said.n, regional),
            "base": formats.percent(said.base_rate, regional, 0),
        },
    )


def adopted(compared: Comparison) -> Trial | None:
    return next((t for t in compared.trials if t.adopted), None)


def model_rows(compared: Comparison) -> list[ModelRow]:
    return [
        ModelRow(
            str(words.MODELS[t.model]),
            t,
            ", ".join(str(words.FAILED[name]) for name in t.failed),
        )
        for t in compared.trials
    ]


def calibration(trial: Trial | None, regional: Regional) -> Chart | None:
    if trial is None:
        return None
    return charts.calibration_chart(
        [Said(g.said, g.happened, g.low, g.high, g.n) for g in trial.quality.groups],
        regional,
        said=_("said: chance of renewal"),
        happened=_("happened: share that renewed"),
        count=_("Decisions"),
    )


def lowest_groups(trial: Trial | None) -> Sequence[Group]:
    """Groups by what was said, the lowest chances first."""
    return trial.quality.groups if trial else ()


def lift(trial: Trial | None) -> float | None:
    """How many times as many left in the lowest tenth as on average."""
    if trial is None or not trial.quality.groups or trial.quality.base_rate == 1:
        return None
    lowest = trial.quality.groups[0]
    return (1 - lowest.happened) / (1 - trial.quality.base_rate)


def low_rows(customers: Sequence[Chance], regional: Regional) -> list[LowRow]:
    known = [c for c in customers if c.p is not None]
    return [LowRow(c, reason_text(c.reasons, regional)) for c in known[:LOWEST]]


def weights(review: Review, customers: Sequence[Chance]) -> list[Weight]:
    """What moves the chances of today's customers, by how far on average."""
    moves: dict[str, list[float]] = {}
    for customer in customers:
        for name, move in customer.reasons:
            moves.setdefault(name, []).append(abs(move))
    count = max(len(customers), 1)
    means = {name: fmean(found) * len(found) / count for name, found in moves.items()}
    farthest = max(means.values(), default=1.0) or 1.0
    return [
        Weight(str(REASONS.get(name, name)), mean * 100, mean / farthest)
        for name, mean in sorted(means.items(), key=lambda m: -m[1])
        if mean >= 0.001
    ]
