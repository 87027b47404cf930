"""Merging accounts: what goes along, what has to be chosen, and the way back.

What was measured is never written again (`perennial.lake.merged`); what people made
moves, and the merge remembers it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers import attributes, edit_actions, hooks, note_actions
from perennial.apps.customers.attributes import PARENT, TAGS, Definition
from perennial.apps.customers.hooks import Belonging
from perennial.apps.customers.models import Contact, Merge, Note
from perennial.apps.customers.queries import some
from perennial.apps.jobs.actions import run_now
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import decided, merged
from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace as Lake

#: What of the lake a preview counts: table, SQL of the count, word.
_TOLD = (
    ("assignments", "count(DISTINCT user_id)", gettext_lazy("Users")),
    ("account_days", "coalesce(sum(events), 0)", gettext_lazy("Events")),
    (
        "subscription_items",
        "count(DISTINCT subscription_id)",
        gettext_lazy("Subscriptions"),
    ),
    ("contracts", "count(*)", gettext_lazy("Contracts")),
    ("tickets", "count(*)", gettext_lazy("Tickets")),
    ("survey_responses", "count(*)", gettext_lazy("Survey answers")),
)


@dataclass(frozen=True)
class Going:
    """How much of one kind goes along."""

    word: str | Promise
    count: int


@dataclass(frozen=True)
class Conflict:
    """An attribute of which the two accounts say different things."""

    of: Definition
    stays: Any
    goes: Any

    def shown(self, names: Mapping[str, str]) -> tuple[str, str]:
        told = (self.stays, self.goes)
        stays, goes = (attributes.shown(self.of, value, names) for value in told)
        return stays, goes


def belongings(workspace: Workspace) -> list[Belonging]:
    """What of customers goes along."""
    notes = Note.objects.filter(workspace=workspace)
    return [
        Belonging(gettext_lazy("Notes and contacts logged"), notes),
        Belonging(gettext_lazy("People you named"), workspace.contacts.order_by("pk")),
    ]


def going(workspace: Workspace, account_id: str) -> list[Going]:
    """What a merge would move, as of the last refresh."""
    lake = lake_of(workspace).lake
    found = []
    with connect() as duck:
        for table, count, word in _TOLD:
            query = f"SELECT {count} FROM {lake.source(table)} WHERE account_id = ?"
            [(n,)] = duck.execute(query, [account_id]).fetchall()
            found.append(Going(word, int(n)))
    for each in hooks.belongings(workspace):
        rows = each.rows.filter(account_id=account_id)
        found.append(Going(each.word, rows.count()))
    return found


def conflicts(workspace: Workspace, account_id: str, into: str) -> list[Conflict]:
    """Attributes of which both say something, and not the same."""
    told = ((_Values(workspace, key)) for key in (into, account_id))
    stays, goes = told
    return [
        Conflict(of, stays[of], goes[of])
        for of in _titles(workspace)
        if of.key != TAGS and stays[of] and goes[of] and stays[of] != goes[of]
    ]


@transaction.atomic
def merge(
    by: Membership, account_id: str, into: str, *, taken: Sequence[str] = ()
) -> Merge:
    """Let an account count as another one; `taken`: attributes of the one that goes
    that are to stand where both say something."""
    must_cover(by, Role.ADMIN)
    workspace = by.workspace
    _check(workspace, account_id, into)
    lake = lake_of(workspace)
    made = Merge.objects.create(
        workspace=workspace,
        account_id=account_id,
        into_id=into,
        name=some(workspace, (account_id,))[account_id].name,
        by=by.user,
        author=by.user.email,
        at=lake.now,
    )
    for name, value in _values_to_take(workspace, account_id, into, taken).items():
        edit = edit_actions.apply_values(workspace, by.user, name, {into: value})
        made.edits.add(edit)
    made.moved = _move(workspace, account_id, into)
    made.save(update_fields=["moved"])
    merged.merge(lake, account_id, into, by=by.user.email)
    record(workspace, by.user, "account.merged", account_id, into=into)
    run_now("refresh", workspace, by=by.user)
    return made


@transaction.atomic
def undo(made: Merge, by: Membership) -> None:
    """Take a merge back: what moved and is still there goes back, and what was chosen
    and still holds."""
    must_cover(by, Role.ADMIN)
    if made.undone_at is not None:
        return
    lake = lake_of(by.workspace)
    for label, keys in made.moved.items():
        model = apps.get_model(label)
        rows = model._default_manager.filter(pk__in=keys, account_id=made.into_id)
        rows.update(account_id=made.account_id)
    for edit in made.edits.filter(undone_at=None):
        edit_actions.undo(edit, by)
    made.undone_at = lake.now
    made.save(update_fields=["undone_at"])
    merged.part(lake, made.account_id)
    _touch_again(made)
    record(
        by.workspace, by.user, "account.merge_undone", made.account_id,
        into=made.into_id,
    )  # fmt: skip
    run_now("refresh", by.workspace, by=by.user)


def of_account(workspace: Workspace, account_id: str) -> list[Merge]:
    """Merges into an account that hold, the newest first."""
    live = workspace.account_merges.filter(into_id=account_id, undone_at=None)
    return list(live.order_by("-at"))


def moved(made: Merge) -> list[Going]:
    """What a merge moved of what people made."""
    return [
        Going(each.word, len(made.moved[each.rows.model._meta.label]))
        for each in hooks.belongings(made.workspace)
        if made.moved.get(each.rows.model._meta.label)
    ]


def chosen(made: Merge) -> list[dict[str, Any]]:
    """The edits a merge made, with what they are of."""
    titles = {of.key: of.title for of in attributes.titles(made.workspace)}
    edits = made.edits.order_by("pk")
    return [{"pk": e.pk, "title": titles.get(e.name, e.name)} for e in edits]


def _check(workspace: Workspace, account_id: str, into: str) -> None:
    if account_id == into:
        raise BadValue(_("Choose another account than this one."))
    known = some(workspace, (account_id, into))
    for key in (account_id, into):
        if key not in known:
            raise BadValue(_("There is no account “%(id)s”.") % {"id": key})


class _Values:
    """What an account has of each attribute that can be edited."""

    def __init__(self, workspace: Workspace, account_id: str) -> None:
        lake: Lake = lake_of(workspace)
        keys = [of.key for of in _titles(workspace)]
        self._found = decided.values_of(lake.lake, account_id, keys)

    def __getitem__(self, of: Definition) -> Any:
        value = self._found[of.key]
        return attributes.tags_of(value) if of.kind == "tags" else value


def _titles(workspace: Workspace) -> list[Definition]:
    return [of for of in attributes.titles(workspace) if of.key != PARENT]


def _values_to_take(
    workspace: Workspace, account_id: str, into: str, taken: Sequence[str]
) -> dict[str, Any]:
    """What the account that stays gets: what it lacks, what was chosen, all tags."""
    stays, goes = _Values(workspace, into), _Values(workspace, account_id)
    found: dict[str, Any] = {}
    for of in _titles(workspace):
        value = goes[of]
        if of.kind == "tags":
            value = sorted({*stays[of], *goes[of]}, key=str.casefold)
        elif stays[of] and of.key not in taken:
            continue
        if value and value != stays[of]:
            found[of.key] = value
    return found


def _move(workspace: Workspace, account_id: str, into: str) -> dict[str, list[int]]:
    """Move rows to the account that stays; a contact it has already stays behind."""
    moved: dict[str, list[int]] = {}
    for each in hooks.belongings(workspace):
        rows = each.rows.filter(account_id=account_id)
        if each.rows.model is Contact:
            there = workspace.contacts.filter(account_id=into).exclude(user_id="")
            rows = rows.exclude(user_id__in=there.values("user_id"))
        keys = list(rows.values_list("pk", flat=True))
        each.rows.filter(pk__in=keys).update(account_id=into)
        moved[each.rows.model._meta.label] = keys
    return moved


def _touch_again(made: Merge) -> None:
    """Notes that were changed meanwhile told the lake of the account they were at."""
    keys = made.moved.get(Note._meta.label, [])
    for note in Note.objects.filter(pk__in=keys, changed_at__gte=made.at):
        note_actions.touch(note)
