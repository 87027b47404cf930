"""Verbs that edit accounts. Each is written down, audited and can be undone.

What was decided stands in the application database and reaches the lake in the same
step (`perennial.lake.decided`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.customers.attributes import ARCHIVED, PARENT, TAGS
from perennial.apps.customers.family import check_parent
from perennial.apps.customers.models import Attribute, Decision, Edit, Stage
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import decided
from perennial.lake.decided import Decision as Told

_BATCH = 500


def edit_accounts(by: Membership, name: str, values: Mapping[str, Any]) -> Edit:
    """Give accounts, by id, a value of an attribute; None empties it."""
    must_cover(by, Role.MEMBER)
    if name == PARENT:
        for account_id, parent in values.items():
            check_parent(by.workspace, account_id, parent)
    return apply_values(by.workspace, by.user, name, values)


def archive_account(by: Membership, account_id: str) -> Edit:
    """Out of lists and work; what it did and paid stays in every number."""
    return edit_accounts(by, ARCHIVED, {account_id: True})


@transaction.atomic
def release(by: Membership, account_id: str, name: str) -> None:
    """What the sources say counts again."""
    must_cover(by, Role.MEMBER)
    _end(by.workspace, name, [account_id])
    decided.release(lake_of(by.workspace), [(account_id, name)])
    record(by.workspace, by.user, "account.released", account_id, attribute=name)


@transaction.atomic
def undo(edit: Edit, by: Membership) -> int:
    """Take an edit back where it is still in force; how many accounts that were."""
    must_cover(by, Role.MEMBER)
    return apply_undo(edit, by.user)


def apply_undo(edit: Edit, user: User | None) -> int:
    """The same, by a person or, without one, by a rule; in the caller's transaction."""
    workspace, lake = edit.workspace, lake_of(edit.workspace)
    live = list(edit.decisions.filter(ended_at=None))
    again = {d.account_id: d.before for d in live if d.was_decided}
    freed = [d.account_id for d in live if not d.was_decided]
    if again:
        apply_values(workspace, user, edit.name, again)
    if freed:
        _end(workspace, edit.name, freed)
        decided.release(lake, [(account, edit.name) for account in freed])
    edit.undone_at = lake.now
    edit.save(update_fields=["undone_at"])
    record(workspace, user, "account.edit_undone", edit.name, accounts=len(live))
    return len(live)


@transaction.atomic
def apply_values(
    workspace: Workspace, user: User | None, name: str, values: Mapping[str, Any]
) -> Edit:
    """As `edit_accounts`, by a person or, without one, by a rule."""
    lake = lake_of(workspace)
    author = user.email if user else ""
    edit = Edit.objects.create(
        workspace=workspace, name=name, by=user, author=author, at=lake.now
    )
    before = _end(workspace, name, values)
    told = [Told(account, name, value) for account, value in values.items()]
    was = decided.decide(lake, told, by=author or "rule")
    rows = (
        Decision(
            edit=edit,
            workspace=workspace,
            account_id=account,
            name=name,
            value=value,
            before=was[account, name],
            was_decided=account in before,
        )
        for account, value in values.items()
    )
    Decision.objects.bulk_create(rows, batch_size=_BATCH)
    _audit(workspace, user, name, values)
    return edit


def _audit(
    workspace: Workspace, user: User | None, name: str, values: Mapping[str, Any]
) -> None:
    target = next(iter(values)) if len(values) == 1 else ""
    said = {str(value)[:200] for value in values.values()}
    record(
        workspace,
        user,
        "account.edited",
        target,
        attribute=name,
        accounts=len(values),
        value=said.pop() if len(said) == 1 else None,
    )


def _end(workspace: Workspace, name: str, accounts: Iterable[str]) -> set[str]:
    """End what was decided of these accounts; those that had something."""
    now, ids, found = lake_of(workspace).now, list(accounts), set[str]()
    for start in range(0, len(ids), _BATCH):
        live = Decision.objects.filter(
            workspace=workspace,
            name=name,
            account_id__in=ids[start : start + _BATCH],
            ended_at=None,
        )
        found |= set(live.values_list("account_id", flat=True))
        live.update(ended_at=now)
    return found


# --- what there is to edit ---------------------------------------------------


@transaction.atomic
def define_attribute(
    by: Membership, *, key: str, title: str, kind: str, choices: Sequence[str]
) -> Attribute:
    """Give an attribute a type; one the sources already say keeps its values."""
    must_cover(by, Role.ADMIN)
    if kind not in Attribute.Kind.values:
        raise BadValue(_("This is not a type of attributes."))
    kept = [choice.strip() for choice in choices if choice.strip()]
    if kind == Attribute.Kind.CHOICE and not kept:
        raise BadValue(_("A choice needs something to choose from."))
    if not key.strip() or not title.strip():
        raise BadValue(_("An attribute has a name."))
    if key in decided.COLUMNS or key in (TAGS, ARCHIVED, "account_id"):
        raise BadValue(_("“%(key)s” is taken.") % {"key": key})
    attribute, _created = Attribute.objects.update_or_create(
        workspace=by.workspace,
        key=key.strip(),
        defaults={
            "title": title.strip(),
            "kind": kind,
            "choices": kept,
            "archived_at": None,
        },
    )
    record(by.workspace, by.user, "attribute.defined", attribute.key, type=kind)
    return attribute


@transaction.atomic
def archive_attribute(attribute: Attribute, by: Membership) -> None:
    """It is offered no more; values that accounts have stay theirs."""
    must_cover(by, Role.ADMIN)
    attribute.archived_at = lake_of(by.workspace).now
    attribute.save(update_fields=["archived_at"])
    record(by.workspace, by.user, "attribute.archived", attribute.key)


@transaction.atomic
def set_stages(by: Membership, names: Sequence[str]) -> None:
    """The lifecycle stages in their order; a stage that stays keeps its rule."""
    must_cover(by, Role.ADMIN)
    kept = list(dict.fromkeys(name.strip()[:64] for name in names if name.strip()))
    if not kept:
        raise BadValue(_("At least one stage is needed."))
    by.workspace.stages.exclude(name__in=kept).delete()
    for position, name in enumerate(kept):
        Stage.objects.update_or_create(
            workspace=by.workspace, name=name, defaults={"position": position}
        )
    record(by.workspace, by.user, "stages.changed", ", ".join(kept)[:254])


@transaction.atomic
def set_rule(stage: Stage, by: Membership, document: dict[str, Any] | None) -> None:
    """Who gets a stage by itself; None: nobody."""
    must_cover(by, Role.ADMIN)
    stage.rule = document
    stage.save(update_fields=["rule"])
    record(by.workspace, by.user, "stage.rule_changed", stage.name)
