"""What leaves the house: once, by a real mail server, signed, and to nobody inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work import outbox, posting
from perennial.apps.work.models import Message
from perennial.core.errors import BadValue
from tests.apps.customers.company import KESTREL
from tests.apps.team.cast import Cast
from tests.mailbox import Post

ClientOf = Callable[[User], Client]
State = Message.State


def mail(workspace: Workspace, key: str = "a", **more: Any) -> Message:
    return outbox.write(
        workspace,
        key=key,
        channel=Message.Channel.EMAIL,
        to="kim@kestrel.example",
        subject="Hello\r\nBcc: all@example.com",
        text="How is it going?",
        **more,
    )


def test_written_once_and_sent_once(workspace: Workspace, post: Post) -> None:
    assert mail(workspace).pk == mail(workspace).pk
    assert outbox.send_due(workspace) == 1
    assert outbox.send_due(workspace) == 0
    [sent] = post.mails
    assert sent["Subject"] == "Hello Bcc: all@example.com"
    assert sent["Bcc"] is None
    assert sent["To"] == "kim@kestrel.example"
    assert sent["Message-ID"] == outbox.message_id(Message.objects.get())


def test_a_process_that_dies_sends_nothing_twice(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead after the server took it and before it was written down."""
    message = mail(workspace)
    deliver = outbox._deliver

    def dies(found: Message) -> bool:
        deliver(found)
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "_deliver", dies)
    with pytest.raises(KeyboardInterrupt):
        outbox.send_due(workspace)
    monkeypatch.setattr(outbox, "_deliver", deliver)
    outbox.send_due(workspace)
    Message.objects.update(claimed_at=timezone.now() - timedelta(minutes=11))
    outbox.send_due(workspace)
    message.refresh_from_db()
    assert (len(post.mails), message.state) == (1, State.UNSURE)


def test_refused_is_tried_again_later_and_less_often(
    workspace: Workspace, post: Post
) -> None:
    post.refuses = True
    message = mail(workspace)
    for attempt in range(1, outbox.ATTEMPTS + 1):
        assert outbox.send_due(workspace) == 0
        assert outbox.send_due(workspace) == 0  # not yet
        message.refresh_from_db()
        assert message.attempts == attempt
        wait = message.due_at - timezone.now()
        assert wait > timedelta(seconds=50) * 4 ** (attempt - 1)
        Message.objects.update(due_at=timezone.now())
    assert message.state == State.FAILED
    assert "451" in message.error
    post.refuses = False


def test_without_a_server_it_is_kept(
    workspace: Workspace, member: Membership, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    message = mail(workspace)
    assert outbox.send_due(workspace) == 0
    message.refresh_from_db()
    assert message.state == State.KEPT
    outbox.send_again(message, member)
    message.refresh_from_db()
    assert message.state == State.QUEUED


def test_drafts_wait_for_a_person(
    workspace: Workspace, cast: Cast, client_of: ClientOf, post: Post
) -> None:
    message = mail(workspace, is_draft=True, account_id=KESTREL)
    assert outbox.send_due(workspace) == 0
    client, url = client_of(cast.teammate), reverse("work:message", args=[message.pk])
    page = client.get(reverse("work:outbox")).content.decode()
    assert "How is it going?" in page
    assert "whsec_" not in page
    assert ">Kestrel &amp; Sons</a>" in page
    changed = {"do": "send", "to": "a@b.example", "subject": "Hi", "text": "Changed"}
    assert client_of(cast.viewer).post(url, changed).status_code == 403
    assert client_of(cast.stranger).post(url, changed).status_code == 404
    client.post(url, {**changed, "to": "nobody"})
    assert Message.objects.get().state == State.DRAFT
    client.post(url, changed)
    outbox.send_due(workspace)
    [sent] = post.mails
    assert (sent["To"], sent["Subject"]) == ("a@b.example", "Hi")
    with pytest.raises(BadValue, match="left the drafts"):
        outbox.discard(Message.objects.get(), cast.membership(cast.teammate))


def test_mails_to_a_colleague_are_not_for_others(
    workspace: Workspace, cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    message = outbox.write(
        workspace,
        key="digest",
        channel=Message.Channel.EMAIL,
        to=cast.owner.email,
        text="Your day",
    )
    outbox.send_due(workspace)
    kept = f"{reverse('work:outbox')}?state=kept"
    again = reverse("work:message", args=[message.pk])
    assert "Your day" in client_of(cast.owner).get(kept).content.decode()
    other = client_of(cast.teammate)
    assert "Your day" not in other.get(kept).content.decode()
    assert other.post(again, {"do": "again"}).status_code == 404


def test_webhooks_are_signed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, bytes, dict[str, str]]] = []
    monkeypatch.setattr(posting, "post", lambda *given: taken.append(given))
    outbox.write(
        workspace,
        key="run:1:2",
        channel=Message.Channel.WEBHOOK,
        to="https://hooks.example.com/x",
        text="",
    )
    assert outbox.send_due(workspace) == 1
    [(url, body, headers)] = taken
    assert url == "https://hooks.example.com/x"
    secret = outbox.webhook_secret(workspace)
    told = Webhook(secret).verify(body.decode(), headers)
    assert told["type"] == "playbook.step"
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(json.dumps({"type": "other"}), headers)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.8/latest",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_no_way_to_ask_the_machines_around(url: str) -> None:
    with pytest.raises(BadValue, match=r"public address|https address"):
        posting.post(url, b"{}", {})


def test_one_draft_has_the_step_and_an_empty_outbox_says_what_comes(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client, url = client_of(cast.teammate), reverse("work:outbox")
    assert "Playbooks put their drafts here" in client.get(url).content.decode()
    for key in ("a", "b"):
        mail(workspace, key=key, is_draft=True)
    assert client.get(url).content.decode().count("btn-primary") == 1
