"""Groups of conditions as a form: whatever is built means what was stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.customers.condition_tree import (
    Nest,
    Part,
    of_document,
    of_form,
    to_document,
)
from perennial.apps.customers.models import Segment
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User
from perennial.lake import segments as lake_segments
from tests.apps.customers.company import GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
NAMES = "abc"
DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.sampled_from([{"field": name} for name in NAMES]),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


def holds(document: Mapping[str, Any], true: Mapping[str, bool]) -> bool:
    """What a document says, by the definition of its words."""
    if "all" in document:
        return all(holds(part, true) for part in document["all"])
    if "any" in document:
        return any(holds(part, true) for part in document["any"])
    if "not" in document:
        return not holds(document["not"], true)
    return true[document["field"]]


def means_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    worlds = [
        dict(zip(NAMES, w, strict=True)) for w in product((True, False), repeat=3)
    ]
    return all(holds(one, world) == holds(other, world) for world in worlds)


def row(sent: QueryDict, place: str) -> dict[str, str]:
    return {"field": sent[f"field.{place}"]}


def form(tree: Nest, do: str = "") -> QueryDict:
    """A tree as a browser sends it."""
    data = QueryDict(mutable=True)
    data["join"], data["do"] = tree.join, do

    def put(part: Part, place: str) -> None:
        data.appendlist("row", place)
        if isinstance(part, Nest):
            data[f"join.{place}"] = part.join
            for n, inner in enumerate(part.parts):
                put(inner, f"{place}-{n}")
        else:
            data[f"field.{place}"] = part["field"]

    for n, part in enumerate(tree.parts):
        put(part, str(n))
    return data


def read(data: QueryDict) -> Nest:
    return of_form(data, row, {"field": "a"})


@given(DOCUMENTS)
def test_a_form_keeps_what_a_document_means(document: dict[str, Any]) -> None:
    tree = of_document(document)
    assert tree.join in ("all", "any")
    assert means_the_same(document, to_document(tree))
    assert to_document(read(form(tree))) == to_document(tree)
    again = of_document(to_document(tree))
    assert to_document(again) == to_document(tree)


def test_buttons_add_and_take_away_where_they_stand() -> None:
    tree = of_document({"all": [{"field": "a"}, {"any": [{"field": "b"}, {"field": "c"}]}]})  # fmt: skip
    inner = {"any": [{"field": "b"}, {"field": "c"}]}
    for do, expected in {
        "add_condition": [{"field": "a"}, inner, {"field": "a"}],
        "add_condition.1": [{"field": "a"}, {"any": [*inner["any"], {"field": "a"}]}],
        "add_group.1": [{"field": "a"}, {"any": [*inner["any"], {"any": [{"field": "a"}]}]}],
        "remove.1": [{"field": "a"}],
        "remove.1-0": [{"field": "a"}, {"any": [{"field": "c"}]}],
        "remove.9": [{"field": "a"}, inner],
    }.items():  # fmt: skip
        assert to_document(read(form(tree, do))) == {"all": expected}, do
    assert to_document(read(form(tree, "join_any")))["any"]


@pytest.mark.parametrize(
    "places", [["1-x"], ["../1"], ["0-0"], ["9" * 9], ["0", "0-0-0"]]
)
def test_places_that_are_none_are_left_out(places: list[str]) -> None:
    data = QueryDict(mutable=True)
    data.setlist("row", places)
    data["field.0"] = "a"
    known = [{"field": "a"}] if "0" in places else []
    assert to_document(read(data)) == {"all": known}


@pytest.fixture
def data(own: Path) -> Path:
    return own


def test_a_nested_segment_is_made_and_opened_again(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    """Red, or neither red nor orange: without Kestrel, who is orange."""
    bob = client_of(cast.teammate)
    sent = {
        "name": "Not orange", "do": "save", "join": "any", "row": ["0", "1", "1-0"],
        "field.0": "health_color", "op.0": "is", "value.0": "red",
        "join.1": "none",
        "field.1-0": "health_color", "op.1-0": "is", "value.1-0": ["red", "orange"],
    }  # fmt: skip
    assert bob.post(reverse("customers:segment_new"), sent).status_code == 302
    made = Segment.objects.get()
    color = {"field": "health_color", "op": "is"}
    assert made.document == {
        "any": [{**color, "value": ["red"]}, {"not": {**color, "value": ["red", "orange"]}}]
    }  # fmt: skip
    found = lake_segments.members(lake_of(cast.workspace), made.key)
    assert {SILENT, GREEN} <= set(found)
    assert KESTREL not in found
    page = bob.get(reverse("customers:segment", args=[made.key])).content.decode()
    assert 'name="join.1"' in page
    assert '<option value="none" selected>' in page
    assert 'name="field.1-0"' in page
    asked = bob.post(reverse("customers:condition"), {**sent, "do": "add_group.1"})
    assert 'name="field.1-1-0"' in asked.content.decode()
    empty = {**sent, "row": ["0", "1"], "name": "Empty"}
    assert bob.post(reverse("customers:segment_new"), empty).status_code == 302
