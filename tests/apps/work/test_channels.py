"""Slack, Teams and webhooks of a person and of the team: what they hear, once, from whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from standardwebhooks.webhooks import Webhook

from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.apps.work import jobs, outbox, posting
from perennial.apps.work.alerts import actions as alerts
from perennial.apps.work.models import Channel, Message, Preference
from perennial.apps.work.tasks import actions as tasks
from perennial.apps.work.telling import channels, digest
from perennial.core.errors import BadValue
from tests.apps.customers.company import KESTREL
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock

ClientOf = Callable[[User], Client]
CHAT, HOOK = "https://hooks.chat.example/T1/x", "https://in.example/told"
Sent = list[tuple[str, dict[str, object], dict[str, str]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What is posted, instead of being."""
    found: Sent = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> None:
        Webhook(SECRET).verify(body, headers) if url == HOOK and SECRET else None
        found.append((url, json.loads(body), headers))

    monkeypatch.setattr(posting, "post", post)
    return found


SECRET = ""


@pytest.fixture
def given(workspace: Workspace, cast: Cast, moving: Clock) -> Workspace:
    moving.at = datetime.now(UTC) - timedelta(seconds=5)
    bob = cast.membership(cast.teammate)
    channels.keep(bob, bob, "chat", CHAT, ["task"])
    channels.keep(bob, bob, "webhook", HOOK, ["alert", "nothing"])
    moving.at = datetime.now(UTC)
    alerts.evaluate(workspace)
    tasks.add_task(
        cast.membership(cast.owner),
        {"title": "Call them", "owner": cast.teammate, "account_id": KESTREL},
    )
    return workspace


def test_each_address_hears_what_was_chosen_once(
    given: Workspace, cast: Cast, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.SECRET", outbox.webhook_secret(given))
    for _ in range(2):
        jobs.follow_up(given.key, lambda _share, _what: None)
    chat = [body for url, body, _headers in sent if url == CHAT]
    assert len(chat) == 1
    assert "Task for you: Call them" in str(chat[0]["text"])
    hooks = [body for url, body, _headers in sent if url == HOOK]
    mine = given.notices.filter(user=cast.teammate, what="alert").count()
    assert len(hooks) == mine > 0
    assert {body["type"] for body in hooks} == {"notification"}
    assert hooks[0]["data"]["what"] == "alert"  # type: ignore[index]
    assert Channel.objects.get(kind="webhook").whats == ["alert"]


def test_the_team_hears_every_alert_from_then_on(
    workspace: Workspace, cast: Cast, sent: Sent, moving: Clock
) -> None:
    ada = cast.membership(cast.admin)
    moving.at = datetime.now(UTC) - timedelta(hours=1)
    alerts.evaluate(workspace)
    old = workspace.alerts.count()
    assert old
    moving.at = datetime.now(UTC)
    channels.keep(ada, None, "chat", CHAT, ["alert"])
    jobs.follow_up(workspace.key, lambda _share, _what: None)
    assert not [url for url, _body, _headers in sent if url == CHAT]
    moving.forward(seconds=1)
    alert = workspace.alerts.filter(state="open", is_quiet=False).first()
    assert alert is not None
    workspace.alerts.filter(pk=alert.pk).update(opened_at=moving.at, owner_email="")
    for _ in range(2):
        jobs.follow_up(workspace.key, lambda _share, _what: None)
    assert len([url for url, _body, _headers in sent if url == CHAT]) == 1


def _secret_is_shown_once(workspace: Workspace, admin: Client, team: str) -> None:
    old = outbox.webhook_secret(workspace)
    before = admin.get(team).content.decode()
    assert old not in before
    assert outbox.last_of(old) in before
    made = admin.post(team, {"do": "new_secret"})
    new = outbox.webhook_secret(workspace)
    assert new != old
    assert new in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    for page in (team, reverse("work:outbox")):
        assert new not in admin.get(page).content.decode()
    entry = AuditEntry.objects.get(verb="webhook.secret_made")
    assert new not in f"{entry.target}{entry.details}"
    message = outbox.write(
        workspace, key="t", channel=Message.Channel.CHAT, to=CHAT, text="Hi"
    )
    told = admin.get(reverse("work:outbox") + "?state=queued").content.decode()
    assert "hooks.chat.example" in told
    assert CHAT not in f"{told}{message}"  # whoever knows the address can write there
    message.delete()


def test_a_digest_comes_to_an_address_once_whatever_dies(
    workspace: Workspace, cast: Cast, sent: Sent, moving: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Monday to Monday, seven in Berlin: Bob's own every morning, in German; the
    team's on Mondays, of everybody's accounts. The process dies after each post."""
    bob, ada = cast.membership(cast.teammate), cast.membership(cast.admin)
    Preference.objects.bulk_create(
        Preference(membership=m, what="digest", email="never")
        for m in workspace.memberships.all()
    )
    cast.teammate.language = "de"
    cast.teammate.save()
    channels.keep(bob, bob, "chat", CHAT, ["digest:daily"])
    channels.keep(ada, None, "webhook", HOOK, ["digest:weekly"])
    monkeypatch.setattr(f"{__name__}.SECRET", outbox.webhook_secret(workspace))
    deliver = outbox._deliver

    def dies(message: Message) -> bool:
        deliver(message)
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "_deliver", dies)
    for day in range(8):
        moving.at = datetime(2026, 6, 1 + day, 5, tzinfo=UTC)
        for _ in range(4):  # the last two find nothing to do
            with suppress(KeyboardInterrupt):
                digest.send_due(workspace)
                outbox.send_due(workspace)
    mine = [str(body["text"]) for url, body, _headers in sent if url == CHAT]
    team = [body["data"] for url, body, _headers in sent if url == HOOK]
    assert (len(mine), len(team)) == (6, 2)
    assert all("Silent Mills" in text and "Greenfield" not in text for text in mine)
    assert "Konto" in mine[0] or "Kunde" in mine[0]
    assert "Kestrel & Sons" in str(team[0])
    assert team[0]["what"] == "digest"  # type: ignore[index]


def test_who_keeps_which_address(
    workspace: Workspace, cast: Cast, client_of: ClientOf, sent: Sent
) -> None:
    bob = cast.membership(cast.teammate)
    for url in ("http://x.example", "ftp://x", "https://", "javascript:1"):
        with pytest.raises(BadValue):
            channels.keep(bob, bob, "chat", url, ["alert"])
    with pytest.raises(NotAllowed):
        channels.keep(bob, None, "chat", CHAT, ["alert"])
    with pytest.raises(NotAllowed):
        outbox.new_secret(bob)
    team = reverse("work:team_channels")
    assert client_of(cast.teammate).get(team).status_code == 403
    stranger = client_of(cast.stranger).get(team).content.decode()
    assert outbox.webhook_secret(workspace) not in stranger
    admin = client_of(cast.admin)
    _secret_is_shown_once(workspace, admin, team)
    admin.post(team, {"url.chat": CHAT, "what.chat": "alert", "test": "chat"})
    viewer = client_of(cast.viewer)
    own = reverse("work:preferences")
    viewer.post(own, {"url.webhook": HOOK, "what.webhook": ["task", "digest:hourly"]})
    kept = {c.kind: (c.membership, c.whats) for c in workspace.channels.all()}
    assert kept["chat"] == (None, ["alert"])
    assert kept["webhook"] == (cast.membership(cast.viewer), ["task"])
    assert outbox.send_due(workspace) == 1
    assert sent[0][1] == {"text": "Aldermoor can be heard here."}
    assert Message.objects.get(channel="chat").state == Message.State.SENT
    viewer.post(own, {"url.webhook": ""})
    assert not workspace.channels.filter(kind="webhook").exists()
