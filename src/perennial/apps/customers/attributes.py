"""What people can edit on an account: each attribute with its type and its words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from perennial.apps.customers.condition_words import values
from perennial.apps.customers.models import Attribute
from perennial.apps.customers.words import name_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace, clean_email
from perennial.core.errors import BadValue
from perennial.ui import formats

Text = str | Promise
Pairs = tuple[tuple[str, str], ...]

#: Stages that are offered before there are any.
STAGES = ("Lead", "Trial", "Onboarding", "Adopting", "Renewing", "Churned")
OWNER, STAGE, TAGS, ARCHIVED, NAME, PARENT = (
    *("owner_email", "lifecycle_stage", "tags", "archived", "name"),
    "parent_account_id",
)
_TAGS = "tags"
_LONGEST, _MOST_TAGS = 500, 50


@dataclass(frozen=True)
class Definition:
    """One attribute. `kind`: those of `Attribute.Kind`, or tags."""

    key: str
    title: Text
    kind: str
    choices: Pairs = ()
    is_built_in: bool = True


def definitions(workspace: Workspace) -> list[Definition]:
    """Everything that can be edited, with its choices; `archived` is apart."""
    people = _people(workspace)
    return _with_choices(workspace, people, stage_names(workspace))


def titles(workspace: Workspace) -> list[Definition]:
    """The same without choices, for those who only read: one question."""
    return _with_choices(workspace, (), ())


def _with_choices(
    workspace: Workspace, people: Pairs, stages: Sequence[str]
) -> list[Definition]:
    named = tuple((name, name) for name in stages)
    built_in = [
        Definition(OWNER, pgettext_lazy("of an account", "Owner"), "person", people),
        Definition(STAGE, gettext_lazy("Stage"), "choice", named),
        Definition(TAGS, gettext_lazy("Tags"), _TAGS),
        Definition(NAME, gettext_lazy("Name"), "text"),
        Definition(PARENT, gettext_lazy("Parent account (its id)"), "text"),
    ]
    own = workspace.account_attributes.filter(archived_at=None).order_by("title")
    return [*built_in, *(_own(each, people) for each in own)]


def _people(workspace: Workspace) -> Pairs:
    """The people of a workspace: address and name, by name."""
    pairs = workspace.memberships.values_list("user__email", "user__name")
    named = ((email, name or name_of(email, {})) for email, name in pairs)
    return tuple(sorted(named, key=lambda pair: pair[1]))


def _own(each: Attribute, people: Pairs) -> Definition:
    choices = tuple((choice, choice) for choice in each.choices)
    shown = people if each.kind == Attribute.Kind.PERSON else choices
    return Definition(each.key, each.title, each.kind, shown, is_built_in=False)


def definition(workspace: Workspace, key: str) -> Definition:
    """The one called so; raises `BadValue` where there is none."""
    for each in definitions(workspace):
        if each.key == key:
            return each
    if key == ARCHIVED:
        return Definition(ARCHIVED, gettext_lazy("Archived"), "flag")
    raise BadValue(_("There is no attribute “%(key)s”.") % {"key": key})


def stage_names(workspace: Workspace) -> list[str]:
    """Stages in their order; before any are set up, those accounts have."""
    own = list(workspace.stages.values_list("name", flat=True))
    return own or list(values(lake_of(workspace))["lifecycle_stage"]) or list(STAGES)


# --- values ------------------------------------------------------------------


def read(of: Definition, given: Sequence[str]) -> Any:
    """The value that was typed or chosen; None where it was emptied."""
    texts = [text.strip() for text in given if text.strip()]
    if of.kind == _TAGS:
        return read_tags(texts)
    if not texts:
        return None
    text = texts[0]
    if len(text) > _LONGEST:
        raise BadValue(_("This text is too long."))
    if of.kind == "number":
        return _number(text)
    if of.kind == "date":
        return _date(text)
    if of.kind == "flag":
        return text == "yes"
    if of.kind in ("choice", "person"):
        text = clean_email(text) if of.kind == "person" else text
        if text not in dict(of.choices):
            raise BadValue(
                _("“%(value)s” is not one of the choices.") % {"value": text}
            )
    return text


def read_tags(texts: Sequence[str]) -> list[str] | None:
    """Tags, separated by commas; each once, in alphabetical order."""
    tags = {tag.strip() for text in texts for tag in text.split(",") if tag.strip()}
    if any(set(tag) & set('"\\') or len(tag) > 64 for tag in tags):
        raise BadValue(_("A tag has at most 64 characters, and no quotes."))
    if len(tags) > _MOST_TAGS:
        raise BadValue(_("An account has at most 50 tags."))
    return sorted(tags, key=str.casefold) or None


def _number(text: str) -> float:
    try:
        found = float(text.replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except ValueError:
        found = float("nan")
    if not isfinite(found):
        raise BadValue(_("“%(value)s” is not a number.") % {"value": text})
    return int(found) if found == int(found) else found


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadValue(_("“%(value)s” is not a date.") % {"value": text}) from None


def typed(value: Any) -> str:
    """The value as an input holds it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def shown(of: Definition, value: Any, names: Mapping[str, str]) -> str:
    """The value in words, people by `names`; a source may say what is of no type."""
    if value in (None, "", []):
        return formats.EMPTY
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if of.kind == "flag":
        return _("Yes") if str(value).lower() in ("true", "yes", "1") else _("No")
    if of.kind == "person":
        return name_of(str(value), names)
    if of.kind == "date":
        try:
            return date_format(date.fromisoformat(str(value)[:10]), "j M Y")
        except ValueError:
            return str(value)
    return str(value)


def tags_of(value: Any) -> list[str]:
    """Tags as they are stored: a list, or what a source said as JSON or with commas."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = value.split(",")
    return [str(tag).strip() for tag in value] if isinstance(value, list) else []
