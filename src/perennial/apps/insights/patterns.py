"""Usage patterns in words: light use, dips, unused features; and product health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers.reasons import Sentence
from perennial.ui import formats
from perennial.ui.formats import Regional

#: What light use means, and what to do.
VERDICTS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "norm": (
        gettext_lazy("Light use is the norm"),
        gettext_lazy(
            "Most people there use little: guide them in the product, or begin "
            "onboarding again."
        ),
    ),
    "mixed": (
        gettext_lazy("Some use it lightly"),
        gettext_lazy(
            "Neither a few people nor most: look at who they are before doing anything."
        ),
    ),
    "outlier": (
        gettext_lazy("Light use is an exception"),
        gettext_lazy(
            "A few people use little: talk to them and find the cause, such as a "
            "missing set-up or training."
        ),
    ),
    "insufficient": (
        gettext_lazy("Too few people to say"),
        gettext_lazy("At least five people with a seat are needed."),
    ),
}


@dataclass(frozen=True)
class Light:
    """Light use in a segment or an account: share of people below the floor."""

    subject: str
    name: str
    verdict: str
    title: str | Promise
    advice: str | Promise
    share: float | None
    n: int


@dataclass(frozen=True)
class Dip:
    """A month of tenure in which use falls, of so many accounts."""

    month: int
    change: float
    n: int


@dataclass(frozen=True)
class Unused:
    """A feature that hardly anybody uses, of those who could."""

    name: str
    adoption: float
    n: int


def light(
    rows: Sequence[Mapping[str, Any]], pattern: str, names: Mapping[str, str]
) -> list[Light]:
    """Those where most use little first."""
    told = [
        Light(
            r["subject"],
            names.get(r["subject"], r["subject"]),
            r["verdict"],
            *VERDICTS[r["verdict"]],
            r["value"],
            r["n"],
        )
        for r in rows
        if r["pattern"] == pattern
    ]
    return sorted(told, key=lambda p: (p.share is None, -(p.share or 0), p.name))


def dips(rows: Sequence[Mapping[str, Any]]) -> list[Dip]:
    return [
        Dip(int(r["subject"]), r["value"], r["n"])
        for r in rows
        if r["pattern"] == "tenure_dip"
    ]


def unused(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[Unused]:
    return [
        Unused(names.get(r["subject"], r["subject"]), r["value"], r["n"])
        for r in rows
        if r["pattern"] == "unused_feature"
    ]


def headline(
    segments: Sequence[Light], dropped: Sequence[Dip], regional: Regional
) -> Sentence:
    """The most telling pattern: a dip in tenure, or else segments that use little."""
    if dropped:
        worst = min(dropped, key=lambda d: d.change)
        lead = _("Use falls by %(share)s in month %(month)s after onboarding.")
        rest = _("Seen in %(n)s accounts. Reach out a month before.")
        return Sentence(
            lead
            % {
                "share": formats.percent(-worst.change, regional, 0),
                "month": formats.number(worst.month, regional),
            },
            rest % {"n": formats.number(worst.n, regional)},
        )
    norm = [s for s in segments if s.verdict == "norm"]
    if norm:
        return Sentence(
            _("In %(n)s of %(all)s segments light use is the norm.")
            % {
                "n": formats.number(len(norm), regional),
                "all": formats.number(len(segments), regional),
            },
            str(norm[0].advice),
        )
    return Sentence(_("No pattern of use asks for anything."), "")


# Product health (U08): whether a feature keeps those who try it


@dataclass(frozen=True)
class Kept:
    """Of the users who tried a feature at least 30 days ago, the share that came back
    to it on a later day within 30."""

    name: str
    share: float
    n: int

    @property
    def left(self) -> float:
        return 1 - self.share


def product(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], least: int
) -> list[Kept]:
    """Features with enough users, those that keep the fewest first."""
    told = [
        Kept(names.get(r["feature"], r["feature"]), r["repeat_rate"], r["n"])
        for r in rows
        if r["repeat_rate"] is not None and r["n"] >= least
    ]
    return sorted(told, key=lambda k: (k.share, k.name))


def product_headline(found: Sequence[Kept], regional: Regional) -> Sentence:
    if not found:
        return Sentence(
            _("Too few users have tried a feature to say what keeps them."), ""
        )
    worst = found[0]
    lead = _("%(share)s of those who try %(feature)s do not come back to it.")
    return Sentence(
        lead
        % {
            "share": formats.percent(worst.left, regional, 0),
            "feature": worst.name,
        },
        _(
            "Of %(n)s users. Watch some of them use it: then teach it, change it, or "
            "take it out."
        )
        % {"n": formats.number(worst.n, regional)},
    )
