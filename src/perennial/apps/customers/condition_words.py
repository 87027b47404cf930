"""Conditions in words: names of fields, operators, values, whole sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from perennial.apps.customers import hooks
from perennial.apps.customers.kept import kept
from perennial.apps.customers.words import STATES, name_of, owner_names
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import condition_fields
from perennial.metrics.condition_fields import FIELDS, OPERATOR_WORDS, Field
from perennial.metrics.conditions import Condition, Group, Not, Row
from perennial.ui.templatetags.ui import state_word

Text = str | Promise

GROUPS: Mapping[str, Text] = {
    "health": gettext_lazy("Health"),
    "money": gettext_lazy("Money"),
    "usage": gettext_lazy("Usage"),
    "contact": gettext_lazy("Contact and support"),
    "account": gettext_lazy("Account"),
}
_FAMILIES: Mapping[str, Text] = {
    "attribute": gettext_lazy("Attributes"),
    "feature": gettext_lazy("Uses of a feature"),
    "event": gettext_lazy("Events"),
    "guide": gettext_lazy("Guides"),
    "metric": gettext_lazy("Metrics"),
}
_GUIDED: Mapping[str, Text] = {
    "seen": gettext_lazy("Guide “%(guide)s” seen"),
    "finished": gettext_lazy("Guide “%(guide)s” finished"),
    "dismissed": gettext_lazy("Guide “%(guide)s” closed"),
    "lost": gettext_lazy("Guide “%(guide)s”: element not found"),
}


@dataclass(frozen=True)
class Option:
    value: str
    label: Text
    on: bool = False


@dataclass(frozen=True)
class OptionGroup:
    title: Text
    options: Sequence[Option]


def fields(choices: Choices) -> list[OptionGroup]:
    """Everything a row can speak of here, in groups."""
    found = [
        OptionGroup(
            title,
            [Option(f.key, _(f.title)) for f in FIELDS.values() if f.group == group],
        )
        for group, title in GROUPS.items()
    ]
    for family, names in choices.names.items():
        options = [Option(f"{family}:{name}", title) for name, title in names.items()]
        if options:
            found.append(OptionGroup(_FAMILIES[family], options))
    return found


def field_title(about: Field, choices: Choices) -> str:
    if about.key in FIELDS:
        return _(about.title)
    family, _colon, name = about.key.partition(":")
    return str(choices.names.get(family, {}).get(name, name))


def operator(op: str) -> str:
    return _(OPERATOR_WORDS[op])


def joins(chosen: str) -> list[Option]:
    """What a group can ask of its rows."""
    labels = {
        "all": _("All of these"),
        "any": _("Any of these"),
        "none": _("None of these"),
        "not_all": _("Not all of these"),
    }
    return [Option(key, label, on=key == chosen) for key, label in labels.items()]


def unit(about: Field, op: str, currency: str) -> str:
    """What stands behind a number."""
    if op in ("within", "not_within"):
        return _("days")
    if about.kind == "count":
        counted = {"feature": _("uses in"), "event": _("times in")}
        family = about.key.partition(":")[0]
        return counted.get(family) or pgettext("some days", "in")
    words = {
        "points": _("points"),
        "money": currency,
        "share": "%",
    }
    return words.get(about.unit, "") if op not in ("before", "from") else ""


@kept(
    *("feature_days", "event_days", "features", "account_attributes"),
    "metric_definitions",
    size=32,
)
def _known(lake: Lake) -> Mapping[str, Mapping[str, str]]:
    found = matching.known_fields(lake)
    table = lake.table("features").select("feature_id", "name")
    named = dict(lake.engine.run(table).iter_rows())
    return {
        "attribute": {name: name for name in found["attribute"]},
        "feature": {key: named.get(key) or key for key in found["feature"]},
        "event": {name: name for name in found["event"]},
        "metric": {key: lake.catalog[key].title for key in found["metric"]},
    }


class Choices:
    """Values that can be chosen, with their words."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.lake = lake_of(workspace)
        self.currency = workspace.currency

    @cached_property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """Names of what families hold; metrics and guides in the reader's language."""
        known = dict(_known(self.lake))
        metrics = {key: _(title) for key, title in known.pop("metric").items()}
        named = hooks.guides(self.workspace)
        guides = {
            f"{did}/{number}": str(said) % {"guide": name}
            for did, said in _GUIDED.items()
            for number, name in named.items()
        }
        return {
            **known,
            "guide": guides,
            "metric": dict(sorted(metrics.items(), key=lambda m: m[1])),
        }

    def options(self, about: Field, chosen: Sequence[object]) -> list[Option]:
        """All that are known, and those that were chosen."""
        known = self._values(about)
        wanted = [str(value) for value in chosen]
        gone = {value: value for value in wanted if value not in known}
        return [
            Option(value, label, on=value in wanted)
            for value, label in {**known, **gone}.items()
        ]

    def word(self, about: Field, value: str) -> str:
        return str(self._values(about).get(value, value))

    def _values(self, about: Field) -> Mapping[str, Text]:
        if about.key == "health_color":
            return {color: state_word(color) for color in condition_fields.COLORS}
        if about.key == "state":
            return dict(STATES)
        if about.kind == "member":
            return self._segments
        if about.key == "owner":
            emails = {*values(self.lake)["owner_email"], *self._names}
            pairs = ((email, name_of(email, self._names)) for email in emails)
            return dict(sorted(pairs, key=lambda pair: pair[1]))
        column = "tags" if about.kind == "tags" else about.column
        return {value: value for value in values(self.lake).get(column, ())}

    @cached_property
    def _segments(self) -> Mapping[str, Text]:
        rows = self.workspace.segments.filter(archived_at=None).order_by("name")
        return dict(rows.values_list("key", "name"))

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return owner_names(self.workspace)


@kept("account_measures", "account_attributes", size=32)
def values(lake: Lake) -> Mapping[str, Sequence[str]]:
    """The values that occur, by column, sorted; `tags` are those in use."""
    names = ("segment", "plan", "country", "industry", "lifecycle_stage", "owner_email")
    rows = lake.engine.run(lake.table("account_measures").select(*names).distinct())
    found = {name: rows[name].drop_nulls().unique().sort().to_list() for name in names}
    attributes = lake.table("account_attributes")
    lists = attributes.filter(attributes["name"] == "tags").select("value").distinct()
    return {**found, "tags": tags_of(lake.engine.run(lists)["value"].to_list())}


def tags_of(lists: Sequence[str | None]) -> list[str]:
    """The tags of some lists, as JSON writes them."""
    found: set[str] = set()
    for text in lists:
        try:
            tags = json.loads(text or "[]")
        except ValueError:
            continue
        found |= {str(tag) for tag in tags} if isinstance(tags, list) else set()
    return sorted(found)


# --- sentences ---------------------------------------------------------------


def sentence(condition: Condition, choices: Choices) -> str:
    """ "Health is Red or Orange, and Renewal is within 90 days"."""
    if isinstance(condition, Not):
        return _("not (%(what)s)") % {"what": sentence(condition.part, choices)}
    if isinstance(condition, Group):
        if not condition.parts:
            return _("every account")
        joined = (
            pgettext("conditions", ", and ") if condition.join == "all" else _(" or ")
        )
        return joined.join(_inside(part, choices) for part in condition.parts)
    return _row(condition, choices)


def _inside(part: Condition, choices: Choices) -> str:
    said = sentence(part, choices)
    is_group = isinstance(part, Group) and len(part.parts) > 1
    return f"({said})" if is_group else said


def _row(row: Row, choices: Choices) -> str:
    about = row.about
    said = f"{field_title(about, choices)} {operator(row.op)}"
    if row.value is None:
        return said
    if isinstance(row.value, tuple):
        return f"{said} {_(' or ').join(choices.word(about, v) for v in row.value)}"
    if isinstance(row.value, str):
        return f"{said} {row.value}"
    number = row.value * 100 if about.unit == "share" else row.value
    after = unit(about, row.op, choices.currency)
    space = "" if after == "%" else " "
    said = f"{said} {number:g}{space}{after}".rstrip()
    if row.days is None:
        return said
    days = ngettext("%(n)s day", "%(n)s days", row.days) % {"n": row.days}
    return f"{said} {days}"
