"""The form of a scorecard: what is in it, and the document that comes of it.

The form changes weights, targets, edges and rules, adds parts and takes them out.
Bands and profiles are written in the YAML file, which says the same and all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers.parts import counted, part_name
from perennial.apps.customers.words import capitalized
from perennial.metrics.registry import Metric
from perennial.scoring import scorecard as cards
from perennial.scoring.scorecard import Measure, Scorecard
from perennial.ui.formats import Regional

Document = dict[str, Any]

MISSING: Mapping[str, str | Promise] = {
    "leave_out": gettext_lazy("left out, its weight goes to the others"),
    "zero": gettext_lazy("counts as zero"),
    "insufficient": gettext_lazy("no score at all"),
}
ONBOARDING: Mapping[str, str | Promise] = {
    "no_score": gettext_lazy("have no score"),
    "score": gettext_lazy("are scored as all others"),
}
_TARGETS: Mapping[str, str | Promise] = {
    "active_days": gettext_lazy("Active days in 28"),
    "minutes": gettext_lazy("Minutes a user"),
    "breadth": gettext_lazy("Share of seats active"),
    "coverage": gettext_lazy("Share of key features"),
    "events_per_session": gettext_lazy("Key events a session"),
    "growth": gettext_lazy("Growth"),
}


@dataclass(frozen=True)
class Field:
    """A number of the form: its name in it, its label, its value."""

    name: str
    label: str | Promise
    value: str


@dataclass(frozen=True)
class PartForm:
    """One part in the form; `was` is its weight in the version in force."""

    name: str
    title: str
    counts: str
    weight: str
    was: str
    share: float
    missing: str
    targets: list[Field]


def parts(card: Scorecard, current: Scorecard, regional: Regional) -> list[PartForm]:
    """The parts of a card, beside the weights of the one in force."""
    rules = card.rules[-1]
    old = {c.name: _figure(c.weight) for c in current.rules[-1].components}
    return [
        PartForm(
            component.name,
            part_name(component.name),
            capitalized(counted(component, regional)),
            _figure(component.weight),
            old.get(component.name, ""),
            rules.shares[component.name],
            component.missing,
            _targets(component.name, component.source),
        )
        for component in card.components
    ]


def _targets(name: str, source: cards.Source) -> list[Field]:
    if not isinstance(source, Measure):
        return []
    return [
        Field(f"target__{name}__{key}", _TARGETS[key], _figure(value))
        for key, value in source.targets.items()
    ]


def _figure(value: float) -> str:
    return f"{value:g}"


def cuts(card: Scorecard) -> list[Field]:
    labels = (_("Orange from"), _("Yellow from"), _("Green from"))
    return [
        Field(f"cut__{n}", label, _figure(cut))
        for n, (label, cut) in enumerate(zip(labels, card.cuts, strict=True))
    ]


def filled(parts: Sequence[PartForm], form: Mapping[str, str]) -> list[PartForm]:
    """The parts with what a person typed, also where it is wrong."""
    return [
        replace(
            part,
            weight=form.get(f"weight__{part.name}", part.weight),
            missing=form.get(f"missing__{part.name}", part.missing),
            targets=typed(part.targets, form),
        )
        for part in parts
    ]


def typed(fields: Sequence[Field], form: Mapping[str, str]) -> list[Field]:
    return [replace(f, value=form.get(f.name, f.value)) for f in fields]


def offers(card: Scorecard, catalog: Mapping[str, Metric]) -> list[tuple[str, str]]:
    """What can be added: (value, title). Metrics of accounts that give one number."""
    known = set(card.names)
    told = [
        (f"measure:{key}", part_name(key)) for key in cards.MEASURES if key not in known
    ]
    if "relationship" not in known:
        told.append(("pulse:relationship", part_name("relationship")))
    metrics = [
        (f"metric:{m.key}", _(m.title))
        for m in catalog.values()
        if m.key not in known
        and "account" in m.dimensions
        and not m.makes
        and m.fills
        and "health_snapshots" not in m.reads
    ]
    return [*told, *sorted(metrics, key=lambda offer: offer[1])]


def changed(document: Document, form: Mapping[str, str]) -> Document:
    """The document with what the form says; what is no number stays a text, and is
    refused with its place when it is read."""
    found = deepcopy(document)
    if "name" in form:
        found["name"] = form["name"]
    if "cut__0" in form:
        found["cuts"] = [_number(form.get(f"cut__{n}", "")) for n in range(3)]
    if "min_coverage" in form:
        share = _number(form["min_coverage"])
        found["min_coverage"] = (
            share / 100 if isinstance(share, (int, float)) else share
        )
    if "onboarding" in form:
        found["onboarding"] = form["onboarding"]
        found["normalize_weights"] = "normalize_weights" in form
    for component in found["components"]:
        _change(component, form)
    return found


def _change(component: Document, form: Mapping[str, str]) -> None:
    name = component["name"]
    if f"weight__{name}" in form:
        component["weight"] = _number(form[f"weight__{name}"])
    if f"missing__{name}" in form:
        component["missing"] = form[f"missing__{name}"]
    for key in component.get("targets", {}):
        given = form.get(f"target__{name}__{key}")
        if given is not None:
            component["targets"][key] = _number(given)


def with_part(
    document: Document, offer: str, target: str, catalog: Mapping[str, Metric]
) -> Document:
    """The document with one more part, of weight 10; weights are shares from then on.

    A metric gets the target as its scale: as much gives 100 points.
    """
    kind, _colon, name = offer.partition(":")
    part: Document = {"name": name[:40], "weight": 10}
    if kind == "measure":
        part["measure"] = name
    elif kind == "pulse":
        part["pulse"] = True
    else:
        part |= {"metric": name, "scale": {"target": _number(target)}}
        metric = catalog.get(name)
        if metric is not None and metric.good == "none":
            part["direction"] = "up"
    found = deepcopy(document)
    found["components"].append(part)
    found["normalize_weights"] = True
    return found


def without_part(document: Document, name: str) -> Document:
    """The document without a part; weights are shares from then on."""
    found = deepcopy(document)
    found["components"] = [c for c in found["components"] if c["name"] != name]
    found["normalize_weights"] = True
    for profile in found.get("profiles", []):
        profile.get("components", {}).pop(name, None)
    return found


def _number(text: str) -> float | str:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def differences(
    old: Scorecard, new: Scorecard, regional: Regional
) -> list[tuple[str, str, str]]:
    """What is another in a draft: (what, before, after), for the one who reviews."""
    return [
        (what, before, after)
        for what, before, after in _compared(old, new, regional)
        if before != after
    ]


def _compared(
    old: Scorecard, new: Scorecard, regional: Regional
) -> Sequence[tuple[str, str, str]]:
    told: list[tuple[str, str, str]] = [
        (_("Name"), old.name, new.name),
        (_("Edges of colors"), _cuts(old.cuts), _cuts(new.cuts)),
        (_("Minimum coverage"), f"{old.min_coverage:.0%}", f"{new.min_coverage:.0%}"),
        (
            _("Accounts in onboarding"),
            str(ONBOARDING[old.onboarding]),
            str(ONBOARDING[new.onboarding]),
        ),
    ]
    for name in dict.fromkeys((*old.names, *new.names)):
        told.append((_("Weight of %(part)s") % {"part": part_name(name)},
                     _share(old, name), _share(new, name)))  # fmt: skip
        told.append((part_name(name), _counts(old, name, regional),
                     _counts(new, name, regional)))  # fmt: skip
    told += [
        (
            _("Profile %(name)s") % {"name": name},
            _profile(old, name),
            _profile(new, name),
        )
        for name in dict.fromkeys(p.name for p in (*old.profiles, *new.profiles))
    ]
    return told


def _cuts(cuts: Sequence[float]) -> str:
    return " / ".join(_figure(cut) for cut in cuts)


def _share(card: Scorecard, name: str) -> str:
    share = card.rules[-1].shares.get(name)
    return "–" if share is None else f"{share:.1%}"


def _counts(card: Scorecard, name: str, regional: Regional) -> str:
    found = (c for c in card.rules[-1].components if c.name == name)
    component = next(found, None)
    if component is None:
        return "–"
    return f"{counted(component, regional)} · {MISSING[component.missing]}"


def _profile(card: Scorecard, name: str) -> str:
    """Its place in the order, its condition, and that it has its own rules."""
    for number, profile in enumerate(card.profiles, 1):
        if profile.name == name:
            cuts = f" · {_cuts(profile.cuts)}" if profile.cuts else ""
            own = f" · {', '.join(profile.changes)}" if profile.changes else ""
            return f"{number}. {profile.when or _('all others')}{cuts}{own}"
    return "–"
