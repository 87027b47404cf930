"""Tabs and filter chips of the list: what they say and where they lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from perennial.apps.customers import listing
from perennial.apps.customers.account import COLORS
from perennial.apps.customers.listing import ANY, ME, NO_SCORE, NOBODY, Filter
from perennial.apps.customers.queries import Book
from perennial.apps.customers.words import STATES, name_of
from perennial.ui.templatetags.ui import state_word

#: The built-in views of the list, each a filter.
VIEWS = {
    "all": Filter(),
    "mine": Filter(owner=ME),
    "risky": Filter(health=("red", "orange")),
    "renewing": Filter(renewal="90"),
    "untouched": Filter(touched="30"),
    "full": Filter(is_full=True),
}
#: Fields that a view sets; name, state, segment and order narrow it further.
_OF_VIEWS = ("owner", "health", "renewal", "touched", "is_full")


@dataclass(frozen=True)
class Choice:
    """`heading` stands above the first of a group."""

    label: str
    url: str
    on: bool
    heading: str = ""


@dataclass(frozen=True)
class Chip:
    """A filter: what is chosen, and the choices of its menu."""

    name: str
    value: str
    is_set: bool
    choices: list[Choice]


def view_of(asked: Filter) -> str:
    """The built-in view a filter narrows, or none."""
    if asked.view:
        return ""
    for key, view in VIEWS.items():
        if all(getattr(asked, f) == getattr(view, f) for f in _OF_VIEWS):
            return key
    return ""


def tabs(book: Book, asked: Filter, email: str) -> list[dict[str, Any]]:
    """The built-in views with the customers in each."""
    on = view_of(asked)
    words = {
        "all": _("All"),
        "mine": _("Mine"),
        "risky": _("Red and orange"),
        "renewing": _("Renewing in 90 days"),
        "untouched": _("Not touched in 30 days"),
        "full": _("Ready to expand"),
    }
    mine = [s for s in book.paying if s.owner.lower() == email.lower()]
    counts = {
        "all": book.customers,
        "mine": sum(s.accounts for s in mine),
        "risky": sum(s.risky for s in book.paying),
        "renewing": sum(s.renewing for s in book.paying),
        "untouched": sum(s.untouched for s in book.paying),
        "full": sum(s.full for s in book.paying),
    }
    return [
        {"label": words[k], "url": v.url(), "on": k == on, "count": counts[k]}
        for k, v in VIEWS.items()
    ]


def view_name(asked: Filter) -> str:
    """What a filter is called in the crumbs of an account reached from it."""
    return {"mine": _("Mine"), "risky": _("Red and orange")}.get(view_of(asked), "")


def chips(
    book: Book,
    asked: Filter,
    names: Mapping[str, str],
    segments: Mapping[str, str],
) -> list[Chip]:
    """`segments`: names of segments by key."""
    found = [_health(asked), _state(asked)]
    if book.segments or segments or asked.member:
        found.append(_segment(book, asked, segments))
    found += [_renewal(asked), _owner(book, asked, names)]
    if asked.touched:
        found.append(_touched(asked))
    if asked.is_full:
        clear = Choice(_("Any"), asked.url(is_full=False), on=False)
        found.append(
            Chip(_("License use"), _("90% or more"), is_set=True, choices=[clear])
        )
    return found


def _health(asked: Filter) -> Chip:
    chosen = [state_word(color) for color in asked.health]
    choices = [Choice(_("Any"), asked.url(health=()), on=not asked.health)]
    choices += [
        Choice(state_word(c), asked.toggled(c), c in asked.health)
        for c in (*COLORS, NO_SCORE)
    ]
    value = ", ".join(chosen) or _("Any")
    return Chip(_("Health"), value, bool(chosen), choices)


def _state(asked: Filter) -> Chip:
    words = {**{s: str(STATES[s]) for s in listing.STATES}, ANY: _("Any")}
    choices = _choices(asked, "state", words.items())
    return Chip(_("Status"), words[asked.state], asked.state != ANY, choices)


def _segment(book: Book, asked: Filter, segments: Mapping[str, str]) -> Chip:
    """One chip for both: what accounts say is their segment, and those people made."""
    own = [("", _("Any")), *((s, s) for s in book.segments)]
    made = [("", _("Any")), *segments.items()] if segments or asked.member else []
    choices = _choices(asked, "segment", own if book.segments else ())
    members = _choices(asked, "member", made)
    if choices and members:
        choices[0] = replace(choices[0], heading=_("As accounts say"))
    if members:
        members[0] = replace(members[0], heading=_("Segments"))
    chosen = [asked.segment, segments.get(asked.member, asked.member)]
    value = ", ".join(filter(None, chosen))
    return Chip(_("Segment"), value or _("Any"), bool(value), [*choices, *members])


def _renewal(asked: Filter) -> Chip:
    words = {
        "": _("Any"),
        **{n: _("in %(n)s days") % {"n": n} for n in listing.RENEWALS[:-1]},
        "none": _("No date"),
    }
    choices = _choices(asked, "renewal", words.items())
    return Chip(_("Renewal"), words[asked.renewal], bool(asked.renewal), choices)


def _touched(asked: Filter) -> Chip:
    words = {
        "": _("Any"),
        **{n: _("over %(n)s days ago") % {"n": n} for n in listing.TOUCHES},
    }
    choices = _choices(asked, "touched", words.items())
    return Chip(_("Last touch"), words[asked.touched], is_set=True, choices=choices)


def _owner(book: Book, asked: Filter, names: Mapping[str, str]) -> Chip:
    words = {"": _("Anyone"), ME: _("Me"), NOBODY: _("Nobody")}
    people = sorted((name_of(email, names), email) for email in book.owners)
    options = [("", words[""]), (ME, words[ME])]
    options += [(email, name) for name, email in people]
    if any(not s.owner for s in book.slices):
        options.append((NOBODY, words[NOBODY]))
    value = words.get(asked.owner) or name_of(asked.owner, names)
    choices = _choices(asked, "owner", options)
    return Chip(pgettext("of an account", "Owner"), value, bool(asked.owner), choices)


def _choices(
    asked: Filter, field: str, options: Iterable[tuple[str, str]]
) -> list[Choice]:
    on = getattr(asked, field)
    return [
        Choice(word, asked.url(**{field: value}), value == on)
        for value, word in options
    ]


def sorted_text(asked: Filter) -> str:
    """ "sorted by MRR, largest first"."""
    if not asked.column:
        return _("sorted by priority")
    words = column_words()
    return _("sorted by %(column)s") % {"column": words[asked.column]}


def column_words() -> dict[str, str]:
    return {
        "name": _("Account"),
        "health": _("Health"),
        "change": _("28 d"),
        "mrr": "MRR",
        "renewal": _("Renewal"),
        "owner": pgettext("of an account", "Owner"),
        "stage": _("Stage"),
        "segment": _("Segment"),
        "touch": _("Touch"),
        "seen": _("Seen"),
        "active": pgettext("users", "Active"),
        "use": _("License use"),
        "nps": "NPS",
        "tickets": _("Open tickets"),
    }


@dataclass(frozen=True)
class Head:
    """The head of a column: where it leads and how it is sorted now."""

    key: str
    word: str
    url: str
    direction: str
    is_figure: bool


_FIGURES = {"change", "mrr", "renewal", "touch", "seen", "active", "nps", "tickets"}


def heads(asked: Filter) -> dict[str, Head]:
    """Heads of the columns that can be sorted by, by key."""
    direction = "descending" if asked.descends else "ascending"
    return {
        key: Head(
            key,
            word,
            asked.sorted_by(key),
            direction if asked.column == key else "",
            key in _FIGURES,
        )
        for key, word in column_words().items()
    }
