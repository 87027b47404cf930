"""Merging accounts: what goes along, what has to be chosen, and the way back.

What was measured is never written again (`perennial.lake.merged`); what people made
moves, and the merge remembers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers import attributes, edit_actions, hooks, note_actions
from perennial.apps.customers.attributes import PARENT, TAGS, Definition
from perennial.apps.customers.hooks import Belonging
from perennial.apps.customers.models import Merge, Note
from perennial.apps.customers.queries import some
from perennial.apps.jobs.actions import run_now
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
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
_AT_ONCE: Final = 5_000


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
        Belonging(
            gettext_lazy("Notes and contacts logged"), notes, retell=_touch_again
        ),
        Belonging(
            gettext_lazy("People you named"),
            workspace.contacts.order_by("pk"),
            once=("user_id",),
            among=~Q(user_id=""),
        ),
    ]


def _touch_again(notes: QuerySet[Note], since: datetime) -> None:
    """Notes that were changed told the lake of the account they were at."""
    for note in notes.filter(changed_at__gte=since):
        note_actions.touch(note)


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
    return [each for each in found if each.count]


def conflicts(workspace: Workspace, account_id: str, into: str) -> list[Conflict]:
    """Attributes of which both say something, and not the same."""
    told = ((_Values(workspace, key)) for key in (into, account_id))
    stays, goes = told
    return [
        Conflict(of, stays[of], goes[of])
        for of in titles(workspace)
        if of.key != TAGS and stays[of] and goes[of] and stays[of] != goes[of]
    ]


def merge(
    by: Membership, account_id: str, into: str, *, taken: Sequence[str] = ()
) -> Merge:
    """Let an account count as another one; `taken`: attributes of the one that goes
    that are to stand where both say something."""
    must_cover(by, Role.ADMIN)
    return apply(by.workspace, by.user, account_id, into, taken=taken)


@transaction.atomic
def apply(
    workspace: Workspace,
    user: User | None,
    account_id: str,
    into: str,
    *,
    taken: Sequence[str] = (),
) -> Merge:
    """The same, by a person or, without one, from the command line."""
    check(workspace, account_id, into)
    lake = lake_of(workspace)
    made = Merge.objects.create(
        workspace=workspace,
        account_id=account_id,
        into_id=into,
        name=some(workspace, (account_id,))[account_id].name,
        by=user,
        author=user.email if user else _("command line"),
        at=lake.now,
    )
    for name, value in _values_to_take(workspace, account_id, into, taken).items():
        edit = edit_actions.apply_values(workspace, user, name, {into: value})
        made.edits.add(edit)
    _move(made)
    made.save(update_fields=["moved", "ended"])
    merged.merge(lake, account_id, into, by=made.author)
    record(workspace, user, "account.merged", account_id, into=into)
    run_now("refresh", workspace, by=user)
    return made


def undo(made: Merge, by: Membership) -> None:
    """Take a merge back: what moved and is still there goes back, and what was chosen
    and still holds."""
    must_cover(by, Role.ADMIN)
    apply_undo(made, by.user)


@transaction.atomic
def apply_undo(made: Merge, user: User | None) -> None:
    """The same, by a person or, without one, from the command line."""
    workspace = made.workspace
    if made.undone_at is not None:
        return
    lake = lake_of(workspace)
    if made.into_id in lake.lake.merges:
        raise BadValue(
            _("It went on into another account. Take that merge back first.")
        )
    for each in hooks.belongings(workspace):
        _move_back(made, each)
    for edit in made.edits.filter(undone_at=None):
        edit_actions.apply_undo(edit, user)
    made.undone_at = lake.now
    made.save(update_fields=["undone_at"])
    merged.part(lake, made.account_id)
    for each in hooks.belongings(workspace):
        if each.retell is not None:
            for rows in _went(made, each):
                each.retell(rows.filter(account_id=made.account_id), made.at)
    record(
        workspace, user, "account.merge_undone", made.account_id,
        into=made.into_id,
    )  # fmt: skip
    run_now("refresh", workspace, by=user)


def of_account(workspace: Workspace, account_id: str) -> list[Merge]:
    """Merges into an account that hold, the newest first."""
    live = workspace.account_merges.filter(into_id=account_id, undone_at=None)
    return list(live.order_by("-at"))


def moved(made: Merge) -> list[Going]:
    """What a merge moved of what people made."""
    return [
        Going(each.word, len(made.moved[each.label]))
        for each in hooks.belongings(made.workspace)
        if made.moved.get(each.label)
    ]


def chosen(made: Merge) -> list[dict[str, Any]]:
    """The edits a merge made, with what they are of."""
    titles = {of.key: of.title for of in attributes.titles(made.workspace)}
    edits = made.edits.order_by("pk")
    return [{"pk": e.pk, "title": titles.get(e.name, e.name)} for e in edits]


def check(workspace: Workspace, account_id: str, into: str) -> None:
    """Raises `BadValue` where the two cannot be merged."""
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
        keys = [of.key for of in titles(workspace)]
        self._found = decided.values_of(lake.lake, account_id, keys)

    def __getitem__(self, of: Definition) -> Any:
        value = self._found[of.key]
        return attributes.tags_of(value) if of.kind == "tags" else value


def titles(workspace: Workspace) -> list[Definition]:
    """Attributes that can be taken along."""
    return [of for of in attributes.titles(workspace) if of.key != PARENT]


def _values_to_take(
    workspace: Workspace, account_id: str, into: str, taken: Sequence[str]
) -> dict[str, Any]:
    """What the account that stays gets: what it lacks, what was chosen, all tags."""
    stays, goes = _Values(workspace, into), _Values(workspace, account_id)
    found: dict[str, Any] = {}
    for of in titles(workspace):
        value = goes[of]
        if of.kind == "tags":
            value = sorted({*stays[of], *goes[of]}, key=str.casefold)
        elif stays[of] and of.key not in taken:
            continue
        if value and value != stays[of]:
            found[of.key] = value
    return found


def _move(made: Merge) -> None:
    """Move rows to the account that stays, and note which."""
    for each in hooks.belongings(made.workspace):
        rows = each.rows.filter(account_id=made.account_id)
        twice = _twice(each, rows, made.into_id)
        if each.ended:
            ending = rows.filter(pk__in=twice)
            made.ended[each.label] = [_as_text(row, each.ended) for row in ending]
            ending.update(**each.ended)
        else:
            rows = rows.exclude(pk__in=twice)
        made.moved[each.label] = list(rows.values_list("pk", flat=True))
        rows.update(account_id=made.into_id)


def _as_text(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """Fields to keep as JSON, whole: times to the microsecond."""
    values = ((name, getattr(row, name)) for name in names)
    return {"pk": row.pk} | {name: v and str(v) for name, v in values}


def _twice(each: Belonging, rows: QuerySet[Any], into: str) -> list[int]:
    """Rows of which the account that stays may not have a second one."""
    if not each.once:
        return []
    there = each.rows.filter(each.among, account_id=into)
    known = set(there.values_list(*each.once))
    found = rows.filter(each.among).values_list("pk", *each.once)
    return [pk for pk, *key in found if tuple(key) in known]


def _move_back(made: Merge, each: Belonging) -> None:
    """What moved and is still there; what ended by it goes on."""
    back: set[int] = set()
    for rows in _went(made, each):
        still = rows.filter(account_id=made.into_id)
        back.update(still.values_list("pk", flat=True))
        still.update(account_id=made.account_id)
    field = each.rows.model._meta.get_field
    for was in made.ended.get(each.label, ()):
        values = {name: field(name).to_python(was[name]) for name in each.ended}
        if was["pk"] in back:
            each.rows.filter(pk=was["pk"]).update(**values)


def _went(made: Merge, each: Belonging) -> Iterator[QuerySet[Any]]:
    """Some thousand rows at a time: databases limit what one question names."""
    keys = made.moved.get(each.label, [])
    for start in range(0, len(keys), _AT_ONCE):
        yield each.rows.filter(pk__in=keys[start : start + _AT_ONCE])
