"""The columns of the list: the usual ones, more, those of other applications."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers import attributes, hooks
from perennial.apps.customers.account import Account
from perennial.apps.customers.chips import column_words
from perennial.apps.customers.listing import Filter
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.ui import formats
from perennial.ui.formats import Regional

Text = str | Promise

#: Those of the design, in its order; the name is always there.
USUAL = (
    *("health", "change", "line", "mrr", "renewal", "days", "owner", "stage"),
    *("segment", "touch", "seen", "active", "use", "nps", "tickets"),
)
#: What more there is of `account_measures`: words and how a cell is made.
_PLAIN: Mapping[str, tuple[Text, Callable[[Account, Regional], str]]] = {
    "plan": (gettext_lazy("Plan"), lambda a, _r: a.plan or formats.EMPTY),
    "country": (gettext_lazy("Country"), lambda a, _r: a.country or formats.EMPTY),
    "industry": (gettext_lazy("Industry"), lambda a, _r: a.industry or formats.EMPTY),
    "seats": (gettext_lazy("Seats"), lambda a, r: formats.number(a.seats, r)),
    "since": (
        gettext_lazy("Customer since"),
        lambda a, r: (
            formats.day(a.customer_since, r, a.as_of)
            if a.customer_since
            else formats.EMPTY
        ),
    ),
}


_TAGS = attributes.Definition(attributes.TAGS, "", "tags")


@dataclass(frozen=True)
class Choice:
    """A column that can be shown."""

    key: str
    word: Text
    is_on: bool


@dataclass(frozen=True)
class Shown:
    """What a page of the list shows: the usual columns by key, then further ones.

    `own`: attributes that this team defined.
    """

    usual: Mapping[str, bool]
    extra: Sequence[tuple[str, Text]]
    choices: Sequence[Choice]
    own: Mapping[str, attributes.Definition]

    @property
    def count(self) -> int:
        return 2 + sum(self.usual.values()) + len(self.extra)


def shown(workspace: Workspace, asked: Filter) -> Shown:
    own = {d.key: d for d in attributes.titles(workspace) if not d.is_built_in}
    words: dict[str, Text] = {key: word for key, (word, _cell) in _PLAIN.items()}
    words["tags"] = _("Tags")
    words |= {f"attribute:{key}": d.title for key, d in own.items()}
    words |= {each.key: each.word for each in hooks.columns()}
    usual = {**column_words(), "line": _("12 weeks"), "days": _("Days")}
    on = set(asked.columns) or {*USUAL, *(each.key for each in hooks.columns())}
    return Shown(
        {key: key in on for key in USUAL},
        [(key, word) for key, word in words.items() if key in on],
        [
            *(Choice(key, usual[key], key in on) for key in USUAL),
            *(Choice(key, word, key in on) for key, word in words.items()),
        ],
        own,
    )


def cells(
    workspace: Workspace, of: Shown, accounts: Sequence[Account], regional: Regional
) -> dict[str, list[str]]:
    """The further cells of each account, by id, in the order of their columns."""
    ids = [account.account_id for account in accounts]
    found: dict[str, list[str]] = {i: [] for i in ids}
    held = _attributes(workspace, ids, [key for key, _ in of.extra])
    own = {**of.own, attributes.TAGS: _TAGS}
    others = {each.key: each.values for each in hooks.columns()}
    for key, _word in of.extra:
        figures = others[key](workspace, ids) if key in others else {}
        name = key.removeprefix("attribute:")
        for account in accounts:
            i = account.account_id
            if key in _PLAIN:
                text = _PLAIN[key][1](account, regional)
            elif key in others:
                text = formats.number(figures.get(i) or None, regional)
            else:
                value = held.get((i, name))
                text = _text(own[name], value) if name in own else formats.EMPTY
            found[i].append(text)
    return found


def _text(of: attributes.Definition, value: str | None) -> str:
    tags = attributes.tags_of(value) if of.kind == "tags" and value else None
    return attributes.shown(of, tags or value, {})


def _attributes(
    workspace: Workspace, ids: Sequence[str], keys: Sequence[str]
) -> dict[tuple[str, str], str]:
    names = [key.removeprefix("attribute:") for key in keys if key not in _PLAIN]
    if not names or not ids:
        return {}
    lake = lake_of(workspace)
    table = lake.table("account_attributes")
    rows = lake.engine.run(table.filter(table["name"].isin(names)))
    mine = rows.filter(pl.col("account_id").is_in(ids))
    return {(i, name): value for i, name, value in mine.iter_rows()}
