"""How insights are put into words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers.words import listed
from perennial.ui import formats
from perennial.ui.formats import Regional

Text = str | Promise

#: Why a feature was not compared.
LEFT_OUT: Mapping[str, Text] = {
    "login": gettext_lazy("Left out: log-in"),
    "page": gettext_lazy("Left out: page views"),
    "system": gettext_lazy("Left out: system"),
    "billing": gettext_lazy("Left out: billing"),
    "support": gettext_lazy("Left out: support"),
    "cancellation": gettext_lazy("Left out: part of leaving"),
    "not_entitled": gettext_lazy("Left out: not open to all"),
    "released_late": gettext_lazy("Left out: too new"),
    "low_adoption": gettext_lazy("Left out: too few users"),
}

#: What there may be too little of.
MISSING: Mapping[str, Text] = {
    "retained": gettext_lazy("customers who stayed"),
    "churned": gettext_lazy("customers who left"),
    "history": gettext_lazy("months of recorded use"),
}

MODELS: Mapping[str, Text] = {
    "bands": gettext_lazy("Bands of use"),
    "logistic": gettext_lazy("Logistic regression"),
    "boosted": gettext_lazy("Gradient boosting"),
}

_WAYS: Mapping[str, Text] = {
    "composite": gettext_lazy("Health score"),
    "band": gettext_lazy("Color of the band"),
    "calibrated:bands": gettext_lazy("Chance of the band"),
    "silent_days": gettext_lazy("Days since log-in alone"),
    "usage_counts": gettext_lazy("All usage counts"),
}


def way_name(way: str) -> str:
    """A way to tell who renews: a mode of health, or what stands beside."""
    return str(_WAYS.get(way) or MODELS[way.partition(":")[2]])


#: What health may go by.
MODES: Mapping[str, Text] = {
    "composite": gettext_lazy("The scorecard"),
    "band": gettext_lazy("Use of the power feature"),
    "calibrated": gettext_lazy("The chance of renewal"),
}

#: What speaks against a model.
FAILED: Mapping[str, Text] = {
    "brier": gettext_lazy("no better than a simpler one"),
    "base": gettext_lazy("no better than the base rate"),
    "ece": gettext_lazy("chances off by too much"),
}

STATUS: Mapping[str, Text] = {
    "proposed": gettext_lazy("To be reviewed"),
    "approved": gettext_lazy("Approved"),
    "rejected": gettext_lazy("Rejected"),
}


def missing_text(missing: tuple[str, ...]) -> str:
    return listed([str(MISSING[name]) for name in missing])


def uses_text(low: float, high: float | None, regional: Regional) -> str:
    """ "0", "1–5", "16 and more\": whole uses of a month."""
    first = formats.number(low, regional)
    if high is None:
        return _("%(uses)s and more") % {"uses": first}
    last = formats.number(high - 1, regional)
    return first if last == first else f"{first}–{last}"
