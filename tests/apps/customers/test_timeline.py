"""The timeline: every kind of entry, filters, search, pages that neither skip nor
repeat, entries of other applications."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.safestring import SafeString
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from perennial.apps.customers import (
    edit_actions,
    hooks,
    note_actions,
    people,
    queries,
    timeline_feed,
)
from perennial.apps.customers.account import Account
from perennial.apps.customers.moments import About
from perennial.apps.customers.note_actions import Said
from perennial.apps.customers.timeline import Entry, instant_of
from perennial.apps.customers.timeline_feed import Asked, page, parse
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.ui.formats import Regional
from tests.apps.customers.company import FRESH, GREEN, KESTREL, ago
from tests.apps.pages import whole
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def data(own: Path) -> Path:
    return own


def about(workspace: Workspace, regional: Regional, account_id: str) -> About:
    account = queries.get_account_or_404(workspace, account_id)
    users = {p.user_id: p.name for p in people.people(workspace, account)}
    return About(workspace, account, regional, {}, users)


def test_everything_that_happened_is_told(
    data: Path, cast: Cast, regional: Regional
) -> None:
    lake = lake_of(cast.workspace)
    write(lake.lake, "emails", [
        {"message_id": "m1", "sent_at": ago(2), "from_address": "kim@kestrel.example", "account_id": KESTREL, "direction": "inbound"},
        {"message_id": "m2", "sent_at": ago(2), "from_address": "bot@x", "account_id": KESTREL, "is_automatic": True},
    ])  # fmt: skip
    write(lake.lake, "leads", [
        {"lead_id": "l1", "created_at": ago(900), "source": "webinar", "account_id": KESTREL},
    ])  # fmt: skip
    write(lake.lake, "lead_stages", [
        {"lead_id": "l1", "stage": "qualified", "entered_at": ago(890)},
        {"lead_id": "l2", "stage": "of another", "entered_at": ago(890)},
    ])  # fmt: skip
    write(lake.lake, "former_attributes", [
        {"account_id": KESTREL, "name": name, "value": was, "date_to": "2026-05-20"}
        for name, was in (("lifecycle_stage", "Adoption"), ("owner_email", "cy@x.example"), ("plan", "Basic"))
    ])  # fmt: skip
    by = cast.membership(cast.teammate)
    edit_actions.edit_accounts(by, "lifecycle_stage", {KESTREL: "Renewal"})
    at = datetime.now(UTC)
    note_actions.write_note(by, KESTREL, Said("call", "A **plan**.", at), key=uuid4())
    kestrel = about(cast.workspace, regional, KESTREL)
    found = page(replace(kestrel, mask=False), Asked(), size=500)
    assert found.following is None
    for entry in page(kestrel, Asked(), size=500).entries:
        assert "kim@" not in f"{entry.text}"
    told = "\n".join(
        f"{e.kind}: {e.text} {e.detail} {e.quote} {e.html}" for e in found.entries
    )
    for part in (
        "contact: Call, 25 min",
        "contact: E-mail from <b>kim@kestrel.example</b>",
        "contact: Call, Bob",
        "<strong>plan</strong>",
        "ticket: Ticket: <b>API limits</b>",
        "survey: NPS <b>5</b>",
        "billing: 2 seats added",
        "billing: First MRR",
        "billing: A contract term began",
        "billing: MRR <b>",
        "usage: First use of <b>Board</b>",
        "usage: First day in the product",
        "lead: First heard of them webinar",
        "lead: Sales stage <b>qualified</b>",
        "account: Stage <b>Value → Renewal</b>",
        "account: Owner changed; it was <b>Cy</b>",
    ):
        assert part in told, part
    assert "bot@x" not in told
    assert "of another" not in told
    assert "Adoption" not in told  # people decide the stage, and that is told
    assert "Basic" not in told
    assert told.count("plan") == 1  # as a note, and not as its touchpoint again
    moments = [instant_of(e.at, regional) for e in found.entries]
    assert moments == sorted(moments, reverse=True)


def test_it_is_filtered_and_searched(workspace: Workspace, regional: Regional) -> None:
    kestrel = about(workspace, regional, KESTREL)
    tickets = page(kestrel, Asked(kind="ticket")).entries
    assert len(tickets) == 3
    assert {e.kind for e in tickets} == {"ticket"}
    assert [e.quote for e in page(kestrel, Asked(q="LATELY slow")).entries] == [
        "Lately slow."
    ]
    assert page(kestrel, Asked(q="slow", kind="ticket")).entries == []
    fresh = about(workspace, regional, FRESH)
    assert len(page(fresh, Asked(kind="onboarding")).entries) == 2


def test_addresses_say_what_is_asked() -> None:
    asked = Asked("ticket", "two words", BEGIN, 3)
    assert parse(QueryDict(asked.url().removeprefix("?"))) == asked
    assert parse(QueryDict("kind=x&before=never&skip=9")) == Asked()
    naive = parse(QueryDict("before=2026-01-01T00:00&skip=-1"))
    assert naive == Asked(before=BEGIN)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    own=st.lists(st.integers(0, 6), max_size=14),
    others=st.lists(st.integers(0, 6), max_size=14),
    size=st.integers(1, 5),
)
def test_pages_neither_skip_nor_repeat(
    workspace: Workspace,
    regional: Regional,
    monkeypatch: pytest.MonkeyPatch,
    own: list[int],
    others: list[int],
    size: int,
) -> None:
    """Many entries at the same few instants, half of them from another application
    that gives no more than it is asked for."""
    at = [BEGIN + timedelta(days=n) for n in range(7)]
    mine = [Entry(at[d], "note", f"own {n}") for n, d in enumerate(own)]
    theirs = sorted(
        (Entry(at[d], "note", f"other {n}") for n, d in enumerate(others)),
        key=lambda e: instant_of(e.at, regional),
        reverse=True,
    )

    def provide(
        _space: Workspace,
        _account: Account,
        _regional: Regional,
        before: datetime,
        most: int,
    ) -> Iterable[Entry]:
        return [e for e in theirs if instant_of(e.at, regional) < before][:most]

    monkeypatch.setattr(timeline_feed, "_own", lambda _about: iter(mine))
    monkeypatch.setattr(hooks, "providers", lambda: [provide])
    kestrel, asked, seen = about(workspace, regional, KESTREL), Asked(), []
    while True:
        found = page(kestrel, asked, size)
        seen += found.entries
        assert len(found.entries) == size or found.following is None
        if found.following is None:
            break
        asked = parse(QueryDict(found.following.url().removeprefix("?")))
    assert sorted(str(e.text) for e in seen) == sorted(
        str(e.text) for e in mine + theirs
    )
    days = [instant_of(e.at, regional) for e in seen]
    assert days == sorted(days, reverse=True)


# --- other applications ------------------------------------------------------


def a_task(
    workspace: Workspace,
    account: Account,
    regional: Regional,
    before: datetime,
    most: int,
) -> Iterable[Entry]:
    return [Entry(date(2026, 5, 30), "list", "A task of the team", kind="work")]


def a_tab(request: object, account: Account) -> hooks.Tab:
    return hooks.Tab("tasks", "Tasks of theirs", "/tasks/", 2)


def a_panel(request: object, account: Account) -> SafeString:
    return SafeString("<p>A panel of theirs</p>")


def a_home_panel(request: object, owner: str) -> SafeString:
    return SafeString(f"<p>Home panel of {owner or 'all'}</p>")


def a_bulk_action() -> hooks.BulkAction:
    return hooks.BulkAction("Start a playbook", "player-play", "/playbooks/start/")


def test_other_applications_join_in(
    workspace: Workspace, cast: Cast, client_of: ClientOf, settings: Settings
) -> None:
    settings.TIMELINE = [f"{__name__}.a_task"]
    settings.ACCOUNT_TABS = [f"{__name__}.a_tab"]
    settings.ACCOUNT_PANELS = [f"{__name__}.a_panel"]
    settings.HOME_PANELS = [f"{__name__}.a_home_panel"]
    settings.ACCOUNT_BULK = [f"{__name__}.a_bulk_action"]
    client = client_of(cast.teammate)
    overview = whole(client, f"/accounts/{GREEN}/")
    for said in ("A task of the team", "Tasks of theirs", "A panel of theirs"):
        assert said in overview
    work = client.get(f"/accounts/{GREEN}/timeline/?kind=work").content.decode()
    assert "A task of the team" in work
    assert "Home panel of all" in client.get("/?who=team").content.decode()
    assert "Start a playbook" in client.get("/accounts/").content.decode()


def test_the_page_comes_in_parts(
    workspace: Workspace,
    cast: Cast,
    client_of: ClientOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeline_feed, "PAGE", 3)
    monkeypatch.setattr(timeline_feed.page, "__defaults__", (3,))
    client = client_of(cast.viewer)
    whole = client.get(f"/accounts/{GREEN}/timeline/").content.decode()
    assert "Earlier entries" in whole
    link = whole.split('hx-get="?before=')[1].split('"')[0].replace("&amp;", "&")
    part = client.get(
        f"/accounts/{GREEN}/timeline/?before={link}", headers={"HX-Request": "true"}
    ).content.decode()
    assert "<li" in part
    assert "<html" not in part
    assert (
        client_of(cast.stranger).get(f"/accounts/{GREEN}/timeline/").status_code == 404
    )
    none = client.get(f"/accounts/{GREEN}/timeline/?q=zzz").content.decode()
    assert "Nothing like that happened." in none
