"""What a health score is made of: a scorecard, as plain values.

A scorecard is a document people edit and publish (`scorecard_text` reads and writes
it); a published version never changes. Profiles are tried in their order, and the
first that fits an account overrides targets, scales, weights and cuts; the last one
fits every account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

from perennial.core.errors import BadValue
from perennial.core.settings import HealthTargets
from perennial.metrics.registry import Unit

Direction = Literal["up", "down"]
Missing = Literal["leave_out", "zero", "insufficient"]
Onboarding = Literal["no_score", "score"]
Cuts: TypeAlias = tuple[float, float, float]

#: The four parts of H01 and the targets each of them has.
MEASURES: Mapping[str, tuple[str, ...]] = {
    "frequency": ("active_days", "minutes"),
    "breadth": ("breadth",),
    "depth": ("coverage", "events_per_session"),
    "growth": ("growth",),
}
#: What conditions of profiles may speak of beside account attributes.
FACTS = ("is_trial", "age_days", "mrr")
#: The part an override adds, so that the parts still add up to the score.
OVERRIDE = "override"
EVERYONE = "All accounts"


@dataclass(frozen=True)
class Measure:
    """One of the four parts of H01, 0 to 100 by its own formula and these targets."""

    key: str
    targets: Mapping[str, float]


@dataclass(frozen=True)
class CatalogMetric:
    """A metric of the catalog, of each account over the days before the score.

    `direction` says whether more is better. What the catalog calls it, and its unit,
    are no part of the card.
    """

    key: str
    direction: Direction
    variant: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    window_days: int | None = None
    title: str = field(default="", compare=False, repr=False)
    unit: Unit = field(default="count", compare=False, repr=False)


@dataclass(frozen=True)
class Pulse:
    """What a person says of the relationship, 0 to 100; it holds for some days."""

    expires_days: int = 90


@dataclass(frozen=True)
class Target:
    """100 points from the target on, a share of them before it."""

    value: float


@dataclass(frozen=True)
class Bands:
    """Points by band. `edges` rise and separate the bands: one less than `points`.

    An edge belongs to the band above it, or to the one below where `includes` is
    "upper".
    """

    edges: tuple[float, ...]
    points: tuple[float, ...]
    includes: Literal["lower", "upper"] = "lower"


@dataclass(frozen=True)
class Linear:
    """0 points at `start`, 100 at `end`, and no less and no more beyond them."""

    start: float
    end: float


@dataclass(frozen=True)
class Percentile:
    """Share of the accounts with a value that are below; ties count half.

    Among the accounts that have the same value of the attribute `within`, or among
    all of them.
    """

    within: str = ""


Scale: TypeAlias = "Target | Bands | Linear | Percentile"
Source: TypeAlias = "Measure | CatalogMetric | Pulse"


@dataclass(frozen=True)
class Component:
    """One part of the score; `scale` turns a catalog metric into points.

    `missing`: what happens where it cannot be measured. It is left out and its
    weight goes to the others, or counts as zero, or there is no score at all.
    """

    name: str
    weight: float
    source: Source
    scale: Scale | None = None
    missing: Missing = "leave_out"


@dataclass(frozen=True)
class Change:
    """What a profile changes of one component; None leaves it as it is."""

    weight: float | None = None
    targets: Mapping[str, float] = field(default_factory=dict)
    scale: Scale | None = None


@dataclass(frozen=True)
class Profile:
    """Overrides for the accounts a condition fits; without one it fits all."""

    name: str
    when: str = ""
    cuts: Cuts | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What holds for the accounts of one profile: nothing is left to override."""

    profile: str
    components: tuple[Component, ...]
    cuts: Cuts

    @cached_property
    def shares(self) -> dict[str, float]:
        """The weight of each component as a share of all; they add up to 1."""
        total = sum(component.weight for component in self.components)
        return {c.name: c.weight / total for c in self.components}


@dataclass(frozen=True)
class Scorecard:
    """A checked scorecard. Colors own their lower bound: `cuts` are where orange,
    yellow and green begin. `min_coverage` is the share of the weight that has to be
    measured for a score."""

    name: str
    components: tuple[Component, ...]
    cuts: Cuts = (40.0, 60.0, 80.0)
    min_coverage: float = 0.5
    onboarding: Onboarding = "no_score"
    normalize_weights: bool = False
    profiles: tuple[Profile, ...] = (Profile(EVERYONE),)

    @cached_property
    def rules(self) -> tuple[Rules, ...]:
        """The rules of each profile, in the order they are tried."""
        return tuple(_rules(self, profile) for profile in self.profiles)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(component.name for component in self.components)

    @property
    def metrics(self) -> dict[str, CatalogMetric]:
        """Components that ask for a metric of the catalog, by name."""
        return {
            c.name: c.source
            for c in self.components
            if isinstance(c.source, CatalogMetric)
        }

    @property
    def pulses(self) -> dict[str, Pulse]:
        """Components people tell, by name."""
        found = ((c.name, c.source) for c in self.components)
        return {name: source for name, source in found if isinstance(source, Pulse)}

    @property
    def groups(self) -> tuple[str, ...]:
        """Attributes that accounts are ranked within, without repetition."""
        every = (c.scale for rules in self.rules for c in rules.components)
        names = [s.within for s in every if isinstance(s, Percentile) and s.within]
        return tuple(dict.fromkeys(names))

    @property
    def needs(self) -> str:
        """What has to be measured for it, as text: weights and points are not."""
        tests = [(p.name, p.when) for p in self.profiles]
        return repr((tests, self.groups, self.metrics, self.pulses))

    def rules_of(self, profile: str | None) -> Rules:
        """The rules of a profile by name; the last ones where it is not known."""
        found = (rules for rules in self.rules if rules.profile == profile)
        return next(found, self.rules[-1])


def _rules(card: Scorecard, profile: Profile) -> Rules:
    components = tuple(
        _changed(component, profile.changes.get(component.name, Change()))
        for component in card.components
    )
    return Rules(profile.name, components, profile.cuts or card.cuts)


def _changed(component: Component, change: Change) -> Component:
    source = component.source
    if isinstance(source, Measure) and change.targets:
        source = replace(source, targets={**source.targets, **change.targets})
    return replace(
        component,
        source=source,
        weight=component.weight if change.weight is None else change.weight,
        scale=change.scale or component.scale,
    )


def standard(targets: HealthTargets) -> Scorecard:
    """The composite score of H01 as a scorecard: what holds until one is published."""
    weights = zip(MEASURES, targets.weights, strict=True)
    components = tuple(
        Component(
            key,
            # 0.15 * 100 is 15.000000000000002 in some weights; people wrote 15.
            round(weight * 100, 9),
            Measure(key, {name: getattr(targets, name) for name in MEASURES[key]}),
        )
        for key, weight in weights
    )
    whole = abs(sum(c.weight for c in components) - 100) < 1e-9
    return Scorecard(
        "Standard",
        components,
        cuts=targets.cuts,
        min_coverage=targets.min_coverage,
        normalize_weights=not whole,
    )


def usage_targets(components: Iterable[Component]) -> HealthTargets:
    """The targets of the parts of H01 among these, the usual ones for the others."""
    sources = (c.source for c in components)
    told = {
        k: v for s in sources if isinstance(s, Measure) for k, v in s.targets.items()
    }
    return replace(HealthTargets(), **told)  # type: ignore[arg-type]


def with_tried(
    card: Scorecard, *, cuts: Cuts | None = None, weights: tuple[float, ...] = ()
) -> Scorecard:
    """The card with other cuts and weights for every account, to see what they do.

    Weights are in the order of the components and are taken as shares.
    """
    if cuts is not None:
        if not 0 < cuts[0] < cuts[1] < cuts[2] <= 100:
            raise BadValue("cuts must rise between 0 and 100")
        card = replace(
            card,
            cuts=cuts,
            profiles=tuple(replace(p, cuts=None) for p in card.profiles),
        )
    if weights:
        if len(weights) != len(card.components):
            raise BadValue(f"weights are {len(card.components)} numbers")
        if min(weights) < 0 or not sum(weights):
            raise BadValue("weights must not be below 0, and not all 0")
        parts = zip(card.components, weights, strict=True)
        card = replace(
            card,
            components=tuple(replace(c, weight=w) for c, w in parts),
            normalize_weights=True,
            profiles=tuple(_without_weights(p) for p in card.profiles),
        )
    return card


def _without_weights(profile: Profile) -> Profile:
    changes = {n: replace(c, weight=None) for n, c in profile.changes.items()}
    return replace(profile, changes=changes)
