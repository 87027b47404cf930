"""Reading documents: values that do not fit are collected with their place.

A document is what YAML or JSON gives: mappings, lists, texts, numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

from perennial.core.errors import BadValue


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and its place: `components[2].weight`."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


class BadScorecard(BadValue):
    """A document that is no scorecard; `problems` says all that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class Reading:
    """One pass over a document, collecting problems on the way."""

    def __init__(self, attributes: Collection[str] | None) -> None:
        self.attributes = attributes
        self.problems: list[Problem] = []

    def bad(self, place: str, reason: str) -> None:
        self.problems.append(Problem(place, reason))

    def mapping(
        self, value: object, place: str, known: Sequence[str]
    ) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.bad(place, f"must be a mapping of {', '.join(known)}")
            return {}
        for name in value:
            if name not in known:
                self.bad(at(place, name), f"is not known; known: {', '.join(known)}")
        return cast("Mapping[str, Any]", value)

    def listed(self, value: object, place: str) -> list[Any]:
        if isinstance(value, list) and value:
            return value
        self.bad(place, "must be a list with something in it")
        return []

    def number(
        self,
        value: object,
        place: str,
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not isfinite(cast("float", value)):
            self.bad(place, f"must be a number, not {value!r}")
            return 0.0
        found = float(cast("float", value))
        if (low is not None and found < low) or (high is not None and found > high):
            self.bad(place, f"must be from {low:g} to {high:g}" if high is not None
                     else f"must be at least {low:g}")  # fmt: skip
        return found

    def above_zero(self, value: object, place: str) -> float:
        found = self.number(value, place)
        if found <= 0 and not self._has(place):
            self.bad(place, "must be above 0")
        return found or 1.0

    def text(self, value: object, place: str) -> str:
        if isinstance(value, str) and value.strip() and len(value) <= 200:
            return value.strip()
        self.bad(place, "must be a text of up to 200 characters")
        return ""

    def choice(self, value: object, place: str, known: Sequence[str]) -> str:
        if value in known:
            return cast("str", value)
        self.bad(place, f"must be one of {', '.join(known)}, not {value!r}")
        return known[0]

    def flag(self, value: object, place: str) -> bool:
        if not isinstance(value, bool):
            self.bad(place, "must be true or false")
        return value is True

    def _has(self, place: str) -> bool:
        return any(problem.place == place for problem in self.problems)


def at(place: str, name: object) -> str:
    """The place of something within a place."""
    return f"{place}.{name}" if place else str(name)
