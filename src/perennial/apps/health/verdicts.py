"""A back-test in rows and a chart: the draft beside the version in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from perennial.lake import models
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import backtest
from perennial.scoring.trials import BAND, ways
from perennial.ui import formats
from perennial.ui.formats import Regional

Verdict = Mapping[str, Any]
#: How a change is shown: its kind, which way is good, decimals, what is noise.
_Look = tuple[str, str, int, float]


@dataclass(frozen=True)
class Line:
    """One measure: published, draft, and the change in its own unit; one below
    `noise` says nothing."""

    label: str
    hint: str
    published: str
    draft: str
    change: float | None
    kind: str
    good: str
    places: int
    noise: float


@dataclass(frozen=True)
class Judged:
    """`n` decisions, `left` of them losses. `steps` are rows of days before the
    decision: shares of leavers and stayers that were red or orange."""

    n: int
    left: int
    lines: list[Line]
    steps: list[tuple[int, str, str, str, str]]
    enough: bool


def of(verdict: Verdict, regional: Regional) -> Judged:
    """The verdict of a back-test as it is shown."""
    both = [verdict["cards"][name] for name in ("published", "draft")]
    return Judged(
        verdict["n"],
        both[1]["left"],
        _lines(both[0], both[1], regional),
        [_step(old, new, regional) for old, new in _steps(both)],
        both[1]["auc"] is not None,
    )


@dataclass(frozen=True)
class Mode:
    """Another mode of health, judged by later decisions that none had seen."""

    name: str
    verdict: backtest.Verdict


def modes(lake: Lake) -> list[Mode]:
    """Band and chance, by the version of models in force; nothing without one."""
    version = models.active(lake)
    if version is None:
        return []
    found = {way.name: way for way in ways(version.review.comparison)}
    used = next((way for way in found.values() if way.adopted), None)
    named = ((_("Color of the band"), found.get(BAND)), (_("Chance of renewal"), used))
    return [Mode(name, way.verdict) for name, way in named if way is not None]


def _lines(old: Verdict, new: Verdict, regional: Regional) -> list[Line]:
    def at(days: int, card: Verdict, who: str) -> float | None:
        return next((s[who] for s in card["at_risk"] if s["days"] == days), None)

    def share(value: float | None) -> str:
        return formats.percent(value, regional, 0)

    def number(places: int) -> Any:
        return lambda value: formats.number(value, regional, places)

    half = 0.0 if new["auc_low"] is None else (new["auc_high"] - new["auc_low"]) / 2
    rows: tuple[tuple[str, str, float | None, float | None, Any, _Look], ...] = (
        (_("Leavers caught"), _("red or orange 90 days before"),
         at(90, old, "left"), at(90, new, "left"), share, ("pp", "up", 0, 0.05)),
        (_("False alarms"), _("stayers red or orange 90 days before"),
         at(90, old, "stayed"), at(90, new, "stayed"), share, ("pp", "down", 0, 0.05)),
        (_("First warning, median"), _("days red or orange before the loss"),
         old["warning_days"], new["warning_days"], number(0), ("number", "up", 0, 14)),
        (_("Lift"), _("leavers in the lowest tenth, against all"),
         old["lift"], new["lift"], number(2), ("number", "up", 2, 0.25)),
        (_("Left of the red"), _("30 days before"),
         old["precision"], new["precision"], share, ("pp", "up", 0, 0.1)),
        (_("AUC"), _interval(new, regional),
         old["auc"], new["auc"], number(3), ("number", "up", 3, half)),
    )  # fmt: skip
    return [
        Line(label, hint, said(before), said(after), _change(before, after), *look)
        for label, hint, before, after, said, look in rows
    ]


def _change(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _interval(card: Verdict, regional: Regional) -> str:
    if card["auc_low"] is None:
        return _("too few decisions to tell")
    ends = {
        "low": formats.number(card["auc_low"], regional, 2),
        "high": formats.number(card["auc_high"], regional, 2),
    }
    return _("draft likely %(low)s–%(high)s, 95%%") % ends


def _steps(both: list[Verdict]) -> list[tuple[Verdict, Verdict]]:
    return list(zip(both[0]["at_risk"], both[1]["at_risk"], strict=True))


def _step(
    old: Verdict, new: Verdict, regional: Regional
) -> tuple[int, str, str, str, str]:
    shares = (old["left"], new["left"], old["stayed"], new["stayed"])
    a, b, c, d = (formats.percent(share, regional, 0) for share in shares)
    return new["days"], a, b, c, d
