"""Verbs of onboarding: write, publish and stop a flow, tick a step. All are audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml
from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.onboarding import library
from perennial.apps.onboarding.models import Flow
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.core.onboarding import check_draft, clean_name
from perennial.lake import flowbook, onboarding, places

State = Flow.State
_MOST_TEXT = 50_000


def add(by: Membership, name: str, template: str) -> Flow:
    """A draft that begins as one of the templates; raises `BadValue`."""
    return create(by, name, library.document(template, lake_of(by.workspace).today))


@transaction.atomic
def create(by: Membership, name: str, document: Mapping[str, Any]) -> Flow:
    """A draft, finished or not; raises `BadValue`."""
    must_cover(by, Role.MEMBER)
    check_draft(document)
    flow = Flow.objects.create(
        workspace=by.workspace,
        name=_free_name(by.workspace, name),
        document=dict(document),
        by=by.user,
    )
    record(by.workspace, by.user, "onboarding.added", flow.name, flow=flow.pk)
    return flow


def _free_name(workspace: Workspace, name: str, flow: Flow | None = None) -> str:
    name = clean_name(name, _("Name"))
    others = workspace.onboarding_flows.filter(name=name)
    if flow is not None:
        others = others.exclude(pk=flow.pk)
    if others.exists():
        raise BadValue(_("There is a flow of this name already."))
    return name


@transaction.atomic
def save(flow: Flow, by: Membership, name: str, document: Mapping[str, Any]) -> str:
    """Keep a draft, finished or not; what is wrong with it, or nothing.

    What is in force stays until it is published. Raises `BadValue` for a name that is
    taken, or that is in use and stays, and for what the form could not show.
    """
    must_cover(by, Role.MEMBER)
    check_draft(document)
    name = _free_name(by.workspace, name, flow)
    if flow.number and name != flow.name:
        raise BadValue(_("A published flow keeps its name: guides and numbers use it."))
    flow.name, flow.document, flow.by = name, dict(document), by.user
    flow.changed_at = lake_of(by.workspace).now
    flow.save(update_fields=["name", "document", "by", "changed_at"])
    record(by.workspace, by.user, "onboarding.changed", name, flow=flow.pk)
    return problem(flow)


def save_text(flow: Flow, by: Membership, text: str) -> str:
    """The same, written as YAML; raises `BadValue` for what is none."""
    if len(text) > _MOST_TEXT:
        raise BadValue(_("The text is too long to be a flow."))
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadValue(_("This is not YAML: line %(n)s.") % {"n": line}) from None
    if not isinstance(document, dict):
        raise BadValue(_("A flow has per, since and steps."))
    name = str(document.pop("name", flow.name))
    since = document.get("since")
    if since is not None:
        document["since"] = str(since)
    return save(flow, by, name, document)


def problem(flow: Flow) -> str:
    """What is wrong with a draft, in words; nothing: it can be published."""
    try:
        flowbook.checked(lake_of(flow.workspace), flow.document)
    except BadValue as error:
        return str(error)
    return ""


@transaction.atomic
def publish(flow: Flow, by: Membership) -> int:
    """The document is in force for whoever began on its day or later; its number."""
    must_cover(by, Role.ADMIN)
    lake = lake_of(by.workspace)
    flow.number = flowbook.publish(lake, flow.name, flow.document, by=by.user.email)
    flow.state = State.ON
    flow.save(update_fields=["number", "state"])
    record(
        by.workspace,
        by.user,
        "onboarding.published",
        flow.name,
        flow=flow.pk,
        version=flow.number,
    )
    jobs.soon("derive_onboarding", by.workspace)
    return flow.number


@transaction.atomic
def stop(flow: Flow, by: Membership) -> None:
    """Nobody enters any more; who is in it goes on."""
    must_cover(by, Role.ADMIN)
    if flow.state != State.ON:
        return
    flowbook.stop(lake_of(by.workspace), flow.name, by=by.user.email)
    flow.state = State.OFF
    flow.save(update_fields=["state"])
    record(by.workspace, by.user, "onboarding.stopped", flow.name, flow=flow.pk)


@transaction.atomic
def discard(flow: Flow, by: Membership) -> None:
    """Delete a draft that never was in force."""
    must_cover(by, Role.MEMBER)
    if flow.number:
        raise BadValue(_("What was published stays on record: stop it instead."))
    record(by.workspace, by.user, "onboarding.discarded", flow.name, flow=flow.pk)
    flow.delete()


def tick(
    by: Membership,
    flow: str,
    step: str,
    account_id: str,
    user_id: str,
    *,
    at: datetime | None,
) -> None:
    """A step that is done by hand was done; with `at` None it was not, after all.

    Raises `BadValue` for a step of another kind, a day that is to come, or somebody
    who is not in the flow.
    """
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    if at is not None and at > lake.now:
        raise BadValue(_("That day is to come."))
    found = places.places(lake, flow, account=account_id or None, user=user_id or None)
    mine = [place for place in found if (place.user_id or "") == user_id]
    if not (account_id or user_id):
        mine = []
    known = mine[0].progress.flow.step(step) if mine else None
    if known is None or known.by != "hand":
        raise BadValue(_("This step is not one that is ticked by hand."))
    flowbook.tick(
        lake, flow, step, mine[0].account_id, user_id or None, at=at, by=by.user.email
    )
    onboarding.catch_up(lake)
    action = "onboarding.ticked" if at else "onboarding.unticked"
    about = {"account": account_id, "flow": flow, "step": step, "user": user_id}
    record(by.workspace, by.user, action, f"{flow}: {step}", **about)
