from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perennial.ui import shapes

numbers = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(st.none() | numbers, max_size=40))
def test_a_sparkline_stays_in_its_box(values: list[float | None]) -> None:
    drawn = shapes.spark(values)
    known = sum(v is not None for v in values)
    assert (drawn is None) == (known < 2)
    if drawn is None:
        return
    points = [p.split(",") for line in drawn.points for p in line.split()]
    assert len(points) == known
    for x, y in points:
        assert 0 <= float(x) <= 64
        assert 0 <= float(y) <= 20


def test_a_sparkline_is_cut_where_a_value_is_missing() -> None:
    drawn = shapes.spark([1, 2, None, 3, 4])
    assert drawn is not None
    assert len(drawn.points) == 2
    assert (drawn.end_x, drawn.end_y) == (61, 3)


def test_a_flat_sparkline_runs_through_the_middle() -> None:
    drawn = shapes.spark([5, 5, 5])
    assert drawn is not None
    assert drawn.points == ("3,10 32,10 61,10",)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 1e6)), max_size=6))
def test_parts_of_a_bar_fill_it(parts: list[tuple[str, float]]) -> None:
    drawn = shapes.split(parts)
    if drawn:
        assert abs(drawn[-1].x + drawn[-1].width - 100) < 0.1
        assert drawn[0].x == 0


def test_shares_are_kept_between_nothing_and_all() -> None:
    assert [shapes.share(v, 4) for v in (-1, 1, 9)] == [0.0, 25.0, 100.0]
    assert shapes.share(1, 0) == 0.0


def test_heat_has_eight_steps_and_an_empty_one() -> None:
    steps = [shapes.heat_step(v, 100) for v in (None, 0, 0.1, 50, 100)]
    assert steps == [0, 0, 1, 4, 8]
