"""Every way to tell who renews, tried on decisions it had not seen.

The bands of use are the first model. Models of more measures have to beat them, and
the base rate: each is learned again and again from what was decided by a day, and
judged by what was decided after it. All are asked once more as things stood longer
before, which tells how early each would have warned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np

from perennial.scoring import bands
from perennial.scoring.additive import logistic
from perennial.scoring.backtest import FEWEST, RISKY, Verdict, judge
from perennial.scoring.renewal import FITS, Cases, chance_by_bands, fit
from perennial.scoring.statistics import Floats, Quality, auc, one_thread, quality

#: The part of all decisions, oldest first, that the first model is learned from, and
#: the number of times it is learned again after that.
_FIRST, _FOLDS = 0.4, 5
#: Fewer stayers, or leavers, than this judge nothing.
_LEAST_JUDGING = 10
#: Ways that learn nothing go by the name of their score.
COMPOSITE, BAND, BESIDE = "composite", "band", ("silent_days", "usage_counts")


@dataclass(frozen=True)
class Look:
    """Decisions as they stood `days` before: `at` are their places among all."""

    days: int
    at: np.ndarray
    cases: Cases


@dataclass(frozen=True)
class Trial:
    """A model judged by decisions it had not seen; `adopted` if it is the one used.

    `verdict` judges its chances as a score, colored by the cuts of bands. `failed`
    names what speaks against it: `brier` (not better than the simpler one), `base` (not
    better than the base rate), `ece` (chances off by too much).
    """

    model: str
    quality: Quality
    verdict: Verdict
    adopted: bool = False
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Early:
    """How well a way told `days` before: AUC on `n` decisions, `left` of them losses,
    and of leavers and of stayers the share that was red or orange (None: uncolored)."""

    way: str
    days: int
    n: int
    left: int
    auc: float | None
    caught: float | None
    alarmed: float | None


@dataclass(frozen=True)
class Comparison:
    """All models on the same decisions. `status` is `insufficient` where there are too
    few to judge by: then there are no trials, and the bands stand."""

    status: str
    trials: tuple[Trial, ...]
    adopted: str
    #: What anybody could look at instead, by name.
    beside: Mapping[str, Verdict]
    #: The composite health score on the same decisions; None where it was not given.
    health: Verdict | None
    n: int
    since: date | None
    #: The same, asked earlier, by way: models, what stands beside, `composite`.
    early: tuple[Early, ...] = ()
    #: The colors of bands as health, likewise.
    band: Verdict | None = None


@dataclass(frozen=True)
class Way:
    """One way to tell health, judged: `composite`, `band`, `calibrated:` with the kind
    of model, or what stands beside them; `ece` of those that say chances."""

    name: str
    verdict: Verdict
    ece: float | None
    adopted: bool
    early: tuple[Early, ...]


def ways(compared: Comparison) -> list[Way]:
    """Every way on the same decisions: the modes of health, then what stands beside."""

    def way(name: str, key: str, verdict: Verdict, trial: Trial | None = None) -> Way:
        early = tuple(e for e in compared.early if e.way == key)
        ece, adopted = (trial.quality.ece, trial.adopted) if trial else (None, False)
        return Way(name, verdict, ece, adopted, early)

    modes = ((COMPOSITE, compared.health), (BAND, compared.band))
    found = [way(name, name, verdict) for name, verdict in modes if verdict is not None]
    for trial in compared.trials:
        name = f"calibrated:{trial.model}"
        found.append(way(name, trial.model, trial.verdict, trial))
    return [*found, *(way(name, name, v) for name, v in compared.beside.items())]


#: The looks as measured by what was known from some decisions (their places).
Choose = Callable[[np.ndarray], Sequence[Look]]


def folds(
    cases: Cases, min_class: int, look: Look | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows to judge by: later ones, whose measures end when all
    of the former had been decided. With a look, rows to judge by are those of it."""
    seen = look or Look(0, np.arange(len(cases)), cases)
    decided = np.array(cases.decided_on, "datetime64[D]")
    known = np.array(seen.cases.known_on, "datetime64[D]")
    for part in np.array_split(np.arange(judged_from(len(cases)), len(cases)), _FOLDS):
        later = np.flatnonzero(np.isin(seen.at, part))
        if not len(later):
            continue
        before = np.flatnonzero(decided < known[later].min())
        stayed = int(cases.renewed[before].sum())
        if min(stayed, len(before) - stayed) >= min_class:
            yield before, later


def judged_from(n: int) -> int:
    """Of so many decisions, the first that may be judged."""
    return round(n * _FIRST)


@one_thread
def compare(
    looks: Sequence[Look],
    *,
    choose: Choose | None = None,
    min_class: int = 20,
    ece_max: float = 0.05,
    rules: bands.BandRules | None = None,
) -> Comparison:
    """Every model on the same later decisions, simplest first.

    The first look is of all cases; the others of the same decisions longer before, the
    nearest first. Whatever is said so early is by models of what was decided by then.
    `choose` gives the looks as they are measured by what some decisions, those before
    what is judged, say is the power feature; without it they are as they are.
    """
    cases = looks[0].cases
    asking = _Asking(looks, choose or (lambda _: looks), min_class, rules)
    told = [asking.at(0)]
    judged = told[0].at
    y = cases.renewed[judged]
    if min(y.sum(), (~y).sum()) < _LEAST_JUDGING:
        return Comparison("insufficient", (), "bands", {}, None, len(cases), None)
    told += [asking.at(n) for n in range(1, len(looks))]
    ways = _scorers(cases, rules)
    verdicts = {way: _judged(way, told, y) for way in ways}
    found = {model: quality(told[0].scores[model], y) for model in ("bands", *FITS)}
    trials, adopted = _adopted(found, verdicts, ece_max)
    since = cases.decided_on[int(judged[0])]
    return Comparison(
        status="ok",
        trials=trials,
        adopted=adopted,
        beside={way: verdicts[way] for way in BESIDE if way in verdicts},
        health=verdicts.get(COMPOSITE),
        band=verdicts[BAND],
        n=len(judged),
        since=since,
        early=tuple(
            _early(way, look, cases.renewed[look.at]) for way in ways for look in told
        ),
    )


#: Scores of cases, by what was decided before them: rows to learn from, cases to tell.
_Scorer = Callable[[np.ndarray, Cases], Floats]


def _scorers(cases: Cases, rules: bands.BandRules | None) -> Mapping[str, _Scorer]:
    scorers: dict[str, _Scorer] = {
        BAND: lambda before, later: _by_color(cases.take(before), later, rules),
        "bands": lambda before, later: _by_bands(cases.take(before), later, rules),
    }
    for kind in FITS:
        scorers[kind] = partial(_by_model, cases, kind)
    if cases.health is not None:
        scorers[COMPOSITE] = lambda _, later: _given(later.health)
    if cases.silent is not None:
        scorers["silent_days"] = lambda _, later: -_given(later.silent)
    if cases.counts is not None:
        scorers["usage_counts"] = partial(_by_counts, cases)
    return scorers


def _given(values: Floats | None) -> Floats:
    assert values is not None, "every look has what the first has"
    return values


@dataclass(frozen=True)
class _Told:
    """What each way said `days` before, of decisions `at` these places."""

    days: int
    at: np.ndarray
    scores: Mapping[str, Floats]
    colors: Mapping[str, Sequence[str | None]]


@dataclass(frozen=True)
class _Asking:
    """Every way, asked of every look."""

    looks: Sequence[Look]
    choose: Choose
    min_class: int
    rules: bands.BandRules | None

    def at(self, n: int) -> _Told:
        cases, look = self.looks[0].cases, self.looks[n]
        scores = {way: [np.zeros(0)] for way in _scorers(cases, self.rules)}
        rows = [np.arange(0)]
        for before, later in folds(cases, self.min_class, look):
            seen = self.choose(before)
            judged = seen[n].cases.take(later)
            for way, say in _scorers(seen[0].cases, self.rules).items():
                scores[way].append(say(before, judged))
            rows.append(later)
        cuts = self.rules.cuts if self.rules else bands.CUTS
        said = {way: np.concatenate(parts) for way, parts in scores.items()}
        return _colored(look, np.concatenate(rows), said, cuts)


def _colored(
    look: Look,
    rows: np.ndarray,
    scores: Mapping[str, Floats],
    cuts: tuple[float, float, float],
) -> _Told:
    later = look.cases.take(rows)
    colors: dict[str, Sequence[str | None]] = {
        way: [None if np.isnan(p) else bands.color(p, cuts) for p in said]
        for way, said in scores.items()
        if way not in (COMPOSITE, "silent_days")
    }
    colors[COMPOSITE] = later.colors
    return _Told(look.days, look.at[rows], scores, colors)


def _judged(way: str, told: Sequence[_Told], y: np.ndarray) -> Verdict:
    """A way on the decisions it had a score for."""
    first = told[0]
    scores, colors = first.scores[way], first.colors.get(way, ())
    known = np.flatnonzero(~np.isnan(scores))
    warned = _warnings(way, told, first.at[~y])
    return judge(
        scores[known],
        [bool(v) for v in y[known]],
        colors=[colors[int(i)] for i in known] if colors else (),
        warnings=[*warned.values()],
    )


def _warnings(
    way: str, told: Sequence[_Told], lost: np.ndarray
) -> Mapping[int, int | None]:
    """Days before each loss from which on it was red or orange whenever asked."""
    found: dict[int, int | None] = dict.fromkeys(int(row) for row in lost)
    going = set(found)
    for look in told:
        colors = look.colors.get(way, ())
        going &= {
            int(row)
            for row, color in zip(look.at, colors, strict=False)
            if color in RISKY
        }
        found.update(dict.fromkeys(going, look.days))
    return found


def _early(way: str, look: _Told, y: np.ndarray) -> Early:
    scores, colors = look.scores[way], look.colors.get(way, ())
    known = ~np.isnan(scores)
    risky = np.array([color in RISKY for color in colors], bool)

    def share(of: np.ndarray) -> float | None:
        return float(risky[of].mean()) if len(risky) and of.any() else None

    stayed, left = known & y, known & ~y
    enough = min(stayed.sum(), left.sum()) >= FEWEST
    return Early(
        way,
        look.days,
        n=int(known.sum()),
        left=int(left.sum()),
        auc=auc(scores[stayed], scores[left]) if enough else None,
        caught=share(left),
        alarmed=share(stayed),
    )


def _adopted(
    found: Mapping[str, Quality], verdicts: Mapping[str, Verdict], ece_max: float
) -> tuple[tuple[Trial, ...], str]:
    chosen, failures = "bands", {}
    for model, told in found.items():
        if model == "bands":
            continue
        failed = [
            name
            for name, fails in (
                ("brier", told.brier >= found[chosen].brier),
                ("base", told.brier >= told.brier_base),
                ("ece", told.ece > ece_max),
            )
            if fails
        ]
        failures[model] = tuple(failed)
        if not failed:
            chosen = model
    trials = [
        Trial(model, told, verdicts[model], model == chosen, failures.get(model, ()))
        for model, told in found.items()
    ]
    return tuple(trials), chosen


def _by_color(old: Cases, later: Cases, rules: bands.BandRules | None) -> Floats:
    """The chance by which the band of each is colored; where bands are an example, no
    use has none, and is red."""
    counted = old if old.counted is None else old.take(np.flatnonzero(old.counted))
    told = chance_by_bands(_bands(counted, rules), later.uses, later.segments)
    return np.where(np.isnan(told) & (later.uses == 0), 0.0, told)


def _bands(old: Cases, rules: bands.BandRules | None) -> Mapping[str, bands.Bands]:
    seen = old.take(np.flatnonzero(~np.isnan(old.uses)))
    renewed = [bool(v) for v in seen.renewed]
    return bands.by_segment(seen.uses, renewed, seen.segments, rules)


def _by_bands(old: Cases, later: Cases, rules: bands.BandRules | None) -> Floats:
    found = _bands(old, rules)
    told = chance_by_bands(found, later.uses, later.segments)
    return np.where(np.isnan(told), old.renewed.mean(), told)


def _by_model(cases: Cases, kind: str, before: np.ndarray, later: Cases) -> Floats:
    model = fit(kind, cases.x[before], cases.renewed[before], cases.names)
    return model.chances(later.x)


def _by_counts(cases: Cases, before: np.ndarray, later: Cases) -> Floats:
    x = np.log1p(_given(cases.counts))
    names = [str(n) for n in range(x.shape[1])]
    model = logistic(x[before], cases.renewed[before], names)
    return model.chances(np.log1p(_given(later.counts)))
