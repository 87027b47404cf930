"""Notifications and digests: what is told, to whom, once, in their words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.customers import note_actions
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work import jobs, outbox
from perennial.apps.work.alerts import actions as alerts
from perennial.apps.work.models import Message, Notice, Preference
from perennial.apps.work.tasks import actions as tasks
from perennial.apps.work.telling import digest, kinds, notices
from tests.apps.customers.company import KESTREL
from tests.apps.customers.test_notes import said as said_of
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.mailbox import Post

ClientOf = Callable[[User], Client]
Email = Preference.Email


def choose(member: Membership, what: str, email: Email, *, in_app: bool = True) -> None:
    Preference.objects.update_or_create(
        membership=member, what=what, defaults={"email": email, "in_app": in_app}
    )


def said(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


@pytest.fixture
def given(workspace: Workspace, cast: Cast, moving: Clock) -> Workspace:
    """Alice gave Bob a task, Bob himself one; alerts are open. It is now."""
    moving.at = datetime.now(UTC)
    alerts.evaluate(workspace)
    for by in (cast.owner, cast.teammate):
        tasks.add_task(
            cast.membership(by),
            {"title": f"By {by}", "owner": cast.teammate, "account_id": KESTREL},
        )
    return workspace


def test_told_once_and_of_what_others_did(
    given: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    notices.tell(given)
    notices.tell(given)
    mine = given.notices.filter(user=cast.teammate)
    assert sorted(mine.values_list("what", flat=True)) == ["alert", "task"]
    client = client_of(cast.teammate)
    page = said(client.get(reverse("work:notices")).content)
    assert "Task for you: By Alice (Kestrel & Sons)" in page.replace("&amp;", "&")
    assert "Silent Mills: Nobody has logged in" in page
    assert "By Bob" not in page
    stranger = said(client_of(cast.stranger).get(reverse("work:notices")).content)
    assert "Kestrel" not in stranger
    client.post(reverse("work:read_all"))
    assert notices.unread(cast.teammate, given) == 0
    assert notices.unread(cast.owner, given) > 0


def test_mails_at_once_only_to_those_who_want_them(
    given: Workspace, cast: Cast
) -> None:
    choose(cast.membership(cast.owner), "alert", Email.NOW)
    choose(cast.membership(cast.teammate), "task", Email.NEVER)
    notices.tell(given)
    notices.tell(given)
    mails = given.messages.values_list("to", flat=True)
    loud = given.alerts.filter(owner_email=cast.owner.email, is_quiet=False)
    assert list(mails) == [cast.owner.email] * loud.count()
    # Wanting them later does not bring those of before.
    choose(cast.membership(cast.teammate), "task", Email.NOW)
    notices.tell(given)
    assert not given.messages.filter(to=cast.teammate.email).exists()


def test_a_mail_alone_shows_nothing_here(given: Workspace, cast: Cast) -> None:
    choose(cast.membership(cast.teammate), "task", Email.NOW, in_app=False)
    notices.tell(given)
    assert given.messages.filter(to=cast.teammate.email).count() == 1
    assert not notices.of(cast.teammate, given).filter(what="task").exists()


def test_nobody_is_told_who_wants_nothing(given: Workspace, cast: Cast) -> None:
    for kind in kinds.KINDS:
        choose(cast.membership(cast.teammate), kind.key, Email.NEVER, in_app=False)
    notices.tell(given)
    assert not Notice.objects.filter(user=cast.teammate).exists()


def test_the_matrix_is_kept(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client, url = client_of(cast.viewer), reverse("work:preferences")
    assert client.get(url).status_code == 200
    given = {f"email.{k.key}": k.emails[-1] for k in kinds.KINDS}
    client.post(url, {**given, "email.task": "weekly", "in_app.alert": "on"})
    chosen = kinds.choices(cast.membership(cast.viewer))
    assert chosen["alert"] == kinds.Choice(in_app=True, email=Email.NOW)
    assert chosen["mention"] == kinds.Choice(in_app=False, email=Email.NEVER)
    assert chosen["task"].email == Email.NOW  # weekly is none of its choices
    assert chosen[kinds.DIGEST].email == Email.NEVER


@pytest.mark.parametrize(
    ("zone", "at", "email", "day"),
    [
        ("Europe/Berlin", "2026-06-01T05:00", Email.DAILY, "2026-06-01"),
        ("Europe/Berlin", "2026-06-01T04:59", Email.DAILY, ""),
        ("America/New_York", "2026-06-01T05:00", Email.DAILY, ""),
        ("Pacific/Kiritimati", "2026-06-01T17:00", Email.DAILY, "2026-06-02"),
        ("Europe/Berlin", "2026-06-02T08:00", Email.WEEKLY, ""),
        ("Europe/Berlin", "2026-06-06T08:00", Email.DAILY, ""),  # a Saturday
        ("Europe/Berlin", "2026-06-01T08:00", Email.NEVER, ""),
    ],
)
def test_a_digest_comes_in_the_morning_of_the_reader(
    zone: str, at: str, email: Email, day: str, cast: Cast
) -> None:
    member = cast.membership(cast.teammate)
    member.user.timezone = zone
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    wanted = date.fromisoformat(day) if day else None
    assert digest.due_on(member, email, now) == wanted


def test_a_digest_says_what_home_says_with_a_picture(
    workspace: Workspace,
    cast: Cast,
    post: Post,
    client_of: ClientOf,
) -> None:
    cast.owner.language = "de"
    cast.owner.save()
    for user in (cast.admin, cast.teammate, cast.viewer):
        choose(cast.membership(user), kinds.DIGEST, Email.NEVER)
    assert digest.send_due(workspace) == 1
    assert digest.send_due(workspace) == 0
    outbox.send_due(workspace)
    [mail] = post.mails
    parts = {p.get_content_type(): p for p in mail.walk() if not p.is_multipart()}
    assert set(parts) == {"text/plain", "text/html", "image/png"}
    text = parts["text/plain"].get_payload(decode=True)
    html = parts["text/html"].get_payload(decode=True)
    picture = parts["image/png"].get_payload(decode=True)
    assert isinstance(text, bytes)
    assert isinstance(html, bytes)
    assert isinstance(picture, bytes)
    assert "Kestrel & Sons" in text.decode()
    assert "Kestrel &amp; Sons" in html.decode()
    assert 'lang="de"' in html.decode()
    named = str(parts["image/png"]["Content-ID"]).strip("<>")
    assert f'src="cid:{named}"' in html.decode()
    assert picture.startswith(b"\x89PNG")
    assert mail["To"] == cast.owner.email


def test_nothing_is_sent_twice_when_the_job_dies(
    given: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead before anything was sent: the next run sends each message once."""
    sends = outbox.send_due

    def dies(_workspace: Workspace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "send_due", dies)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            jobs.follow_up(given.key, lambda _share, _what: None)
    monkeypatch.setattr(outbox, "send_due", sends)
    jobs.follow_up(given.key, lambda _share, _what: None)
    keys = list(Message.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys))
    assert keys


def test_old_news_is_no_news(given: Workspace, cast: Cast) -> None:
    given.tasks.update(created_at=datetime.now(UTC) - timedelta(days=3))
    notices.tell(given)
    assert not given.notices.filter(what="task").exists()


def test_whoever_is_mentioned_hears_of_it(
    given: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    note = said_of("Ask @bob and @alice about it")
    note_actions.write_note(cast.membership(cast.owner), KESTREL, note, key=uuid4())
    notices.tell(given)
    found = given.notices.filter(what="mention")
    assert [notice.user for notice in found] == [cast.teammate]  # not Alice herself
    page = said(client_of(cast.teammate).get(reverse("work:notices")).content)
    assert "Alice mentioned you (Kestrel & Sons)" in page.replace("&amp;", "&")
    assert client_of(cast.teammate).get(found[0].url).status_code == 200
