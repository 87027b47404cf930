"""A health score in words: what was measured, what is missing, the way up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from perennial.apps.customers import levers, parts
from perennial.apps.customers.breakdown import (
    Breakdown,
    Measured,
    Part,
    Snapshot,
    next_colors,
)
from perennial.apps.customers.words import Text, capitalized, figure, listed, spelled
from perennial.core.settings import COMPOSITE, HealthTargets
from perennial.lake.modes import USUAL
from perennial.scoring.scorecard import (
    OVERRIDE,
    CatalogMetric,
    Component,
    Pulse,
    Rules,
    usage_targets,
)
from perennial.ui import formats
from perennial.ui.formats import Regional


@dataclass(frozen=True)
class Way:
    """How far it is to the next color, and what would bring it there."""

    missing: str
    steps: str


def measured_text(
    part: Part, component: Component | None, now: Snapshot, regional: Regional
) -> SafeString:
    """What one part is made of: "<b>48 of 125</b> seats active = 38.4%"."""
    if part.name == OVERRIDE:
        return _override(now, regional)
    if now.mode != COMPOSITE:
        return _of_mode(part, regional)
    if component is None:
        return _plain(_("No part of the score any more"))
    source = component.source
    if isinstance(source, CatalogMetric):
        return parts.metric_text(source, part.measured, regional)
    if isinstance(source, Pulse):
        return _pulse(part, regional)
    targets = usage_targets([component])
    return {
        "frequency": _frequency,
        "breadth": _breadth,
        "depth": _depth,
        "growth": _growth,
    }[source.key](now.measured, targets, regional)


def _of_mode(part: Part, regional: Regional) -> SafeString:
    """Of a chance of renewal, or a band of use."""
    if part.measured is not None:
        said = _("<b>{uses}</b> uses in 30 days")
        return format_html(said, uses=formats.number(part.measured, regional))
    if part.name == USUAL:
        return _plain(_("Chance of renewal of customers with a term as long"))
    return _plain(_("Moves the chance, all else as it is"))


def _override(now: Snapshot, regional: Regional) -> SafeString:
    if now.computed_score is None:
        return _plain(_("Set by a person where none could be computed"))
    said = _("Set by a person; computed were <b>{score}</b>")
    return format_html(said, score=formats.number(now.computed_score, regional, 1))


def _pulse(part: Part, regional: Regional) -> SafeString:
    if part.measured is None:
        return _plain(_("Not measured: nobody has said lately how it goes"))
    said = _("A person says <b>{value}</b> of 100")
    return format_html(said, value=formats.number(part.measured, regional))


def _frequency(m: Measured, t: HealthTargets, regional: Regional) -> SafeString:
    if m.active_days is None:
        return _plain(_("Not measured: no usage arrives for this account"))
    said = ngettext(
        "<b>{days}</b> active day and <b>{minutes} min</b> per active user "
        "(targets {target_days} and {target_minutes})",
        "<b>{days}</b> active days and <b>{minutes} min</b> per active user "
        "(targets {target_days} and {target_minutes})",
        1 if m.active_days == 1 else 2,
    )
    return format_html(
        said,
        days=figure(m.active_days, regional),
        minutes=figure(m.minutes, regional),
        target_days=figure(t.active_days, regional),
        target_minutes=figure(t.minutes, regional),
    )


def _breadth(m: Measured, t: HealthTargets, regional: Regional) -> SafeString:
    if not m.seats or m.active_users is None:
        return _plain(_("Not measured: no seats are contracted"))
    return format_html(
        _("<b>{active} of {seats}</b> seats active = {share} (target {target})"),
        active=formats.number(m.active_users, regional),
        seats=formats.number(m.seats, regional),
        share=formats.percent(m.active_users / m.seats, regional),
        target=formats.percent(t.breadth, regional, 0),
    )


def _depth(m: Measured, t: HealthTargets, regional: Regional) -> SafeString:
    if not m.key_features or m.key_features_used is None:
        return _plain(_("Not measured: no key feature is defined or granted"))
    return format_html(
        _(
            "<b>{used} of {of}</b> key features (target {target}), "
            "<b>{events}</b> key events per session (target {target_events})"
        ),
        used=formats.number(m.key_features_used, regional),
        of=formats.number(m.key_features, regional),
        target=formats.percent(t.coverage, regional, 0),
        events=figure(m.key_events_per_session, regional),
        target_events=figure(t.events_per_session, regional),
    )


def _growth(m: Measured, _t: HealthTargets, regional: Regional) -> SafeString:
    told = []
    users = _change(m.active_users, m.active_users_before, regional)
    if users:
        said = _("Active users <b>{change}</b> against the 28 days before")
        told.append(format_html(said, change=users))
    mrr = _change(m.mrr_e4, m.mrr_90d_e4, regional)
    if mrr:
        said = _("MRR <b>{change}</b> against 90 days ago")
        told.append(format_html(said, change=mrr))
    if not told:
        return _plain(_("Not measured: neither users nor MRR to compare with"))
    return told[0] if len(told) == 1 else format_html("{}; {}", *told)


def _change(now: int | None, before: int | None, regional: Regional) -> str:
    """ "+16.8%", or in words where there is nothing to divide by."""
    if now is None or before is None:
        return ""
    if before == 0:
        return _("new") if now > 0 else ""
    share = (now - before) / before
    if round(share, 3) == 0:
        return _("unchanged")
    return ("+" if share > 0 else "") + formats.percent(share, regional)


def _plain(text: str) -> SafeString:
    return format_html("{}", text)


def title(b: Breakdown, regional: Regional) -> str:
    """ "Why 46? Four parts add up to the score"."""
    count = len(b.measured)
    said = ngettext(
        "Why %(score)s? One part makes the score",
        "Why %(score)s? %(n)s parts add up to the score",
        count,
    )
    n = capitalized(spelled(count, regional))
    return said % {"score": formats.number(b.shown_score, regional), "n": n}


def sum_text(b: Breakdown, regional: Regional) -> str:
    """ "15.6 + 12.0 + 11.4 + 6.9 = 45.9, shown as 46"."""
    told = [formats.number(p.points, regional, 1) for p in b.measured]
    numbers = {
        # An override below the computed score takes points away.
        "parts": " + ".join(told).replace("+ −", "− "),
        "total": formats.number(b.total, regional, 1),
        "score": formats.number(b.shown_score, regional),
    }
    return _("%(parts)s = %(total)s, shown as %(score)s") % numbers


def way_up(b: Breakdown, now: Snapshot, rules: Rules, regional: Regional) -> Way:
    """The points to the better colors, and the quickest way to the next one."""
    better = next_colors(b.total, now.cuts)
    if not better:
        above = b.total - Decimal(str(now.cuts[-1]))
        points = {"points": formats.number(above, regional, 1)}
        return Way(_("%(points)s points above the edge of green.") % points, "")
    first, *others = [
        {"points": formats.number(points, regional, 1), "color": _small(color)}
        for color, points in better
    ]
    told = [_("%(points)s points to %(color)s") % first]
    told += [_("%(points)s to %(color)s") % other for other in others]
    missing = float(better[0][1])
    formula = levers.formula(rules, now.parts)
    is_other = now.is_overridden or now.mode != COMPOSITE
    steps = [] if is_other else levers.quickest(now.measured, formula, missing)
    color = {"color": _small(better[0][0])}
    if now.mode != COMPOSITE:
        said = _(
            "It is a chance of renewal: the reasons below zero say where to begin."
        )
    elif now.is_overridden:
        said = _("A person set this score; usage does not move it.")
    elif not steps:
        said = _("No measure of usage alone reaches %(color)s.") % color
    else:
        said = _("Quickest way to %(color)s, by arithmetic: %(steps)s.") % {
            **color,
            "steps": listed([_step(step, regional) for step in steps]),
        }
    return Way(f"{', '.join(told)}.", said)


def _small(color: str) -> str:
    """The word of a color inside a sentence."""
    return str(_INSIDE[color])


_INSIDE: Mapping[str, Text] = {
    "orange": pgettext_lazy("health in a sentence", "orange"),
    "yellow": pgettext_lazy("health in a sentence", "yellow"),
    "green": pgettext_lazy("health in a sentence", "green"),
}


def _step(step: levers.Step, regional: Regional) -> str:
    said = _LEVERS[step.lever](step.amount, regional)
    return f"{said} (+{formats.number(step.points, regional, 1)})"


def _users(n: float, regional: Regional) -> str:
    return ngettext("one more active user", "%(n)s more active users", int(n)) % {
        "n": spelled(int(n), regional)
    }


def _features(n: float, regional: Regional) -> str:
    return ngettext(
        "one more key feature in use", "%(n)s more key features in use", int(n)
    ) % {"n": spelled(int(n), regional)}


def _days(n: float, regional: Regional) -> str:
    return ngettext(
        "one more active day a user", "%(n)s more active days a user", int(n)
    ) % {"n": spelled(int(n), regional)}


def _minutes(n: float, regional: Regional) -> str:
    return _("%(n)s more minutes a user") % {"n": formats.number(n, regional)}


def _events(n: float, regional: Regional) -> str:
    return _("%(n)s more key events a session") % {"n": figure(n, regional)}


_LEVERS = {
    "users": _users,
    "features": _features,
    "days": _days,
    "minutes": _minutes,
    "events": _events,
}


def no_score_text(status: str, coverage: float, regional: Regional) -> str:
    """Why there is no score, in words."""
    if status == "onboarding":
        return _(
            "A score begins when onboarding is done: before, little use says nothing."
        )
    if status == "insufficient":
        return _(
            "Only %(share)s of the weight could be measured; a score needs more."
        ) % {"share": formats.percent(coverage, regional, 0)}
    return _("Accounts that neither pay nor are on trial have no score.")


def frozen_text(now: Snapshot | None, as_of: date, regional: Regional) -> str:
    """Said where the score is carried over; empty where it is of the day."""
    if now is None or now.frozen_since is None:
        return ""
    day = formats.day(now.frozen_since, regional, as_of)
    return _("Carried over from %(day)s: events were missing.") % {"day": day}


def command(account_id: str, as_of: object) -> str:
    """The same answer on the command line."""
    plain = account_id.replace("_", "").replace("-", "").isalnum()
    quoted = account_id if plain else "'" + account_id.replace("'", "'\\''") + "'"
    return f"perennial health --account {quoted} --as-of {as_of} --explain"


def weights_text(b: Breakdown, regional: Regional) -> Mapping[str, str]:
    """Weights as shown: two decimals, of the parts that were measured."""
    return {
        p.name: formats.number(p.weight, regional, 2) if p.weight is not None else ""
        for p in b.parts
    }
