"""Scorecards as documents: read, refused, written, and what rules come of them."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.core.errors import BadValue
from perennial.core.settings import HealthTargets
from perennial.scoring import scorecard_text as text
from perennial.scoring.documents import BadScorecard
from perennial.scoring.scorecard import Scorecard, standard, with_tried
from perennial.scoring.scorecard_reading import read

CARDS = sorted((Path(__file__).parent / "cards").glob("*.yaml"))
ATTRIBUTES = ["segment", "plan"]
CARD: dict[str, Any] = {
    "name": "Ours",
    "cuts": [40, 60, 80],
    "components": [
        {"name": "frequency", "weight": 30, "measure": "frequency"},
        {
            "name": "seats",
            "weight": 30,
            "metric": "license_utilization",
            "direction": "up",
            "scale": {"target": 0.8},
        },
        {
            "name": "answers",
            "weight": 25,
            "metric": "first_response_time",
            "scale": {"linear": {"from": 48, "to": 4}},
        },
        {"name": "relationship", "weight": 15, "pulse": {"expires_days": 60}},
    ],
    "profiles": [
        {
            "name": "Small",
            "when": "segment = 'Small business'",
            "cuts": [35, 55, 75],
            "components": {"frequency": {"targets": {"active_days": 8}}},
        },
        {"name": "Others"},
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The card with one place changed: "components.1.weight"."""
    card = deepcopy(CARD)
    *way, last = path.split(".")
    place: Any = card
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[int(last) if last.isdigit() else last] = value
    return card


def bands(*of: dict[str, float], **more: Any) -> dict[str, Any]:
    return {"bands": {"of": list(of), **more}}


def test_the_card_is_read_as_it_stands() -> None:
    card = read(CARD, ATTRIBUTES)
    assert card.names == ("frequency", "seats", "answers", "relationship")
    assert card.rules[0].cuts == (35, 55, 75)
    small, others = (rules.components[0].source for rules in card.rules)
    assert small.targets == {"active_days": 8, "minutes": 120}  # type: ignore[union-attr]
    assert others.targets == {"active_days": 12, "minutes": 120}  # type: ignore[union-attr]
    assert card.metrics["answers"].direction == "down", "what the catalog says"


@pytest.mark.parametrize(
    ("path", "value", "place", "reason"),
    [
        ("name", "", "name", "must be a text"),
        ("color", "red", "color", "is not known"),
        ("cuts", [40, 60], "cuts", "three numbers"),
        ("cuts", [40, 40, 80], "cuts", "must rise"),
        ("cuts", [40, 60, 101], "cuts[2]", "from 0 to 100"),
        ("min_coverage", 1.5, "min_coverage", "from 0 to 1"),
        ("onboarding", "later", "onboarding", "no_score, score"),
        ("components", [], "components", "a list with something in it"),
        ("components.0.weight", 40, "components", "add up to 110, not 100"),
        ("components.0.weight", -30, "components[0].weight", "at least 0"),
        ("components.0.weight", True, "components[0].weight", "must be a number"),
        ("components.0.weight", float("nan"), "components[0].weight", "a number"),
        ("components.0.name", "seats", "components[1].name", "two components"),
        ("components.0.name", "Use!", "components[0].name", "small letters"),
        ("components.0.name", "override", "components[0].name", "is taken"),
        ("components.0.measure", "love", "components[0].measure", "frequency, breadth"),
        ("components.0.targets", {"days": 1}, "components[0].targets.days", "active_days"),
        ("components.0.targets", {"minutes": 0}, "components[0].targets.minutes", "above 0"),
        ("components.0.scale", {"target": 1}, "components[0].scale", "does not go with"),
        ("components.0.pulse", True, "components[0]", "exactly one of"),
        ("components.0.missing", "guess", "components[0].missing", "leave_out, zero"),
        ("components.1.metric", "love", "components[1].metric", "unknown metric 'love'"),
        ("components.1.metric", "health_score", "components[1].metric", "health itself"),
        ("components.1.metric", "mrr_movements", "components[1].metric", "several numbers"),
        ("components.1.metric", "ltv_cac", "components[1].metric", "not known of single"),
        ("components.1.variant", "odd", "components[1].variant", "'odd' is not known"),
        ("components.1.params", {"x": 1}, "components[1].params.x", "is not known"),
        ("components.1.window_days", 0, "components[1].window_days", "from 1 to"),
        ("components.1.direction", "none", "components[1].direction", "one of up, down"),
        ("components.1.scale", {}, "components[1].scale", "exactly one of"),
        ("components.1.scale", {"target": -1}, "components[1].scale.target", "above 0"),
        (
            "components.1.scale", bands({"to": 0.5, "points": 0}),
            "components[1].scale.bands.of", "at least two",
        ),
        (
            "components.1.scale",
            bands({"to": 0.5, "points": 0}, {"from": 0.6, "points": 100}),
            "components[1].scale.bands.of[1].from", "gap: values from 0.5 to 0.6",
        ),
        (
            "components.1.scale",
            bands({"to": 0.6, "points": 0}, {"from": 0.5, "points": 100}),
            "components[1].scale.bands.of[1].from", "overlap: values from 0.5 to 0.6",
        ),
        (
            "components.1.scale",
            bands({"from": 0, "to": 0.5, "points": 0}, {"from": 0.5, "points": 100}),
            "components[1].scale.bands.of[0].from", "below 0 have no band",
        ),
        (
            "components.1.scale",
            bands({"to": 0.5, "points": 0}, {"from": 0.5, "to": 1, "points": 100}),
            "components[1].scale.bands.of[1].to", "beyond 1 have no band",
        ),
        (
            "components.1.scale",
            bands({"points": 0}, {"points": 100}),
            "components[1].scale.bands.of[1].from", "is missing",
        ),
        (
            "components.1.scale",
            bands(
                {"to": 0.5, "points": 0},
                {"from": 0.5, "to": 0.4, "points": 50},
                {"from": 0.4, "points": 100},
            ),
            "components[1].scale.bands.of[2].from", "must rise",
        ),
        (
            "components.1.scale",
            bands({"to": 0.5, "points": 100}, {"from": 0.5, "points": 0}),
            "components[1].scale.bands.of", "against the direction up",
        ),
        (
            "components.2.scale", {"linear": {"from": 4, "to": 48}},
            "components[2].scale.linear", "against the direction down",
        ),
        (
            "components.2.scale", {"linear": {"from": 4, "to": 4}},
            "components[2].scale.linear", "the same value",
        ),
        (
            "components.1.scale", {"percentile": {"within": "galaxy"}},
            "components[1].scale.percentile.within", "unknown attribute 'galaxy'",
        ),
        ("profiles.0.when", "galaxy = 'x'", "profiles[0].when", "unknown attribute"),
        ("profiles.0.when", "segment ==", "profiles[0].when", "cannot read condition"),
        ("profiles.0.when", None, "profiles[0].when", "only the last profile"),
        ("profiles.1.when", "plan = 'x'", "profiles", "must be the default"),
        ("profiles.1.name", "Small", "profiles[1].name", "two profiles"),
        ("profiles.0.components", {"x": {}}, "profiles[0].components.x", "is not known"),
        (
            "profiles.0.components", {"seats": {"weight": 50}},
            "profiles[0].components", "add up to 120",
        ),
        (
            "profiles.0.components", {"relationship": {"scale": {"target": 1}}},
            "profiles[0].components.relationship.scale", "has no scale",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    path: str, value: Any, place: str, reason: str
) -> None:
    with pytest.raises(BadScorecard) as refused:
        read(changed(path, value), ATTRIBUTES)
    found = [(p.place, p.reason) for p in refused.value.problems]
    assert any(at == place and reason in why for at, why in found), found


@pytest.mark.parametrize("document", [None, [], "text", 3, {"name": "x"}])
def test_what_is_no_scorecard_is_refused(document: Any) -> None:
    with pytest.raises(BadScorecard):
        read(document)


def test_a_published_card_of_140_percent_is_refused_or_normalized() -> None:
    """The weights of a card as it was published: 50, 40, 30 and 20."""
    card = deepcopy(CARD)
    card.pop("profiles")
    for component, weight in zip(card["components"], (50, 40, 30, 20), strict=True):
        component["weight"] = weight
    with pytest.raises(BadScorecard, match="add up to 140"):
        read(card)
    shares = read({**card, "normalize_weights": True}).rules[0].shares
    assert [shares[n] for n in ("frequency", "relationship")] == [50 / 140, 20 / 140]
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_published_cards_are_read(path: Path) -> None:
    card = text.parse(path.read_text())
    assert text.parse(text.write(card)) == card


@pytest.mark.parametrize("format_", ["yaml", "json"])
def test_both_formats_say_the_same(format_: text.Format) -> None:
    for card in (read(CARD), standard(HealthTargets())):
        assert text.parse(text.write(card, format_)) == card


def test_the_example_of_the_documentation_is_a_scorecard() -> None:
    page = Path(__file__).parents[2] / "docs/how-to/edit-a-scorecard.md"
    example = page.read_text().split("```yaml\n")[1].split("```")[0]
    card = text.parse(example, ATTRIBUTES)
    assert [p.name for p in card.profiles] == [
        "Trials", "Small business", "Everyone else",
    ]  # fmt: skip
    assert sum(c.weight for c in card.components) == 100


def test_yaml_says_where_it_cannot_be_read() -> None:
    for written, place in (
        ("name: [x", "line 1"),
        ("name: a\nname: b\n", "line 2"),
        ("name: &a x\nnote: *a\n", "line 2"),
        ("name: !!python/object:os.system x\n", "line 1"),
    ):
        with pytest.raises(BadScorecard, match=place):
            text.parse(written)
    with pytest.raises(BadScorecard, match="too long"):
        text.parse("#" * 300_000)


def test_the_usual_card_is_the_composite_score() -> None:
    card = standard(HealthTargets())
    assert [c.weight for c in card.components] == [30, 25, 30, 15]
    assert list(card.rules[0].shares.values()) == [0.30, 0.25, 0.30, 0.15]
    assert not card.normalize_weights
    odd = standard(HealthTargets(weights=(1, 1, 1, 0.5)))
    assert text.parse(text.write(odd)) == odd, "other weights are shares, and say so"


def test_cuts_and_weights_can_be_tried() -> None:
    card = with_tried(read(CARD), cuts=(10, 20, 30), weights=(1, 1, 1, 1))
    assert {rules.cuts for rules in card.rules} == {(10, 20, 30)}
    assert set(card.rules[0].shares.values()) == {0.25}
    for bad in ({"cuts": (3, 2, 1)}, {"weights": (1,)}, {"weights": (0, 0, 0, 0)}):
        with pytest.raises(BadValue):
            with_tried(card, **bad)  # type: ignore[arg-type]


numbers = st.floats(0.001, 1000).map(lambda x: round(x, 3))
ending = st.sampled_from(["leave_out", "zero", "insufficient"])


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Any scorecard of the usual parts, bands and lines."""
    edges = sorted(draw(st.sets(numbers, min_size=1, max_size=5)))
    points = sorted(draw(st.lists(st.floats(0, 100), min_size=len(edges) + 1,
                                  max_size=len(edges) + 1)))  # fmt: skip
    rows: list[dict[str, float]] = [{"points": p} for p in points]
    for n, edge in enumerate(edges):
        rows[n]["to"] = rows[n + 1]["from"] = edge
    low, high = sorted(draw(st.sets(numbers, min_size=2, max_size=2)))
    scales = [
        bands(*rows, includes=draw(st.sampled_from(["lower", "upper"]))),
        {"linear": {"from": low, "to": high}},
        {"target": draw(numbers)},
        {"percentile": draw(st.sampled_from([True, {"within": "segment"}]))},
    ]
    metric = {
        "metric": "license_utilization",
        "direction": "up",
        "missing": draw(ending),
    }
    components: list[dict[str, Any]] = [
        {"name": f"c{n}", "weight": draw(numbers), **metric, "scale": scale}
        for n, scale in enumerate(scales)
    ]
    components.append({"name": "depth", "weight": draw(numbers), "measure": "depth"})
    return {"name": "Any", "normalize_weights": True, "components": components}


@settings(max_examples=50)
@given(documents())
def test_any_card_is_the_same_after_a_round_trip(document: dict[str, Any]) -> None:
    card = read(document, ATTRIBUTES)
    assert isinstance(card, Scorecard)
    assert text.parse(text.write(card, "yaml"), ATTRIBUTES) == card
    assert text.parse(text.write(card, "json"), ATTRIBUTES) == card
    assert json.loads(text.write(card, "json")) == text.plain(text.write(card, "yaml"))
    assert sum(card.rules[0].shares.values()) == pytest.approx(1)
