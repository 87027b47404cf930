"""The card of e-mails on the page of an account."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from perennial.apps.team.models import User, Workspace
from perennial.apps.work import outbox
from perennial.apps.work.models import Message
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import GREEN, KESTREL, ago
from tests.apps.team.cast import Cast
from tests.apps.work.test_plans import said
from tests.builders import write


def card(client: Client, account: str) -> str:
    page = client.get(reverse("customers:account", args=[account])).content
    return said(page).partition("E-mailsThe newest")[2].partition("Timeline")[0]


def test_mails_with_an_account(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """Sent, failed and a draft; from them and to them; none of others, of machines, of
    colleagues, or thrown away."""
    kim, bob = "kim@kestrel.example", cast.teammate.email
    sent = dict.fromkeys(("first", "second", "third", "mine", "gone"), "")
    for subject in sent:
        outbox.write_mail(
            workspace, key=subject, to=bob if subject == "mine" else kim,
            subject=f"The {subject} letter", text="Hello", account_id=KESTREL,
        )  # fmt: skip
    for key, state in (
        ("first", Message.State.SENT),
        ("second", Message.State.FAILED),
        ("third", Message.State.DRAFT),
        ("gone", Message.State.DISCARDED),
    ):
        workspace.messages.filter(key=key).update(state=state)
    mail = {"account_id": KESTREL, "sent_at": ago(3)}
    write(lake.lake, "emails", [
        {**mail, "message_id": "1", "from_address": kim, "to_addresses": bob, "direction": "inbound"},
        {**mail, "message_id": "2", "from_address": "news@us", "is_automatic": True},
        {**mail, "message_id": "3", "from_address": "other@x", "account_id": GREEN},
    ])  # fmt: skip
    text = card(client_of(cast.teammate), KESTREL)
    assert f"The first letter{kim}today" in text
    assert f"The second letter{kim}Failed" in text
    assert f"The third letter{kim}Draft" in text
    assert f"{kim}Bob3 d" in text
    for hidden in ("mine", "gone", "news@us", "other@x"):
        assert hidden not in text
    text = card(client_of(cast.viewer), KESTREL)
    assert "The first letter" in text
    assert kim not in text


def test_without_a_mail_it_says_where_they_come_from(
    workspace: Workspace, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    url = reverse("customers:account", args=[GREEN])
    assert "No e-mail yet." in said(client_of(cast.viewer).get(url).content)
    assert client_of(cast.stranger).get(url).status_code == 404
