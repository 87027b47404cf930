"""Where green begins, found again: planted levels and outcomes of eight companies, counted
as use would be. `python -m benchmarks.truths 20` does it from events."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from perennial.demo import company, fate, truths
from perennial.demo.clock import Window
from perennial.scoring import bands
from perennial.scoring.decisions import of_usual_terms

SEEDS = range(1, 9)
CUT = bands.CUTS[-1]


def decisions(seed: int) -> pl.DataFrame:
    """Decided terms of more than a month: segment, term_days, renewed, and the uses a
    month that were counted in three months of the planted level."""
    random = np.random.default_rng(seed)
    window = Window.before(date(2026, 11, 1), 26)
    made = company.make(random, window, 400, 1.0)
    stints, terms = fate.live(random, made, window, planted=True)
    months = stints.term[terms.stint]
    kept = np.isfinite(stints.paid[terms.stint]) & (months > 1)
    some = terms.take(
        np.flatnonzero(kept & (terms.end > 120) & (terms.end < window.days))
    )
    segment = made.segment[stints.account[some.stint]]
    level = fate.level(segment, some.power)
    return pl.DataFrame(
        {
            "segment": [truths.SEGMENTS[s] for s in segment],
            "term_days": some.end - some.start,
            "renewed": some.renewed,
            "uses": random.poisson(3 * level) / 3,
        }
    )


def planted(segment: str) -> float:
    rows = truths.find("renewal_by_use", segment=segment)
    return next(float(t.low or 0) for t in rows if t.effect >= CUT)


def test_thresholds_of_segments_are_recovered_within_what_is_stated() -> None:
    """A fifth or so off in the middle, and within its interval nine times of ten."""
    errors, within = [], []
    for seed in SEEDS:
        cases = decisions(seed)
        cases = cases.filter(of_usual_terms(cases))
        found = bands.by_segment(
            cases["uses"].to_numpy(),
            cases["renewed"].to_list(),
            cases["segment"].to_list(),
            repeats=40,
        )
        for segment in truths.SEGMENTS:
            of, truth = found[segment], planted(segment)
            errors.append(abs((of.green_from or 0) - truth) / truth)
            within.append((of.green_low or 0) <= truth <= (of.green_high or np.inf))
    assert len(errors) == 24
    assert np.median(errors) <= 0.3
    assert np.quantile(errors, 0.9) <= 0.65
    assert np.mean(within) >= 0.9
