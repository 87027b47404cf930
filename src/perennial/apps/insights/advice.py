"""What to do about what was found: one step, and where to take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.insights.lives import Group
from perennial.apps.insights.patterns import Dip, Light
from perennial.apps.insights.queries import Chance
from perennial.scoring.power_features import Discovery
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Months in which a curve of survival is looked at for its steepest fall.
_SPAN = 3
#: Fewer than this still watched, and a fall is one customer's.
_WATCHED = 20


@dataclass(frozen=True)
class Advice:
    """A step in words, and the address where it is taken."""

    text: str
    url: str


def power(
    found: Discovery, below: Sequence[Chance], name: str, regional: Regional
) -> Advice:
    if found.power_feature is None:
        return Advice(
            _("Until then, go by the health score."), reverse("health:health")
        )
    if not below:
        return Advice(_("Every customer uses it enough."), reverse("health:health"))
    said = ngettext(
        "Help %(n)s customer below green to use %(feature)s.",
        "Help the %(n)s customers below green to use %(feature)s.",
        len(below),
    )
    n = formats.number(len(below), regional)
    return Advice(said % {"n": n, "feature": name}, "#below")


def renewal(customers: Sequence[Chance], cut: float, regional: Regional) -> Advice:
    """Whom to call by the chance; `cut` is where red ends."""
    low = [c for c in customers if c.p is not None and c.p < cut]
    if not low:
        return Advice(_("Call by health: see whom first."), reverse("health:outreach"))
    said = ngettext(
        "Call %(n)s customer whose chance is below %(cut)s.",
        "Call the %(n)s customers whose chance is below %(cut)s.",
        len(low),
    )
    told = {
        "n": formats.number(len(low), regional),
        "cut": formats.percent(cut, regional, 0),
    }
    return Advice(said % told, "#lowest")


def back_test() -> Advice:
    return Advice(_("See whom it tells you to call."), reverse("health:outreach"))


def forecast(due: Sequence[Chance], regional: Regional) -> Advice | None:
    """The few customers that half of what may be lost is with."""
    risks = sorted(((1 - c.p) * c.mrr for c in due if c.p is not None), reverse=True)
    if not sum(risks):
        return None
    half, count = sum(risks) / 2, 0
    while half > 0:
        half -= risks[count]
        count += 1
    said = ngettext(
        "Half of what may be lost is with %(n)s customer: begin there.",
        "Half of what may be lost is with %(n)s customers: begin there.",
        count,
    )
    return Advice(
        said % {"n": formats.number(count, regional)}, reverse("health:outreach")
    )


def survival(groups: Sequence[Group], regional: Regional) -> Advice | None:
    """The months in which most of a single group are lost; None where few are."""
    if len(groups) != 1 or not groups[0].is_enough:
        return None
    months = groups[0].months
    known = {k: m["survival"] for k, m in months.items() if m["at_risk"] >= _WATCHED}
    falls = {
        k: 1 - known[k + _SPAN] / share
        for k, share in known.items()
        if share and k + _SPAN in known
    }
    if not falls or not max(falls.values()):
        return None
    worst = max(falls, key=lambda k: falls[k])
    said = _("Most are lost from month %(from)s to %(to)s: reach out before.")
    told = {
        "from": formats.number(worst, regional),
        "to": formats.number(worst + _SPAN, regional),
    }
    return Advice(said % told, reverse("work:playbooks"))


def value() -> Advice:
    return Advice(
        _("Hold it against what it costs to win one."),
        reverse("reports:metric", args=["ltv_cac"]),
    )


def patterns(segments: Sequence[Light], dips: Sequence[Dip]) -> Advice | None:
    if not dips and all(s.verdict != "norm" for s in segments):
        return None
    return Advice(_("Let a playbook do it."), reverse("work:playbooks"))
