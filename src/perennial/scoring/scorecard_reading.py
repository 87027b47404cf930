"""From a document to a scorecard: everything that is wrong with it, and where.

Nothing is guessed; what does not fit is refused with its place, all of it at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from perennial.core.errors import PerennialError, UnknownName
from perennial.core.settings import HealthTargets
from perennial.metrics import filters, registry
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.scoring import scorecard as cards
from perennial.scoring.documents import BadScorecard
from perennial.scoring.scale_reading import Scales
from perennial.scoring.scorecard import (
    CatalogMetric,
    Change,
    Component,
    Direction,
    Measure,
    Profile,
    Pulse,
    Scale,
    Scorecard,
    Source,
)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MISSING = ("leave_out", "zero", "insufficient")
#: No window of a component is longer than three years.
_LONGEST = 1096
#: Metrics that are made from health would be made from themselves.
_CIRCULAR = "health_snapshots"


def read(
    document: object,
    attributes: Collection[str] | None = None,
    catalog: Mapping[str, registry.Metric] | None = None,
    segments: Collection[str] | None = None,
) -> Scorecard:
    """The scorecard of a document; raises `BadScorecard`.

    `attributes`: names of account attributes that conditions may speak of; without
    them any name will do. `catalog`: the metrics there are, or the built-in ones.
    `segments`: keys of saved segments, as `attributes`.
    """
    reading = _Cards(attributes)
    reading.segments = segments
    reading.catalog = registry.all_metrics() if catalog is None else catalog
    card = reading.scorecard(document)
    if reading.problems or card is None:
        raise BadScorecard(reading.problems)
    return card


class _Cards(Scales):
    """Reads scorecards and profiles."""

    catalog: Mapping[str, registry.Metric]
    segments: Collection[str] | None = None

    # The card

    def scorecard(self, document: object) -> Scorecard | None:
        known = (
            "name", "cuts", "min_coverage", "missing", "onboarding",
            "normalize_weights", "components", "profiles",
        )  # fmt: skip
        given = self.mapping(document, "", known)
        if not given:
            return None
        missing = self.choice(given.get("missing", "leave_out"), "missing", _MISSING)
        components = tuple(
            self.component(each, f"components[{n}]", missing)
            for n, each in enumerate(self.listed(given.get("components"), "components"))
        )
        self._unique([c.name for c in components], "components", "component")
        rule = given.get("onboarding", "no_score")
        card = Scorecard(
            name=self.text(given.get("name"), "name"),
            components=components,
            cuts=self.cuts(given.get("cuts", [40, 60, 80]), "cuts"),
            min_coverage=self.number(
                given.get("min_coverage", 0.5), "min_coverage", low=0, high=1
            ),
            onboarding=self.choice(rule, "onboarding", ("no_score", "score")),  # type: ignore[arg-type]
            normalize_weights=self.flag(
                given.get("normalize_weights", False), "normalize_weights"
            ),
            profiles=self.profiles(given.get("profiles"), components),
        )
        self._weights(card)
        return card

    def cuts(self, value: object, place: str) -> cards.Cuts:
        if not isinstance(value, list) or len(value) != 3:
            self.bad(place, "must be three numbers: where orange, yellow, green begin")
            return (40.0, 60.0, 80.0)
        found = [
            self.number(v, f"{place}[{n}]", low=0, high=100)
            for n, v in enumerate(value)
        ]
        if not 0 < found[0] < found[1] < found[2]:
            self.bad(place, "must rise: red < orange < yellow < green, all above 0")
        return found[0], found[1], found[2]

    def _unique(self, names: Sequence[str], place: str, what: str) -> None:
        for n, name in enumerate(names):
            if name in names[:n]:
                self.bad(f"{place}[{n}].name", f"there are two {what}s {name!r}")

    def _weights(self, card: Scorecard) -> None:
        """In every profile weights add up to 100, or are said to be normalized."""
        if self.problems:
            return
        for n, (rules, profile) in enumerate(
            zip(card.rules, card.profiles, strict=True)
        ):
            changed = any(c.weight is not None for c in profile.changes.values())
            place = f"profiles[{n}].components" if changed else "components"
            total = sum(component.weight for component in rules.components)
            if total == 0:
                self.bad(place, "at least one weight must be above 0")
            elif abs(total - 100) > 1e-9 and not card.normalize_weights:
                self.bad(
                    place,
                    f"weights add up to {total:g}, not 100 "
                    "(normalize_weights: true takes them as shares)",
                )
            if not changed and self.problems:
                return

    # Components

    def component(self, value: object, place: str, missing: str) -> Component:
        known = (
            "name", "weight", "measure", "targets", "metric", "variant", "params",
            "window_days", "direction", "scale", "pulse", "missing",
        )  # fmt: skip
        given = self.mapping(value, place, known)
        name = self.text(given.get("name"), f"{place}.name")
        if name and not _NAME.fullmatch(name):
            self.bad(f"{place}.name", "is of small letters, digits and _, up to 40")
        if name == cards.OVERRIDE:
            self.bad(f"{place}.name", "is taken by overrides")
        source, scale = self.source(given, place)
        rule = given.get("missing", missing)
        return Component(
            name=name,
            weight=self.number(given.get("weight"), f"{place}.weight", low=0),
            source=source,
            scale=scale,
            missing=self.choice(rule, f"{place}.missing", _MISSING),  # type: ignore[arg-type]
        )

    def source(
        self, given: Mapping[str, Any], place: str
    ) -> tuple[Source, Scale | None]:
        kinds = [kind for kind in ("measure", "metric", "pulse") if kind in given]
        if len(kinds) != 1:
            self.bad(place, "needs exactly one of measure, metric, pulse")
            return Pulse(), None
        fits = {
            "measure": ("targets",),
            "metric": ("variant", "params", "window_days", "direction", "scale"),
            "pulse": (),
        }[kinds[0]]
        every = ("targets", "variant", "params", "window_days", "direction", "scale")
        for name in every:
            if name in given and name not in fits:
                self.bad(f"{place}.{name}", f"does not go with {kinds[0]}")
        if kinds[0] == "measure":
            return self.measure(given, place), None
        if kinds[0] == "pulse":
            return self.pulse(given["pulse"], f"{place}.pulse"), None
        metric = self.metric(given, place)
        scale = self.scale(given.get("scale"), f"{place}.scale", metric.direction)
        return metric, scale

    def measure(self, given: Mapping[str, Any], place: str) -> Measure:
        key = self.choice(given["measure"], f"{place}.measure", tuple(cards.MEASURES))
        targets = self.targets(given.get("targets", {}), f"{place}.targets", key)
        standard = HealthTargets()
        usual = {name: getattr(standard, name) for name in cards.MEASURES[key]}
        return Measure(key, {**usual, **targets})

    def targets(self, value: object, place: str, key: str) -> dict[str, float]:
        known = cards.MEASURES[key]
        given = self.mapping(value, place, known)
        return {
            n: self.above_zero(v, f"{place}.{n}")
            for n, v in given.items()
            if n in known
        }

    def pulse(self, value: object, place: str) -> Pulse:
        if value is True:
            return Pulse()
        given = self.mapping(value, place, ("expires_days",))
        days = given.get("expires_days", 90)
        return Pulse(int(self.number(days, f"{place}.expires_days", low=1, high=366)))

    def metric(self, given: Mapping[str, Any], place: str) -> CatalogMetric:
        key = self.text(given["metric"], f"{place}.metric")
        metric = self.catalog.get(key)
        if metric is None:
            error = UnknownName("metric", key, list(self.catalog))
            self.bad(f"{place}.metric", str(error))
            return CatalogMetric("", "up")
        self._is_of_accounts(metric, f"{place}.metric")
        variant = given.get("variant", "")
        if variant and variant not in metric.variants:
            names = ", ".join(metric.variants) or "none"
            self.bad(f"{place}.variant", f"{variant!r} is not known; known: {names}")
        params = self.mapping(
            given.get("params", {}), f"{place}.params", tuple(metric.params)
        )
        days = given.get("window_days")
        if days is not None:
            days = int(self.number(days, f"{place}.window_days", low=1, high=_LONGEST))
        return CatalogMetric(
            metric.key,
            self.direction(given, place, metric.good),
            str(variant),
            {name: str(v) for name, v in params.items()},
            days,
            metric.title,
            metric.unit_of(variant if variant in metric.variants else ""),
        )

    def _is_of_accounts(self, metric: registry.Metric, place: str) -> None:
        if _CIRCULAR in metric.reads:
            self.bad(place, f"{metric.key} is made from health itself")
        elif "account" not in metric.dimensions:
            self.bad(place, f"{metric.key} is not known of single accounts")
        elif metric.makes or not metric.fills:
            self.bad(place, f"{metric.key} is several numbers, not one an account")

    def direction(self, given: Mapping[str, Any], place: str, good: str) -> Direction:
        if "direction" in given:
            found = self.choice(
                given["direction"], f"{place}.direction", ("up", "down")
            )
            return cast("Direction", found)
        if good == "none":
            self.bad(
                f"{place}.direction", "must say whether more is better: up or down"
            )
            return "up"
        return cast("Direction", good)

    # Profiles

    def profiles(
        self, value: object, components: Sequence[Component]
    ) -> tuple[Profile, ...]:
        if value is None:
            return (Profile(cards.EVERYONE),)
        rows = self.listed(value, "profiles")
        found = tuple(
            self.profile(each, f"profiles[{n}]", components)
            for n, each in enumerate(rows)
        )
        self._unique([p.name for p in found], "profiles", "profile")
        for n, profile in enumerate(found[:-1]):
            if not profile.when and isinstance(rows[n], Mapping):
                self.bad(f"profiles[{n}].when",
                         "only the last profile is for all others")  # fmt: skip
        if found and found[-1].when:
            self.bad("profiles", "the last profile must be the default: without `when`")
        return found or (Profile(cards.EVERYONE),)

    def profile(
        self, value: object, place: str, components: Sequence[Component]
    ) -> Profile:
        given = self.mapping(value, place, ("name", "when", "cuts", "components"))
        cuts = given.get("cuts")
        return Profile(
            name=self.text(given.get("name"), f"{place}.name"),
            when=self.condition(given.get("when"), f"{place}.when"),
            cuts=None if cuts is None else self.cuts(cuts, f"{place}.cuts"),
            changes=self.changes(
                given.get("components", {}), f"{place}.components", components
            ),
        )

    def condition(self, value: object, place: str) -> str:
        if value is None:
            return ""
        written = self.text(value, place)
        try:
            parsed = filters.parse(written)
        except PerennialError as error:
            self.bad(place, str(error))
            return written
        for name in filters.names(parsed):
            if name == IN_SEGMENT:
                self.memberships(parsed, place)
            elif name not in cards.FACTS:
                self.attribute(name, place)
        return written

    def memberships(self, parsed: filters.Condition, place: str) -> None:
        """Segments are known, and compared as what an account has several of."""
        try:
            _, keys = filters.flagged(parsed, IN_SEGMENT, str)
        except PerennialError as error:
            self.bad(place, str(error))
            return
        for key in keys:
            if self.segments is not None and key not in self.segments:
                self.bad(place, str(UnknownName("segment", key, sorted(self.segments))))

    def changes(
        self, value: object, place: str, components: Sequence[Component]
    ) -> dict[str, Change]:
        by_name = {component.name: component for component in components}
        given = self.mapping(value, place, tuple(by_name))
        return {
            name: self.change(each, f"{place}.{name}", by_name[name])
            for name, each in given.items()
            if name in by_name
        }

    def change(self, value: object, place: str, component: Component) -> Change:
        given = self.mapping(value, place, ("weight", "targets", "scale"))
        source, weight = component.source, given.get("weight")
        targets: dict[str, float] = {}
        scale: Scale | None = None
        if "targets" in given and isinstance(source, Measure):
            targets = self.targets(given["targets"], f"{place}.targets", source.key)
        elif "scale" in given and isinstance(source, CatalogMetric):
            scale = self.scale(given["scale"], f"{place}.scale", source.direction)
        for name, kind in (("targets", Measure), ("scale", CatalogMetric)):
            if name in given and not isinstance(source, kind):
                self.bad(f"{place}.{name}", f"{component.name} has no {name}")
        if weight is not None:
            weight = self.number(weight, f"{place}.weight", low=0)
        return Change(weight, targets, scale)
