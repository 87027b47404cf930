"""E-mails with an account: what playbooks and surveys sent, and what sources tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.words import name_of, owner_names
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.work.models import Message
from perennial.lake.workspace import Workspace as Lake

_FEW: Final = 6
State = Message.State
_COLORS: Final = {State.FAILED: "red", State.UNSURE: "orange", State.DRAFT: "accent"}


@dataclass
class Mail:
    """One mail. `who`: the customer's address; `ours`: who of us wrote or got it, empty
    where nobody did by hand. `state`: why it is not simply sent."""

    at: datetime
    who: str
    is_inbound: bool = False
    ours: str = ""
    subject: str = ""
    state: str = ""
    color: str = ""


def panel(request: TeamRequest, account: Account) -> SafeString:
    """The newest mails with an account; personal data masked for those who only read.

    Whether a mail was opened is not known: none that leaves here carries a tracker.
    """
    workspace, names = request.workspace, owner_names(request.workspace)
    every = [
        *_written(workspace, account, names),
        *_told(workspace, account, names),
    ]
    found = sorted(every, key=lambda mail: mail.at, reverse=True)[:_FEW]
    if not wording.reads_all(request.membership):
        told = [(account.account_id, vars(mail)) for mail in found]
        wording.hide_in(workspace, told, "who", "ours", "subject")
    context = {"mails": found, "account": account, "now": lake_of(workspace).now}
    return render_to_string("work/mails_panel.html", context, request)


def _written(
    workspace: Workspace, account: Account, names: Mapping[str, str]
) -> Iterator[Mail]:
    """What was written here to the customer; mails to colleagues are none of theirs."""
    colleagues = workspace.memberships.values("user__email")
    messages = workspace.messages.filter(
        account_id=account.account_id, channel=Message.Channel.EMAIL
    )
    found = messages.exclude(to__in=colleagues).exclude(state=State.DISCARDED)
    for message in found.order_by("-created_at")[:_FEW]:
        state = State(message.state)
        yield Mail(
            message.sent_at or message.created_at,
            message.to,
            ours=name_of(message.owner_email, names) if message.owner_email else "",
            subject=message.subject,
            state="" if state == State.SENT else str(state.label),
            color=_COLORS.get(state, ""),
        )


def _told(
    workspace: Workspace, account: Account, names: Mapping[str, str]
) -> Iterator[Mail]:
    for at, sender, to, direction in _newest(lake_of(workspace), account.account_id):
        is_inbound = direction != "outbound"
        theirs, ours = (sender, to) if is_inbound else (to, sender)
        yield Mail(at, theirs or "", is_inbound, name_of(ours, names) if ours else "")


@kept("emails", size=256)
def _newest(lake: Lake, account_id: str) -> Sequence[tuple[Any, ...]]:
    """What sources tell of, either way, but for what machines sent."""
    columns = ("sent_at", "from_address", "to_addresses", "direction", "is_automatic")
    rows = lake.engine.rows("emails", account_id, columns)
    by_people = rows.filter(~rows["is_automatic"].fill_null(value=False))
    newest = by_people.sort("sent_at", descending=True).head(_FEW)
    return newest.drop("is_automatic").rows()
