"""What is known of an account that people can edit: values, who decided, since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
from django.utils.translation import gettext as _

from perennial.apps.customers import attributes
from perennial.apps.customers.attributes import Definition
from perennial.apps.customers.kept import kept
from perennial.apps.customers.models import Decision, Edit
from perennial.apps.customers.words import name_of, owner_names
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import decided
from perennial.lake.workspace import Workspace as Lake


@dataclass(frozen=True)
class Detail:
    """One attribute of an account. `imported`: what the sources say instead; `since`
    which day it is what it is, where it was something else before."""

    of: Definition
    value: Any
    shown: str
    tags: Sequence[str] = ()
    decision: Decision | None = None
    decided_by: str = ""
    imported: str = ""
    since: date | None = None

    @property
    def typed(self) -> str:
        return attributes.typed(self.value)

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """Those there are, and what the account has now."""
        held = str(self.value or "")
        known = dict(self.of.choices)
        gone = ((held, self.shown),) if held and held not in known else ()
        return (*gone, *self.of.choices)


@dataclass(frozen=True)
class Was:
    """What an attribute was until a day."""

    title: str
    value: str
    until: date


def details(
    workspace: Workspace, account_id: str, names: Mapping[str, str]
) -> list[Detail]:
    """Every attribute that can be edited, with its value."""
    lake = lake_of(workspace).lake
    every = attributes.definitions(workspace)
    now = decided.values_of(lake, account_id, [each.key for each in every])
    said = decided.decisions_of(lake, account_id)
    live = Decision.objects.filter(
        workspace=workspace, account_id=account_id, ended_at=None
    ).select_related("edit")
    decisions = {each.name: each for each in live}
    return [
        _detail(each, now[each.key], decisions.get(each.key), said, names)
        for each in every
    ]


def short(
    workspace: Workspace, account_id: str, names: Mapping[str, str]
) -> list[Detail]:
    """The same for those who only read."""
    every = attributes.titles(workspace)
    lake = lake_of(workspace)
    now = _values(lake, account_id, tuple(each.key for each in every))
    since = _since(lake, account_id)
    return [
        replace(
            _detail(each, now[each.key], None, {}, names), since=since.get(each.key)
        )
        for each in every
    ]


@kept("accounts", decided.NAME)
def _values(lake: Lake, account_id: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    return decided.values_of(lake.lake, account_id, keys)


@kept("former_attributes")
def _since(lake: Lake, account_id: str) -> Mapping[str, date]:
    """The day each attribute that ever changed became what it is."""
    rows = lake.engine.rows("former_attributes", account_id, ("name", "date_to"))
    return dict(rows.group_by("name").agg(pl.col("date_to").max()).iter_rows())


def _detail(
    of: Definition,
    value: Any,
    decision: Decision | None,
    said: Mapping[str, Any],
    names: Mapping[str, str],
) -> Detail:
    author = decision.edit.author if decision else ""
    tags = attributes.tags_of(value) if of.kind == "tags" else []
    return Detail(
        of,
        tags or value,
        attributes.shown(of, tags or value, names),
        tags,
        decision,
        name_of(author, names) or (_("a rule") if decision else ""),
        attributes.shown(of, said[of.key], names) if of.key in said else "",
    )


def history(
    workspace: Workspace, account_id: str, names: Mapping[str, str], most: int
) -> list[Was]:
    """What attributes were, the newest change first; from imports and from people."""
    lake = lake_of(workspace)
    titles = {each.key: each for each in attributes.titles(workspace)}
    rows = lake.engine.rows("former_attributes", account_id)
    rows = rows.filter(pl.col("name").is_in(list(titles)))
    rows = rows.sort("date_to", descending=True).head(most)
    return [
        Was(
            str(titles[row["name"]].title),
            attributes.shown(titles[row["name"]], row["value"], names),
            row["date_to"],
        )
        for row in rows.iter_rows(named=True)
    ]


@dataclass(frozen=True)
class Changed:
    """One account of an edit."""

    account_id: str
    name: str
    before: str
    now: str
    is_in_force: bool


def changed(workspace: Workspace, edit: Edit, most: int) -> list[Changed]:
    """The first accounts of an edit, by name."""
    of = attributes.definition(workspace, edit.name)
    rows = list(edit.decisions.order_by("pk")[:most])
    lake = lake_of(workspace)
    measures = lake.table("account_measures").select("account_id", "name")
    ids = [row.account_id for row in rows]
    found = lake.engine.run(measures.filter(measures.account_id.isin(ids)))
    called = dict(found.iter_rows())
    people = owner_names(workspace)
    return [
        Changed(
            row.account_id,
            called.get(row.account_id, row.account_id),
            attributes.shown(of, row.before, people),
            attributes.shown(of, row.value, people),
            row.ended_at is None,
        )
        for row in rows
    ]


def tags_by_account(workspace: Workspace, ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags of accounts; those without any are in it, too."""
    lake = lake_of(workspace)
    table = lake.table("account_attributes")
    rows = lake.engine.run(table.filter(table["name"] == attributes.TAGS))
    wanted = rows.filter(pl.col("account_id").is_in(ids))
    held = {
        row["account_id"]: attributes.tags_of(row["value"])
        for row in wanted.iter_rows(named=True)
    }
    return {account: held.get(account, []) for account in ids}
