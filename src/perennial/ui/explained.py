"""A number explained, in a drawer or on a page of its own: what it says, how it is
made, which words it needs, and what to know before it is quoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Topic:
    """What a card shows. `terms` are keys of `TERMS`; `command` gives the same on the
    command line, where there is one."""

    title: Text
    says: Text
    formula: Text
    caveat: Text
    terms: tuple[str, ...] = ()
    command: str = ""


#: Words of statistics, for those who use none.
TERMS: Mapping[str, tuple[Text, Text]] = {
    "auc": (
        _("AUC"),
        _(
            "Take one customer who stayed and one who left: how often the one who "
            "stayed has the better value. 0.5 is guessing, 1 is never wrong."
        ),
    ),
    "interval": (
        _("Interval, 95%"),
        _(
            "With other customers of the same kind the number would have been "
            "different. In 95 of 100 such cases the true one lies between these ends."
        ),
    ),
    "q": (
        "q",
        _(
            "Of the differences called real at this value, the share that chance alone "
            "made. It counts how many features were compared."
        ),
    ),
    "odds": (
        _("Odds ratio"),
        _(
            "How many times the odds to stay rise with more use, between customers of "
            "the same size, age and plan. 1 is no effect."
        ),
    ),
    "brier": (
        _("Brier score"),
        _(
            "Mean squared distance of what was said from what happened. 0 is "
            "perfect; the base is what one would get by telling everybody the same."
        ),
    ),
    "ece": (
        _("Calibration error, ECE"),
        _(
            "How far chances are off on average: at 0.03, customers who were told 0.70 "
            "renewed 67 or 73 times of 100."
        ),
    ),
    "lift": (
        _("Lift"),
        _(
            "Leavers among the tenth of customers that looks worst, against all: at "
            "3× a call there meets three times as many."
        ),
    ),
    "wape": (
        _("Mean error, WAPE"),
        _("All misses added up, whichever way, as a share of what happened."),
    ),
    "range": (
        _("Range, 80%"),
        _("Four times of five the truth should lie within it; once it should not."),
    ),
}


def page(
    request: HttpRequest,
    topic: Topic,
    *,
    nav: str,
    back: tuple[str, Text],
    facts: Sequence[tuple[Text, str]] = (),
) -> HttpResponse:
    """The topic as a drawer, or as a page. `facts` say what went in; `back` is the
    page it is of, address and name."""
    context = {
        "nav": nav,
        "topic": topic,
        "terms": [TERMS[name] for name in topic.terms],
        "facts": facts,
        "back_url": back[0],
        "back_name": back[1],
    }
    template = "ui/explained.html"
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"{template}#part" if part else template, context)
