"""Slack, Teams and webhooks that hear what people hear: a member's own addresses, and
the team's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work import outbox
from perennial.apps.work.models import Channel, Message, Preference
from perennial.apps.work.telling import kinds
from perennial.core.errors import BadValue

Email = Preference.Email
KINDS: Final = (Message.Channel.CHAT.value, Message.Channel.WEBHOOK.value)
#: Digests by how often they come; an address gets one of them at most.
RHYTHMS: Final = {
    f"{kinds.DIGEST}:{rhythm}": rhythm for rhythm in (Email.DAILY, Email.WEEKLY)
}
#: What a team hears of.
OF_TEAM: Final = ("alert", *RHYTHMS)


@dataclass(frozen=True)
class Shown:
    """An address on the page, also where there is none yet."""

    kind: str
    label: str | Promise
    url: str
    whats: Sequence[str]

    @property
    def digest(self) -> str:
        """Which digest comes there; empty: none."""
        return digest_of(self.whats)


def digest_of(whats: Sequence[str]) -> str:
    """Which digest is among them, a key of `RHYTHMS`; empty: none."""
    return next((what for what in RHYTHMS if what in whats), "")


def shown(workspace: Workspace, of: Membership | None) -> list[Shown]:
    """Both addresses of a member, or of the team."""
    found = {c.kind: c for c in workspace.channels.filter(membership=of)}
    return [
        Shown(
            kind,
            Message.Channel(kind).label,
            found[kind].url if kind in found else "",
            found[kind].whats if kind in found else ["alert"],
        )
        for kind in KINDS
    ]


def whats(workspace: Workspace) -> Mapping[str, set[str]]:
    """What each member has told to some address of theirs, by e-mail address."""
    found: dict[str, set[str]] = {}
    own = workspace.channels.exclude(membership=None)
    for email, some in own.values_list("membership__user__email", "whats"):
        found.setdefault(email, set()).update(some)
    return found


@transaction.atomic
def keep(
    by: Membership,
    of: Membership | None,
    kind: str,
    url: str,
    wanted: Sequence[str],
) -> None:
    """An address and what it hears of; an empty one goes. Members keep their own,
    admins the team's."""
    must_cover(by, Role.ADMIN if of is None else Role.VIEWER)
    mine, url = by.workspace.channels.filter(membership=of, kind=kind), url.strip()
    if not url:
        if mine.delete()[0]:
            record(by.workspace, by.user, "channel.removed", kind, team=of is None)
        return
    known = mine.first()
    own = (*(k.key for k in kinds.KINDS if k.in_app), *RHYTHMS)
    chosen = [what for what in (OF_TEAM if of is None else own) if what in wanted]
    if known and (known.url, known.whats) == (url, chosen):
        return
    _check(url)
    Channel.objects.update_or_create(
        workspace=by.workspace,
        membership=of,
        kind=kind,
        defaults={
            "url": url,
            "whats": chosen,
            "by": by.user,
            "since": known.since if known else lake_of(by.workspace).now,
        },
    )
    host = urlsplit(url).hostname or ""
    record(by.workspace, by.user, "channel.kept", kind, host=host, team=of is None)


def test(by: Membership, of: Membership | None, kind: str) -> None:
    """A first message, to see that it arrives."""
    channel = by.workspace.channels.filter(membership=of, kind=kind).first()
    if channel is None:
        raise BadValue(_("Give an address first."))
    now = lake_of(by.workspace).now.isoformat(timespec="seconds")
    outbox.write(
        by.workspace,
        key=f"{outbox.NEWS}{kind}:test:{channel.pk}:{now}",
        channel=Message.Channel(kind),
        to=channel.url,
        subject="test",
        text=_("%(workspace)s can be heard here.") % {"workspace": by.workspace.name},
    )


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or len(url) > 500:
        raise BadValue(_("An address begins with https://."))
