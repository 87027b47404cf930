"""Metrics by mail: when, to whom, in which language, once, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from perennial.apps.reports import boards
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work import outbox
from perennial.apps.work.mailings import actions, composing, schedule, sending
from perennial.apps.work.mailings.actions import Of
from perennial.apps.work.models import Mailing, Picture
from perennial.core.errors import BadValue
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.mailbox import Post

ClientOf = Callable[[User], Client]
BERLIN = ZoneInfo("Europe/Berlin")
BOSS = "boss@elsewhere.example"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("every", "now", "last", "following"),
    [
        ("day", "2026-06-03T07:00", "2026-06-03T07:00", "2026-06-04T07:00"),
        ("day", "2026-06-03T06:59", "2026-06-02T07:00", "2026-06-03T07:00"),
        ("week", "2026-06-03T12:00", "2026-06-01T07:00", "2026-06-08T07:00"),
        ("week", "2026-06-01T06:00", "2026-05-25T07:00", "2026-06-01T07:00"),
        ("month", "2026-03-01T06:00", "2026-02-01T07:00", "2026-03-01T07:00"),
        ("month", "2026-12-31T23:00", "2026-12-01T07:00", "2027-01-01T07:00"),
        ("day", "2026-03-29T12:00", "2026-03-29T07:00", "2026-03-30T07:00"),
    ],
)
def test_moments_are_local_mornings(every: str, now: str, last: str, following: str) -> None:  # fmt: skip
    assert schedule.last_moment(every, at(now), BERLIN) == at(last)
    assert schedule.next_moment(every, at(now), BERLIN) == at(following)


@given(
    st.sampled_from(["day", "week", "month"]),
    st.integers(0, 730 * 24 * 60).map(
        lambda m: at("2026-01-01") + timedelta(minutes=m)
    ),
)
def test_now_lies_between_two_moments(every: str, now: datetime) -> None:
    now = now.astimezone(UTC)
    last = schedule.last_moment(every, now, BERLIN)
    following = schedule.next_moment(every, now, BERLIN)
    assert last <= now < following
    assert schedule.last_moment(every, following, BERLIN) == following
    just_before = following - timedelta(seconds=1)
    assert schedule.last_moment(every, just_before.astimezone(UTC), BERLIN) == last


@pytest.fixture
def weekly(member: Membership, moving: Clock) -> Mailing:
    moving.at = at("2026-06-01T12:00").astimezone(UTC)
    to = [member.user.email, BOSS]
    return actions.add(
        member, Of("MRR", "?period=3m", metric="mrr"), every="week", to=to
    )


def test_it_goes_out_once_and_after_it_was_set_up(
    workspace: Workspace, weekly: Mailing, moving: Clock, cast: Cast
) -> None:
    cast.teammate.language = "de"
    cast.teammate.save()
    assert sending.send_due(workspace) == 0  # this Monday morning was before
    moving.forward(days=7)
    assert sending.send_due(workspace) == 1
    assert sending.send_due(workspace) == 0
    mine, boss = workspace.messages.order_by("to")
    assert {mine.to, boss.to} == {cast.teammate.email, BOSS}
    assert mine.subject.startswith("Aldermoor: Monatlich wiederkehrender Umsatz")
    assert bytes(mine.pictures.get().png).startswith(b"\x89PNG")
    assert f"/leave/{sending.token(weekly, BOSS)}/" in boss.text
    # A process that died after writing, before it said so, writes none again.
    Mailing.objects.update(sent_for=None)
    assert sending.send_due(workspace) == 1
    assert workspace.messages.count() == 2
    moving.forward(days=3)  # too late for a morning nobody was there
    Mailing.objects.update(sent_for=None)
    assert sending.send_due(workspace) == 0


def test_every_tile_brings_its_chart(
    workspace: Workspace,
    member: Membership,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One picture inline for each, with words for those who do not see it; two
    readers share them; what would be too much for a mail stays out."""
    board = boards.create(member, "Ours", ["mrr", "customers", "nps"])
    sent = actions.add(member, Of("Ours", board=board), every="day", to=["a@x.example", BOSS])  # fmt: skip
    sending.write(sent, "one", sent.readers)
    outbox.send_due(workspace)
    parts = list(post.mails[0].walk())
    shown = {str(p["Content-ID"]).strip("<>"): p.get_payload(decode=True) for p in parts if p["Content-ID"]}  # fmt: skip
    [page] = [p.get_payload(decode=True) for p in parts if p.get_content_type() == "text/html"]  # fmt: skip
    assert isinstance(page, bytes)
    named = re.findall(r'<img src="cid:(\w+)" width="520" alt="([^"]+)"', page.decode())
    assert {cid for cid, _alt in named} == shown.keys()
    assert [alt.split(",")[0] for _cid, alt in named] == [
        "Monthly recurring revenue", "Customers", "Net Promoter Score",
    ]  # fmt: skip
    assert all(str(png)[2:].startswith("\\x89PNG") for png in shown.values())
    assert max(len(bytes(png)) for png in shown.values()) < 60_000  # type: ignore[arg-type]
    assert Picture.objects.count() == len(shown) == 3
    monkeypatch.setattr(composing, "_MOST", 100_000)
    sending.write(sent, "two", [BOSS])
    assert 0 < workspace.messages.latest("pk").pictures.count() < 3


def test_a_reader_ends_it_by_a_link_or_a_button(
    workspace: Workspace, weekly: Mailing, client: Client, settings: Settings
) -> None:
    settings.PUBLIC_URL, settings.EMAIL_HOST = "https://p.example", "smtp.example"
    sending.write(weekly, "now", [BOSS])
    outbox.send_due(workspace)
    [sent] = mail.outbox
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = sent.extra_headers["List-Unsubscribe"].strip("<>").removeprefix("https://p.example")  # fmt: skip
    asked = client.get(url)
    assert asked.status_code == 200
    weekly.refresh_from_db()
    assert BOSS in weekly.readers  # a program that opens links ends nothing
    assert Client(enforce_csrf_checks=True).post(url).status_code == 200
    weekly.refresh_from_db()
    assert BOSS not in weekly.readers
    assert client.get(f"{url[:-3]}xx/").status_code == 404


def test_what_cannot_be_told_pauses_and_says_why(
    workspace: Workspace, weekly: Mailing, member: Membership, cast: Cast, moving: Clock
) -> None:
    owner = cast.membership(cast.owner)
    board = boards.create(owner, "Ours", ["mrr", "customers"])
    boards.change(board, "Ours", is_shared=True, by=owner)
    shared = actions.add(member, Of("Ours", board=board), every="day", to=[BOSS])
    boards.change(board, "Ours", is_shared=False, by=owner)
    weekly.query = "?segment=Gone"
    weekly.save()
    saved = Of("ARR", "?member_of=gone", metric="arr")
    actions.add(member, saved, every="week", to=[BOSS])
    moving.forward(days=7)
    assert sending.send_due(workspace) == 0
    troubles = {m.title: (m.is_paused, m.trouble) for m in Mailing.objects.all()}
    assert troubles["Ours"] == (True, "The board is no longer shared.")
    assert troubles["MRR"] == (True, "The segment “Gone” is gone.")
    assert troubles["ARR"] == (True, "The segment “gone” is gone.")
    assert not workspace.messages.exists()
    boards.change(board, "Ours", is_shared=True, by=owner)
    actions.pause(shared, member, is_paused=False)
    moving.forward(days=1)
    assert sending.send_due(workspace) == 1
    assert "customer" in workspace.messages.get().text.lower()


def test_who_may_and_what_is_refused(
    weekly: Mailing, member: Membership, cast: Cast, client_of: ClientOf
) -> None:
    for to in ([], ["nobody"], [f"a{n}@x.example" for n in range(51)]):
        with pytest.raises(BadValue):
            actions.change(weekly, member, every="day", to=to)
    with pytest.raises(NotAllowed):
        actions.add(cast.membership(cast.viewer), Of("x"), every="day", to=[BOSS])
    new, mine = reverse("work:new_mailing"), reverse("work:mailing", args=[weekly.pk])
    act = reverse("work:act_mailing", args=[weekly.pk])
    viewer, stranger = client_of(cast.viewer), client_of(cast.stranger)
    for path in (reverse("work:mailings"), new, mine):
        assert viewer.get(path).status_code == 403
    assert viewer.post(act, {"do": "delete"}).status_code == 403
    assert b"MRR" not in stranger.get(reverse("work:mailings")).content
    assert stranger.get(mine).status_code == 404
    assert stranger.post(act, {"do": "delete"}).status_code == 404
    bob, ada = client_of(cast.teammate), client_of(cast.admin)
    assert b"MRR" in ada.get(reverse("work:mailings")).content
    assert ada.get(mine).status_code == 200
    other = client_of(cast.owner)
    assert other.get(mine).status_code == 200  # an owner covers an admin
    done = bob.post(f"{new}?period=12m&metric=nps", {"every": "month", "to": [BOSS], "others": "a@x.example, b@x.example"})  # fmt: skip
    assert done.status_code == 302
    made = Mailing.objects.get(metric="nps")
    assert (made.query, made.to) == ("?period=12m", [BOSS, "a@x.example", "b@x.example"])  # fmt: skip
    assert bob.get(f"{new}?metric=user_retention").status_code == 404
    bob.post(act, {"do": "now"})
    assert bob.post(act, {"do": "pause"}).status_code == 302
    weekly.refresh_from_db()
    assert weekly.is_paused
    bob.post(act, {"do": "delete"})
    assert not Mailing.objects.filter(pk=weekly.pk).exists()
