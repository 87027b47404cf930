"""Starting a playbook for many accounts: in the background, some hundred at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.registry import Report
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.work.models import ManyStart, Playbook, Run
from perennial.apps.work.playbooks import engine
from perennial.core.errors import BadValue

#: Accounts a person waits for; with more it goes on in the background.
AT_ONCE: Final = 200


@transaction.atomic
def start(playbook: Playbook, by: Membership, account_ids: Sequence[str]) -> ManyStart:
    """Note what is wanted, and let a worker do it. The same is not wanted twice at
    a time."""
    must_cover(by, Role.MEMBER)
    if playbook.state != Playbook.State.ON:
        raise BadValue(_("The playbook is not on."))
    if playbook.many_starts.filter(finished_at=None).exists():
        raise BadValue(_("It is being started for many accounts already."))
    wanted = list(dict.fromkeys(account_ids))
    made = ManyStart.objects.create(
        playbook=playbook, by=by.user, accounts=wanted, at=lake_of(by.workspace).now
    )
    record(
        by.workspace, by.user, "playbook.started", playbook.name, accounts=len(wanted)
    )
    jobs.enqueue("start_playbook", by.workspace, by=by.user, many=made.pk)
    return made


def go_on(many: ManyStart, report: Report) -> None:
    """Start what is not started yet. A worker that died is followed by another, which
    asks some accounts again: they are refused, because they run."""
    while many.done < len(many.accounts):
        many.playbook.refresh_from_db()
        if many.playbook.state != Playbook.State.ON:
            break
        piece = many.accounts[many.done : many.done + AT_ONCE]
        engine.start_for(many.playbook, piece, many.by)
        _note(many, many.done + len(piece))
        report(many.share, many.playbook.name)
    many.finished_at = lake_of(many.playbook.workspace).now
    many.save(update_fields=["finished_at"])


def _note(many: ManyStart, done: int) -> None:
    mine = Run.objects.filter(
        playbook=many.playbook, started_by=many.by, started_at__gte=many.at
    )
    many.done, many.started = done, mine.count()
    many.save(update_fields=["done", "started"])


def newest(playbook: Playbook) -> ManyStart | None:
    return playbook.many_starts.order_by("-pk").first()
