"""Conditions as documents: read, refused, written back, taken apart."""

from __future__ import annotations

from typing import Any

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.errors import BadValue
from perennial.lake.tables import TABLES
from perennial.metrics import conditions
from perennial.metrics.condition_fields import BARE, FIELDS, OPERATORS, field
from perennial.metrics.conditions import Group, Not, Row, read, to_document
from perennial.metrics.measured import GROUPS, MEASURES, measured


def row(key: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    told = {"field": key, "op": op, **more}
    return told if value is None else {**told, "value": value}


@st.composite
def documents(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """Any condition the form or a person could write."""
    kind = draw(
        st.sampled_from(["row", "row", "all", "any", "not"] if depth else ["row"])
    )
    if kind == "not":
        return {"not": draw(documents(depth=depth - 1))}
    if kind != "row":
        return {kind: draw(st.lists(documents(depth=depth - 1), max_size=3))}
    key = draw(
        st.sampled_from(
            [*FIELDS, "attribute:size", "feature:board", "event:x", "metric:mrr"]
        )
    )
    about = field(key)
    assert about is not None
    op = draw(st.sampled_from(OPERATORS[about.kind]))
    texts = (
        st.sampled_from(about.choices)
        if about.choices
        else st.sampled_from(["a", "b c"])
    )
    value: Any
    if op in BARE:
        value = None
    elif op in ("is", "is_not"):
        value = draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    elif op in ("before", "from"):
        value = draw(st.dates()).isoformat()
    elif op == "contains":
        value = "text"
    elif op in ("within", "not_within"):
        value = float(draw(st.integers(0, 3660)))
    else:
        value = draw(st.floats(0.001, 1e6))
    days = {"days": draw(st.integers(1, 366))} if about.kind == "count" else {}
    return row(key, op, value, **days)


@given(documents())
def test_what_is_read_is_written_back(document: dict[str, Any]) -> None:
    assert to_document(read(document)) == document


def test_yaml_and_json_are_the_same() -> None:
    text = """
    all:
      - {field: health_color, op: is, value: red}
      - not: {field: "feature:board", op: at_least, value: 2}
      - {field: created, op: from, value: 2026-01-31}
    """
    assert conditions.parse(text) == Group(
        "all",
        (
            Row("health_color", "is", ("red",)),
            Not(Row("feature:board", "at_least", 2.0, 30)),
            Row("created", "from", "2026-01-31"),
        ),
    )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "must be a mapping"),
        ({"all": [], "any": []}, "nothing beside it"),
        ({"all": "x"}, "all: must be a list"),
        ({"all": [{"any": [row("shoe_size", "is", "x")]}]},
         "all[0].any[0].field: 'shoe_size' is not known"),
        (row("mrr", "is", 5), "op: must be one of at_least"),
        (row("mrr", "at_least", "much"), "value: must be a number"),
        (row("mrr", "at_least", True), "value: must be a number"),
        (row("mrr", "at_least", float("nan")), "finite"),
        (row("mrr", "known", 5), "does not go with known"),
        (row("mrr", "at_least", 5, days=3), "days: does not go with mrr"),
        (row("mrr", "at_least", 5, color="x"), "'color' is not known"),
        (row("health_color", "is", ["blue"]), "'blue' is none of red"),
        (row("health_color", "is", []), "must be a list"),
        (row("last_touch", "within", 1.5), "whole number of days"),
        (row("created", "before", "soon"), "must be a date"),
        (row("mrr_change", "fell_by", -0.2), "must be above 0"),
        (row("feature:x", "at_least", 1, days=0), "from 1 to 366"),
        (row("feature:", "at_least", 1), "is not known"),
        ({"all": [row("name", "contains", "x")] * 61}, "at most 60 rows"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(
    document: Any, reason: str
) -> None:
    with pytest.raises(BadValue) as refused:
        read(document)
    assert reason in str(refused.value)


def test_groups_are_not_nested_without_end() -> None:
    document: dict[str, Any] = row("name", "contains", "x")
    for _ in range(8):
        document = {"not": document}
    with pytest.raises(BadValue, match="nested deeper"):
        read(document)


def test_broken_yaml_says_where() -> None:
    with pytest.raises(BadValue, match="not YAML in line 2"):
        conditions.parse("all:\n  - {field: [}")


# --- segments in conditions --------------------------------------------------

RED = Row("health_color", "is", ("red",))


def member(*keys: str) -> Row:
    return Row("member_of", "is", keys)


def test_a_segment_is_put_in_its_place() -> None:
    known = {"risky": RED, "both": Group("all", (member("risky"), RED))}
    found = conditions.expanded(Not(member("both")), known)
    inside = Group("all", (Group("any", (RED,)), RED))
    assert found == Not(Group("any", (inside,)))
    other = conditions.expanded(Row("member_of", "is_not", ("risky",)), known)
    assert other == Not(Group("any", (RED,)))


def test_circles_and_strangers_are_refused() -> None:
    circle = {"a": member("b"), "b": Not(member("c")), "c": member("a")}
    with pytest.raises(BadValue, match="a → b → c → a"):
        conditions.expanded(member("a"), circle)
    with pytest.raises(BadValue, match="no segment 'x'"):
        conditions.expanded(member("x"), {})
    twice = {"a": RED, "b": Group("any", (member("a"), member("a")))}
    conditions.expanded(member("b"), twice)  # twice is no circle


def test_every_measure_is_one_of_an_account() -> None:
    """What conditions on metrics may say is in the table, in the unit people mean."""
    table = ibis.table(TABLES["account_measures"].schema(), name="account_measures")
    for name in MEASURES:
        assert measured(table, name).columns == ("account_id", name)
    assert measured(table, "mrr").mrr.type().is_floating()
    assert {*MEASURES} >= {"health_score", "renewal", "license_use", *GROUPS}
