"""Scorecards as documents: plain values, YAML and JSON with the same content."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias

import yaml

from perennial.scoring import scorecard as cards
from perennial.scoring.documents import BadScorecard, Problem
from perennial.scoring.scorecard import (
    Bands,
    CatalogMetric,
    Change,
    Component,
    Linear,
    Measure,
    Percentile,
    Profile,
    Pulse,
    Scale,
    Scorecard,
    Target,
)
from perennial.scoring.scorecard_reading import read

Document: TypeAlias = "dict[str, Any]"
Format = Literal["yaml", "json"]
#: No scorecard is longer than this; larger files are something else.
MOST_CHARACTERS = 200_000


def parse(text: str, attributes: Collection[str] | None = None) -> Scorecard:
    """The scorecard written as YAML or JSON; raises `BadScorecard`."""
    return read(plain(text), attributes)


def plain(text: str) -> object:
    """The values a text holds; JSON is YAML, too. Raises `BadScorecard`."""
    if len(text) > MOST_CHARACTERS:
        raise BadScorecard([Problem("", "is too long to be a scorecard")])
    try:
        return yaml.load(text, Loader=_Strict)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadScorecard(
            [Problem(place, error.problem or "cannot be read")]
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadScorecard([Problem("", "is neither YAML nor JSON")]) from None


class _Strict(yaml.SafeLoader):
    """Plain values; a key that stands twice is an error, and nothing is aliased."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not used here",
                                       problem_mark=mark)  # fmt: skip
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _value in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


# "1e-9" is a number, as in JSON; the YAML of 2005 wants a point in it.
_Strict.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def write(card: Scorecard, format_: Format = "yaml") -> str:
    """The card as text; reading it gives the same card."""
    document = to_document(card)
    if format_ == "json":
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=88
    )


class _Dumper(yaml.SafeDumper):
    """Short lists of numbers in one line."""

    def represent_sequence(
        self, tag: Any, sequence: Any, flow_style: Any = None
    ) -> Any:
        flat = all(isinstance(item, (int, float)) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flat)


_Dumper.add_representer(
    list,
    lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data),
)


def to_document(card: Scorecard) -> Document:
    """The card as plain values, everything said: also what is the default."""
    document: Document = {
        "name": card.name,
        "cuts": [_short(cut) for cut in card.cuts],
        "min_coverage": card.min_coverage,
        "onboarding": card.onboarding,
        "normalize_weights": card.normalize_weights,
        "components": [_component(component) for component in card.components],
    }
    if card.profiles != (Profile(cards.EVERYONE),):
        document["profiles"] = [_profile(profile) for profile in card.profiles]
    return document


def _component(component: Component) -> Document:
    source = component.source
    told: Document = {"name": component.name, "weight": _short(component.weight)}
    if isinstance(source, Measure):
        told["measure"] = source.key
        told["targets"] = _shortened(source.targets)
    elif isinstance(source, Pulse):
        told["pulse"] = {"expires_days": source.expires_days}
    else:
        told.update(_metric(source))
    if component.scale is not None:
        told["scale"] = scale_document(component.scale)
    return {**told, "missing": component.missing}


def _metric(source: CatalogMetric) -> Document:
    told: Document = {"metric": source.key}
    if source.variant:
        told["variant"] = source.variant
    if source.params:
        told["params"] = dict(source.params)
    if source.window_days is not None:
        told["window_days"] = source.window_days
    return {**told, "direction": source.direction}


def scale_document(scale: Scale) -> Document:
    """A scale as plain values."""
    if isinstance(scale, Target):
        return {"target": _short(scale.value)}
    if isinstance(scale, Linear):
        return {"linear": {"from": _short(scale.start), "to": _short(scale.end)}}
    if isinstance(scale, Percentile):
        return {"percentile": {"within": scale.within} if scale.within else True}
    return {"bands": {"includes": scale.includes, "of": _bands(scale)}}


def _bands(bands: Bands) -> list[Document]:
    found = []
    for n, points in enumerate(bands.points):
        band: Document = {}
        if n:
            band["from"] = _short(bands.edges[n - 1])
        if n < len(bands.edges):
            band["to"] = _short(bands.edges[n])
        found.append({**band, "points": _short(points)})
    return found


def _profile(profile: Profile) -> Document:
    told: Document = {"name": profile.name}
    if profile.when:
        told["when"] = profile.when
    if profile.cuts is not None:
        told["cuts"] = [_short(cut) for cut in profile.cuts]
    if profile.changes:
        told["components"] = {n: _change(c) for n, c in profile.changes.items()}
    return told


def _change(change: Change) -> Document:
    told: Document = {}
    if change.weight is not None:
        told["weight"] = _short(change.weight)
    if change.targets:
        told["targets"] = _shortened(change.targets)
    if change.scale is not None:
        told["scale"] = scale_document(change.scale)
    return told


def _shortened(values: Mapping[str, float]) -> Document:
    return {name: _short(value) for name, value in values.items()}


def _short(value: float) -> float | int:
    """30 rather than 30.0: the same number as people write it."""
    return int(value) if float(value).is_integer() else float(value)
