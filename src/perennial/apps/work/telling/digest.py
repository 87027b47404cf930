"""The digest: five accounts that need a human, with reasons, by mail or in a channel.

It says what Home says, from the same functions. A person, and an address, gets one
for a day or a week at most: the day is in its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from perennial.apps.customers import board, home, queries, today, wording
from perennial.apps.customers.home import Summary
from perennial.apps.customers.queries import Book
from perennial.apps.team.addresses import absolute
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work import outbox
from perennial.apps.work.models import Channel, Message, Preference, Task
from perennial.apps.work.tasks import queries as tasks
from perennial.apps.work.telling import kinds
from perennial.apps.work.telling.channels import RHYTHMS, digest_of
from perennial.apps.work.telling.notices import regional_of
from perennial.ui import charts

#: Accounts a digest names.
FIVE: Final = 5
#: Local hour from which it goes out.
HOUR: Final = 7
_WIDTH: Final = 520
Email = Preference.Email


@dataclass(frozen=True)
class Digest:
    subject: str
    text: str
    html: str
    chart: bytes | None


def send_due(workspace: Workspace) -> int:
    """Write the digests that are due now; how many."""
    book = queries.book(workspace)
    if book is None or not book.customers:
        return 0
    now = lake_of(workspace).now
    active = workspace.memberships.filter(user__is_active=True)
    related = active.select_related("user", "workspace")
    members = {m.user_id: m for m in related.prefetch_related("preferences")}
    mailed = sum(_send(member, book, now) for member in members.values())
    every = workspace.channels.order_by("pk")
    return mailed + sum(
        _post(channel, members[channel.by_id], book, now)
        for channel in every
        if channel.by_id in members
    )


def _send(member: Membership, book: Book, now: datetime) -> bool:
    rhythm = kinds.choices(member)[kinds.DIGEST].email
    key = _key(f"{kinds.DIGEST}:{member.user_id}", member, rhythm, now)
    if not key:
        return False
    with override(member.user.language or "en"):
        found = compose(member, book, mask=not wording.reads_all(member))
    outbox.write(
        member.workspace,
        key=key,
        channel=Message.Channel.EMAIL,
        to=member.user.email,
        subject=found.subject,
        text=found.text,
        html=found.html,
        pictures=[found.chart] if found.chart else [],
    )
    return True


def _post(channel: Channel, member: Membership, book: Book, now: datetime) -> bool:
    """The words of it, in the language of whoever gave the address; the team's
    address hears of everybody's accounts. Many may read it there."""
    rhythm = RHYTHMS.get(digest_of(channel.whats))
    about = f"{outbox.NEWS}{channel.kind}:{kinds.DIGEST}:{channel.pk}"
    key = _key(about, member, rhythm, now)
    if not key:
        return False
    with override(member.user.language or "en"):
        is_of_team = channel.membership_id is None
        found = compose(member, book, of_team=is_of_team, mask=True)
    outbox.write(
        member.workspace,
        key=key,
        channel=Message.Channel(channel.kind),
        to=channel.url,
        subject=kinds.DIGEST,
        text=found.text,
    )
    return True


def _key(about: str, member: Membership, rhythm: Email | None, now: datetime) -> str:
    """What the digest of this moment is called; empty where none is due, or it is
    written."""
    day = due_on(member, rhythm, now)
    key = f"{about}:{day.isoformat()}" if day else ""
    is_new = key and not member.workspace.messages.filter(key=key).exists()
    return key if is_new else ""


def due_on(member: Membership, rhythm: Email | None, now: datetime) -> date | None:
    """The day whose digest is due now; None while none is.

    In the member's own zone: on working days from seven, or on Mondays.
    """
    local = now.astimezone(regional_of(member).zone)
    days = {Email.DAILY: range(5), Email.WEEKLY: range(1)}.get(rhythm or Email.NEVER)
    is_due = local.weekday() in (days or ()) and local.hour >= HOUR
    return local.date() if is_due else None


def compose(
    member: Membership, book: Book, *, mask: bool, of_team: bool = False
) -> Digest:
    """The digest of a member in the language that is active: of the own accounts,
    or of the team's where there are none. `mask`: without personal data."""
    workspace, email = member.workspace, member.user.email
    regional = regional_of(member)
    mine = book.owns(email) and not of_team
    owner = email if mine else ""
    needed = today.needed(workspace, book.reader(email), owner, FIVE)
    summary = home.summary(workspace, book.as_of, owner)
    headline = board.headline(needed, summary, regional, mine=mine)
    chart = _chart(summary, member)
    rows = [
        {
            "name": row.account.name or row.account.account_id,
            "color": row.account.color,
            "score": row.account.shown_score,
            "reason": f"{row.sentence.lead}{row.sentence.rest}",
            "url": absolute(
                reverse("customers:account", args=[row.account.account_id])
            ),
        }
        for row in board.rows(needed, regional)[:FIVE]
    ]
    context: dict[str, Any] = {
        "workspace": workspace,
        "headline": headline,
        "rows": rows,
        "tasks": [] if of_team else _tasks(member, book.as_of, mask=mask),
        "home": absolute("/"),
        "settings": absolute(reverse("work:preferences")),
        "colors": charts.COLORS["light"],
        "chart": outbox.digest(chart) if chart and rows else "",
        "regional": regional,
        "now": datetime.combine(book.as_of, datetime.min.time(), regional.zone),
    }
    return Digest(
        subject=f"{workspace.name}: {headline.lead}",
        text=render_to_string("work/mail/digest.txt", context),
        html=render_to_string("work/mail/digest.html", context),
        chart=chart,
    )


def _tasks(member: Membership, day: date, *, mask: bool) -> list[Task]:
    mine = tasks.of_workspace(member.workspace).filter(
        owner=member.user, state__in=tasks.ACTIVE, due_on__lte=day
    )
    found = list(mine.order_by(*tasks.DUE_FIRST)[:FIVE])
    if mask:
        tasks.hide(member.workspace, found)
    return found


def _chart(summary: Summary, member: Membership) -> bytes | None:
    """Renewals ahead, by health: the chart of Home as a picture."""
    regional = regional_of(member)
    drawn = board.renewals(summary, regional)
    return charts.png(drawn.spec, regional, width=_WIDTH) if drawn else None
