"""Lifetime value in its forms, and of those who buy freely."""

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

#: Each form with what it says.
FORMS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "clv_survival": (
        gettext_lazy("By survival"),
        gettext_lazy(
            "Margin within 36 months, by how long customers have stayed so far, "
            "discounted"
        ),
    ),
    "clv": (
        gettext_lazy("Margin over churn"),
        gettext_lazy(
            "Margin until a customer leaves at the pace of the last six months"
        ),
    ),
    "clv_simple": (
        gettext_lazy("Simple"),
        gettext_lazy("Revenue, by the lifetimes of those who have left; too low"),
    ),
}


@dataclass(frozen=True)
class Form:
    name: str | Promise
    about: str | Promise
    key: str
    value: float | None
    n: int


@dataclass(frozen=True)
class BySegment:
    segment: str
    values: list[float | None]
    n: int


def forms(found: Sequence[Mapping[str, Any]]) -> list[Form]:
    return [Form(*FORMS[r["form"]], r["form"], r["value"], r["n"]) for r in found]


def by_segment(found: Sequence[Mapping[str, Any]]) -> list[BySegment]:
    names = sorted({r["segment"] for r in found if r["segment"]})
    told = []
    for name in names:
        own = {r["form"]: r for r in found if r["segment"] == name}
        values = [own[form]["value"] if form in own else None for form in FORMS]
        most = max((r["n"] for r in own.values()), default=0)
        told.append(BySegment(name, values, most))
    return told


def headline(found: Sequence[Form], regional: Regional) -> Sentence:
    told = next((f for f in found if f.key == "clv_survival"), None)
    if told is None or told.value is None:
        return Sentence(
            _("The lifetime value cannot be told."),
            _("It needs costs of category cogs, and six months with customers."),
        )
    lead = _("A new customer is worth %(value)s of margin over three years.")
    rest = _("Told by how long %(n)s customers have stayed so far.")
    return Sentence(
        lead % {"value": formats.money(told.value, regional)},
        rest % {"n": formats.number(told.n, regional)},
    )


#: Parameters of those who buy freely, as people read them.
PARAMETERS: Mapping[str, str | Promise] = {
    "buyers": gettext_lazy("Buyers"),
    "repeated": gettext_lazy("Who bought again"),
    "alive": gettext_lazy("Of them likely to buy still"),
    "purchases_year": gettext_lazy("Purchases to expect of all within a year"),
    "worth_year": gettext_lazy("What these are worth"),
    "r": gettext_lazy("r, shape of how often they buy"),
    "alpha": gettext_lazy("alpha, scale of how often they buy"),
    "a": gettext_lazy("a, of when they stop"),
    "b": gettext_lazy("b, of when they stop"),
    "p": gettext_lazy("p, shape of what they spend"),
    "q": gettext_lazy("q, shape of what differs between them"),
    "v": gettext_lazy("v, scale of what differs between them"),
    "value_correlation": gettext_lazy("Correlation of how often and how much"),
}


def parameters(
    found: Sequence[Mapping[str, Any]], regional: Regional
) -> list[tuple[str | Promise, str]]:
    """Parameters in words, with their values; empty where nothing could be fitted."""
    told = {row["parameter"]: row["value"] for row in found}
    if "r" not in told:
        return []
    return [
        (label, _said(name, told[name], regional))
        for name, label in PARAMETERS.items()
        if name in told
    ]


#: Parameters that are whole numbers of something.
_WHOLE = ("buyers", "repeated", "alive", "purchases_year")


def _said(name: str, value: float | None, regional: Regional) -> str:
    if name == "worth_year":
        return formats.money(value, regional)
    return formats.number(value, regional, 0 if name in _WHOLE else 3)
