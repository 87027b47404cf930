"""Verbs of guides: write, publish, pause. All are audited."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.guides import library, queries
from perennial.apps.guides.models import Guide, GuideVersion, Invited
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.team.versions import in_force
from perennial.core.errors import BadValue
from perennial.core.guides import check_draft, read

State = Guide.State


def add(by: Membership, name: str, template: str) -> Guide:
    """A draft that begins as one of the templates; raises `BadValue`."""
    return create(by, name, library.document(template))


@transaction.atomic
def create(by: Membership, name: str, document: Mapping[str, Any]) -> Guide:
    """A draft, finished or not; raises `BadValue`."""
    must_cover(by, Role.MEMBER)
    check_draft(document)
    guide = Guide.objects.create(
        workspace=by.workspace,
        key=secrets.token_urlsafe(16),
        name=_free_name(by, name),
        form=document["form"],
        document=dict(document),
        by=by.user,
    )
    record(by.workspace, by.user, "guide.added", guide.name, guide=guide.pk)
    return guide


def _free_name(by: Membership, name: str, guide: Guide | None = None) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise BadValue(_("A guide has a name of at most 120 characters."))
    others = by.workspace.guides.filter(name=name)
    if guide is not None:
        others = others.exclude(pk=guide.pk)
    if others.exists():
        raise BadValue(_("There is a guide of this name already."))
    return name


@transaction.atomic
def save(guide: Guide, by: Membership, name: str, document: Mapping[str, Any]) -> str:
    """Keep a draft, finished or not; what is wrong with it, or nothing.

    What is shown stays until it is published. Raises `BadValue` for a name that is
    taken, and for what the builder could not show.
    """
    must_cover(by, Role.MEMBER)
    guide.name = _free_name(by, name, guide)
    # The form stays: a list has no steps, and results of both would not compare.
    guide.document = {**document, "form": guide.form}
    check_draft(guide.document)
    _keep(guide, by, "name", "document")
    record(by.workspace, by.user, "guide.changed", guide.name, guide=guide.pk)
    return problem(guide)


def _keep(guide: Guide, by: Membership, *fields: str) -> None:
    guide.by, guide.changed_at = by.user, lake_of(by.workspace).now
    guide.save(update_fields=[*fields, "by", "changed_at"])


@transaction.atomic
def point(
    guide: Guide, by: Membership, variant: str, step: str, anchor: Mapping[str, Any]
) -> bool:
    """The element a step of the draft points at, as picked on the page; False: there
    is no such step any more. `anchor` has selectors, text and page."""
    must_cover(by, Role.MEMBER)
    draft = Guide.objects.select_for_update().get(pk=guide.pk)
    content = draft.document.get("other") if variant == "b" else draft.document
    found = next((s for s in (content or {}).get("steps", []) if s["id"] == step), None)
    if found is None:
        return False
    found["anchor"] = {name: anchor[name] for name in ("selectors", "text")}
    found["page"], found["place"] = anchor["page"], "anchor"
    _keep(draft, by, "document")
    record(by.workspace, by.user, "guide.picked", draft.name, guide=guide.pk, step=step)
    return True


def problem(guide: Guide) -> str:
    """What is wrong with a draft, in words; nothing: it can be published."""
    try:
        read(guide.document)
    except BadValue as error:
        return str(error)
    return ""


@transaction.atomic
def publish(guide: Guide, by: Membership) -> GuideVersion:
    """Show it, as the document says now: a new version where it says something new."""
    must_cover(by, Role.ADMIN)
    read(guide.document)
    now = lake_of(by.workspace).now
    last = in_force(guide.versions, guide.document, by=by.user, at=now)
    guide.number, guide.state = last.number, State.ON
    guide.save(update_fields=["number", "state"])
    record(
        by.workspace,
        by.user,
        "guide.published",
        guide.name,
        guide=guide.pk,
        version=last.number,
    )
    return last


@transaction.atomic
def pause(guide: Guide, by: Membership) -> None:
    """Show it to nobody any more."""
    must_cover(by, Role.ADMIN)
    _turn(guide, by, State.PAUSED)


@transaction.atomic
def archive(guide: Guide, by: Membership) -> None:
    """Out of the list; its results stay."""
    must_cover(by, Role.ADMIN)
    # The name is free again.
    guide.name = f"{guide.name[:90]} ({guide.pk})"
    _turn(guide, by, State.ARCHIVED)


def _turn(guide: Guide, by: Membership, state: str) -> None:
    guide.state = state
    guide.save(update_fields=["state", "name"])
    record(by.workspace, by.user, f"guide.{state}", guide.name, guide=guide.pk)


@transaction.atomic
def draft_from(guide: Guide, by: Membership, number: int) -> None:
    """A version that was shown before, as the draft again."""
    must_cover(by, Role.MEMBER)
    version = guide.versions.filter(number=number).first()
    if version is None:
        raise BadValue(_("There is no such version."))
    guide.document = copy.deepcopy(version.document)
    _keep(guide, by, "document")
    record(
        by.workspace,
        by.user,
        "guide.brought_back",
        guide.name,
        guide=guide.pk,
        version=number,
    )


@transaction.atomic
def invite(
    workspace: Workspace, guide: Guide, accounts: Collection[str], by: User | None
) -> int:
    """Choose accounts for a guide that is shown to chosen ones; how many are new."""
    there = set(guide.invited.values_list("account_id", flat=True))
    new = sorted(set(accounts) - there)
    Invited.objects.bulk_create(
        (Invited(guide=guide, account_id=account) for account in new),
        ignore_conflicts=True,
    )
    record(
        workspace, by, "guide.invited", guide.name, guide=guide.pk, accounts=len(new)
    )
    return len(new)


def invite_accounts(workspace: Workspace, name: str, accounts: Collection[str]) -> int:
    """Choose accounts for a guide by its name, as a playbook does; a guide that was
    paused meanwhile chooses none."""
    try:
        guide = queries.get_for_chosen(workspace, name)
    except BadValue:
        return 0
    return invite(workspace, guide, accounts, None)
