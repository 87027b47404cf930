"""What happened that people want to hear of: found from what is there, told once.

Nothing has to remember to tell: each look finds alerts, tasks, drafts and mentions
of the last days, and the key of a notice keeps it from being told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.customers.models import Mention
from perennial.apps.team.addresses import absolute
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work import outbox
from perennial.apps.work.alerts import queries as alerts
from perennial.apps.work.alerts import words
from perennial.apps.work.models import Alert, Channel, Message, Notice, Preference
from perennial.apps.work.tasks.queries import ACTIVE
from perennial.apps.work.telling import channels, kinds
from perennial.ui.formats import Regional

#: Older than this it is no news.
NEWS: Final = timedelta(days=2)
#: Facts of a notice that may quote a customer.
_WRITTEN: Final = ("title", "reason", *alerts.WRITTEN)
Email = Preference.Email
People = Mapping[str, Membership]


def tell(workspace: Workspace) -> None:
    """Write notices of what is new, and the mails of those who want them at once."""
    members = workspace.memberships.select_related("user").prefetch_related(
        "preferences", "channels__by", "channels__workspace"
    )
    people = {member.user.email: member for member in members}
    chosen = {email: kinds.choices(member) for email, member in people.items()}
    posted = channels.whats(workspace)
    new = []
    for notice in _found(workspace, people):
        choice = chosen[notice.user.email][notice.what]
        notice.in_app = choice.in_app
        is_posted = notice.what in posted.get(notice.user.email, ())
        if choice.in_app or choice.email == Email.NOW or is_posted:
            new.append(notice)
    Notice.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    _mail(workspace, people)


def _found(workspace: Workspace, people: People) -> Iterator[Notice]:
    since = timezone.now() - NEWS
    for alert in open_alerts(workspace).filter(owner_email__in=people):
        yield of_alert(alert, people[alert.owner_email].user)
    tasks = workspace.tasks.select_related("owner").filter(
        ~Q(owner=F("created_by")) | Q(created_by=None),
        state__in=ACTIVE,
        owner__isnull=False,
        created_at__gte=since,
    )
    for task in tasks:
        if task.owner is not None and task.owner.email in people:
            url = reverse("work:task", args=[task.pk])
            facts = {"title": task.title, "reason": task.reason}
            key = f"task:{task.pk}:{task.owner_id}"
            yield _notice(
                workspace, task.owner, "task", key, url, task.account_id, facts
            )
    drafts = workspace.messages.filter(state=Message.State.DRAFT, created_at__gte=since)
    for draft in drafts.filter(owner_email__in=people):
        user = people[draft.owner_email].user
        url, facts = reverse("work:outbox"), {"title": draft.subject}
        key = f"draft:{draft.pk}"
        yield _notice(workspace, user, "draft", key, url, draft.account_id, facts)
    yield from _mentions(workspace, people)


def open_alerts(workspace: Workspace) -> QuerySet[Alert]:
    """Alerts that are news."""
    since = lake_of(workspace).now - NEWS
    return workspace.alerts.filter(
        state=Alert.State.OPEN, is_quiet=False, opened_at__gte=since
    )


def of_alert(alert: Alert, user: User) -> Notice:
    url, facts = reverse("work:alerts"), {"rule": alert.rule, **alert.facts}
    key = f"alert:{alert.pk}"
    return _notice(alert.workspace, user, "alert", key, url, alert.account_id, facts)


def _mentions(workspace: Workspace, people: People) -> Iterator[Notice]:
    since = timezone.now() - NEWS
    found = Mention.objects.select_related("note__by", "user").filter(
        note__workspace=workspace, note__written_at__gte=since
    )
    for mention in found:
        note = mention.note
        if mention.user.email not in people or note.by_id == mention.user_id:
            continue
        url = reverse("customers:timeline", args=[note.account_id])
        who = note.by.display_name if note.by else ""
        yield _notice(
            workspace,
            mention.user,
            "mention",
            f"mention:{note.pk}:{mention.user_id}",
            url,
            note.account_id,
            {"who": who},
        )


def _notice(
    workspace: Workspace,
    user: User,
    what: str,
    key: str,
    url: str,
    account_id: str,
    facts: Mapping[str, object],
) -> Notice:
    return Notice(
        workspace=workspace,
        user=user,
        what=what,
        key=key,
        url=url,
        account_id=account_id,
        facts=dict(facts),
        at=timezone.now(),
    )


def hide(workspace: Workspace, notices: Iterable[Notice]) -> None:
    """Hide personal data in what notices tell: in place, so that nobody saves them."""
    told = [(notice.account_id, notice.facts) for notice in notices]
    wording.hide_in(workspace, told, *_WRITTEN)


def sentence(notice: Notice, name: str, regional: Regional) -> str:
    """What a notice says, in the language that is active."""
    facts = notice.facts
    if notice.what == "alert":
        today = notice.at.astimezone(regional.zone).date()
        said = words.sentence(str(facts["rule"]), facts, regional, today)
        return f"{name}: {said}" if name else said
    told = {
        "task": _("Task for you: %(title)s"),
        "draft": _("A message waits for you: %(title)s"),
        "mention": _("%(who)s mentioned you"),
    }[notice.what] % facts
    return f"{told} ({name})" if name else told


# --- mails at once -----------------------------------------------------------


@transaction.atomic
def _mail(workspace: Workspace, people: People) -> None:
    """Each notice is decided once; the key of its mail keeps it from a second one."""
    waiting = workspace.notices.select_related("user").filter(is_mailed=False)
    for notice in waiting:
        member = people.get(notice.user.email)
        chosen = kinds.choices(member)[notice.what].email if member else Email.NEVER
        if member is not None and chosen == Email.NOW:
            _write(member, notice)
        for channel in member.channels.all() if member else ():
            if notice.what in channel.whats:
                _post(channel, notice, f"{notice.pk}")
    waiting.update(is_mailed=True)


def tell_team(workspace: Workspace) -> None:
    """What the team's own addresses hear of: every alert, whoever the owner is."""
    for channel in workspace.channels.filter(membership=None).select_related("by"):
        if "alert" in channel.whats:
            for alert in open_alerts(workspace).filter(opened_at__gte=channel.since):
                _post(channel, of_alert(alert, channel.by), f"team:{alert.pk}")


def _post(channel: Channel, notice: Notice, about: str) -> None:
    """One message to an address, in the language of whoever gave it; many may read it,
    whatever that person may."""
    member = channel.workspace.memberships.filter(user=channel.by).first()
    if member is None:
        return
    _sentence, text = _said(member, notice, mask=True)
    outbox.write(
        channel.workspace,
        key=f"{outbox.NEWS}{channel.kind}:{about}",
        channel=Message.Channel(channel.kind),
        to=channel.url,
        subject=notice.what,
        text=text,
        account_id=notice.account_id,
    )


def _said(member: Membership, notice: Notice, *, mask: bool) -> tuple[str, str]:
    """The sentence, and with the address of its page, in a member's language."""
    if mask:
        notice = copy(notice)
        notice.facts = dict(notice.facts)
        hide(member.workspace, [notice])
    known = customers.some(member.workspace, (notice.account_id,))
    account = known.get(notice.account_id)
    with override(member.user.language or "en"):
        said = sentence(notice, account.name if account else "", regional_of(member))
    return said, f"{said}\n\n{absolute(notice.url)}\n"


def _write(member: Membership, notice: Notice) -> None:
    workspace, user = member.workspace, member.user
    said, text = _said(member, notice, mask=not wording.reads_all(member))
    outbox.write(
        workspace,
        key=f"notice:{notice.pk}",
        channel=Message.Channel.EMAIL,
        to=user.email,
        subject=said,
        text=text,
    )


def regional_of(member: Membership) -> Regional:
    """How numbers and days are written for a member, outside of a request."""
    return Regional(
        locale=member.user.language or "en",
        currency=member.workspace.currency,
        timezone=member.user.timezone or member.workspace.timezone,
    )


def unread(user: User, workspace: Workspace) -> int:
    return of(user, workspace).filter(read_at=None).count()


def of(user: User, workspace: Workspace) -> QuerySet[Notice]:
    """What a person is told here; some wanted a mail only."""
    return workspace.notices.filter(user=user, in_app=True)
