"""Bands of use: the example, and those that are learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.scoring import bands
from perennial.scoring.bands import BandRules


def test_hb_1() -> None:
    uses = [0, 1, 5, 6, 10, 11, 15, 16, 200, None]
    found = [bands.example().of(x) for x in uses]
    red, orange, yellow, green = bands.COLORS
    assert [b and b.color for b in found] == [
        *(red, red, red, orange, orange, yellow, yellow, green, green, None)
    ]
    assert [b and b.p for b in found] == [
        *(None, 0.5, 0.5, 0.6, 0.6, 0.7, 0.7, 0.8, 0.8, None)
    ]
    gaps = [bands.example().gap_to_green(x) for x in uses]
    assert gaps == [16, 15, 11, 10, 6, 5, 1, 0, 0, None]


def test_bin_1() -> None:
    chances = bands.smoothed([40, 50, 60, 50], [20, 30, 42, 40], alpha=10)
    assert chances == pytest.approx([0.532, 0.61, 0.694285714, 0.776666667])
    assert [bands.color(p) for p in chances] == list(bands.COLORS)


def test_a_color_begins_with_its_cut() -> None:
    assert [bands.color(p) for p in (0.5499, 0.55, 0.65, 0.75)] == list(bands.COLORS)


def stayed(rates: dict[float, tuple[int, int]]) -> tuple[list[float], list[bool]]:
    """Uses with how many renewed of how many."""
    uses, renewed = [], []
    for x, (hits, n) in rates.items():
        uses += [x] * n
        renewed += [True] * hits + [False] * (n - hits)
    return uses, renewed


def test_bands_are_learned_where_use_tells() -> None:
    found = bands.learned(
        *stayed({2: (20, 40), 8: (30, 50), 13: (42, 60), 20: (40, 50)})
    )
    assert found is not None
    assert [b.color for b in found.bands] == list(bands.COLORS)
    assert [b.low for b in found.bands] == [0, 8, 13, 20]
    assert found.bands[0].p == pytest.approx(0.532)
    assert [b.high for b in found.bands] == [8, 13, 20, None]
    assert found.green_from == 20
    assert found.gap_to_green(7) == 13


def test_bins_that_tell_nothing_join_a_neighbor() -> None:
    # Nobody left of those who use it most: no share can be told of them alone.
    found = bands.learned(*stayed({0: (3, 12), 3: (20, 40), 9: (40, 50), 30: (35, 35)}))
    assert found is not None
    for band in found.bands:
        assert band.n >= 30
        assert min(band.renewed, band.n - band.renewed) >= 5
    assert sum(b.n for b in found.bands) == 137


def test_too_few_decisions_have_no_bands() -> None:
    assert bands.learned(*stayed({3: (10, 20)})) is None
    assert bands.learned(*stayed({3: (98, 100)})) is None
    assert bands.learned([], []) is None


def test_a_small_segment_has_the_bands_of_all_and_says_so() -> None:
    uses, renewed = stayed({2: (20, 40), 20: (45, 60)})
    segments = ["Small"] * 95 + ["Large"] * 5
    found = bands.by_segment(uses, renewed, segments)
    assert found[""].source == "workspace"
    assert found["Small"].source == "segment"
    assert found["Large"].source == "workspace"
    assert found["Large"].bands == found[""].bands
    none = bands.by_segment([1.0], [True], ["Small"])
    assert {b.source for b in none.values()} == {"example"}


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0.4, 1, 3, 7, 12, 30]), st.booleans()),
        min_size=30,
        max_size=300,
    )
)
def test_more_use_never_has_a_lower_chance(rows: list[tuple[float, bool]]) -> None:
    uses, renewed = zip(*rows, strict=True)
    found = bands.learned(uses, renewed, rules=BandRules(min_n=10, min_class=2))
    if found is None:
        assert min(sum(renewed), len(rows) - sum(renewed)) < 2
        return
    chances = [b.p for b in found.bands]
    assert chances == sorted(chances)  # type: ignore[type-var]
    assert found.bands[0].low == 0
    assert sum(b.n for b in found.bands) == len(rows)
    assert all(found.of(x) is not None for x in uses)


def test_the_level_that_was_planted_is_found_again() -> None:
    """Where the chance jumps from 0.5 to 0.9, within 40 %, in 19 of 20 tries."""
    errors = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        uses = np.round(16 * np.exp(0.8 * random.normal(size=200)))
        renewed = random.random(200) < np.where(uses >= 16, 0.9, 0.5)
        found = bands.learned(uses, [bool(r) for r in renewed])
        assert found is not None
        assert found.green_from is not None
        errors.append(abs(found.green_from / 16 - 1))
    assert sorted(errors)[18] <= 0.40


def test_a_segment_that_does_not_part_has_the_bands_of_all() -> None:
    """One band from 0 on would say that no use at all is as good as any."""
    uses, renewed = stayed({2: (20, 40), 20: (36, 45)})
    few, some = stayed({2: (4, 5), 20: (24, 30)})
    segments = ["Large"] * len(uses) + ["Small"] * len(few)
    found = bands.by_segment(uses + few, renewed + some, segments)
    assert len(bands.learned(few, some).bands) == 1  # type: ignore[union-attr]
    assert (found["Small"].source, found["Large"].source) == ("workspace", "segment")
    assert found["Small"].bands == found[""].bands


def test_where_green_begins_is_told_with_its_doubt() -> None:
    """Of 30 histories with a step at 10 uses, at least nine in ten have it within."""
    within, errors = 0, []
    for seed in range(30):
        random = np.random.default_rng(seed)
        x = np.round(np.exp(random.normal(2.3, 0.9, 300)))
        y = random.random(300) < np.where(x >= 10, 0.9, 0.5)
        found = bands.by_segment(x, list(y), [None] * 300, repeats=60)[""]
        assert found.green_from is not None
        low, high = found.green_low, found.green_high
        within += (low or 0) <= 10 <= (high or np.inf)
        errors.append(abs(found.green_from - 10) / 10)
    assert within >= 27
    assert np.median(errors) <= 0.2
    assert np.quantile(errors, 0.9) <= 0.5


def test_draws_are_the_same_each_time() -> None:
    uses, renewed = stayed({2: (20, 40), 20: (36, 45)})
    once, again = (
        bands.by_segment(uses, renewed, ["A"] * len(uses), repeats=20)["A"]
        for _ in range(2)
    )
    assert once == again
    assert once.green_low is not None
    plain = bands.by_segment(uses, renewed, ["A"] * len(uses))["A"]
    assert (plain.green_low, plain.green_high) == (None, None)
    assert plain.bands == once.bands
