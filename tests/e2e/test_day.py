"""A working day in the example company, from the door to the timeline: the head, a
CSM and a viewer, with the mouse, and again with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from perennial.apps.customers.models import Note
from perennial.apps.team.models import User
from perennial.apps.work import example, jobs
from perennial.apps.work.models import Run, Task, TaskState
from perennial.apps.work.playbooks import trying
from perennial.demo import load
from perennial.lake.workspace import Workspace as Lake
from tests.apps.team.cast import PASSWORD, Cast, hashed
from tests.demo.folder import company, demo  # noqa: F401 - fixtures
from tests.e2e.browsing import browse
from tests.e2e.hands import Hand, Keyboard, Mouse

RED, HELP = "Health turned red", "Onboarding help"
#: What each of them begins with.
FIRST = {
    RED: "Look at why the health is red, and say what you will do",
    HELP: "Ask what is in the way of the start",
}
ASKED, SAID = "Ask for a date", "They moved to another tool for a while."


@dataclass(frozen=True)
class Office:
    """Everybody of the company, on a morning after the nightly work."""

    cast: Cast
    csm: User

    def try_out(self, name: str) -> None:
        """What the worker does when a dry run was asked for."""
        workspace = self.cast.workspace
        asked = workspace.playbooks.get(name=name)
        jobs.try_playbook(workspace.key, lambda _s, _w: None, playbook=asked.pk)
        workspace.job_runs.update(state="done")


@pytest.fixture
def office(cast: Cast, demo: Lake, monkeypatch: pytest.MonkeyPatch) -> Office:  # noqa: F811
    # Each day of a dry run costs as much as a page.
    monkeypatch.setattr(trying, "DAYS", 8)
    example.set_up(cast.workspace, load.team(demo))
    csm = User.objects.get(email=load.VISITOR[0])
    User.objects.filter(pk=csm.pk).update(password=hashed())
    jobs.follow_up(cast.workspace.key, lambda _share, _what: None)
    return Office(cast, csm)


@pytest.mark.parametrize("hand_of", [Mouse, Keyboard])
def test_a_working_day(
    page: Page, office: Office, hand_of: Callable[[Page], Hand]
) -> None:
    hand = hand_of(page)
    the_head(hand, office)
    leave(hand)
    the_csm(hand, office)
    leave(hand)
    the_viewer(hand, office)


def the_head(hand: Hand, office: Office) -> None:
    """Turns a playbook on that was a draft, and steps in where the team needs it."""
    come(hand, office.cast.admin)
    open_playbook(hand, HELP)
    dry_run(hand, office, HELP)
    hand.use(hand.page.get_by_role("button", name="Turn on"))
    expect(hand.page.get_by_text("On. It starts within minutes.")).to_be_visible()
    work_on_the_top_account(hand, office.cast.admin, HELP)


def the_csm(hand: Hand, office: Office) -> None:
    """Finds their own accounts on Home; tries playbooks, and turns none on or off."""
    come(hand, office.csm)
    open_playbook(hand, RED)
    dry_run(hand, office, RED)
    expect(hand.page.get_by_role("button", name="Turn off")).to_have_count(0)
    work_on_the_top_account(hand, office.csm, RED)


def the_viewer(hand: Hand, office: Office) -> None:
    """Reads why, and what was done about it; there is nothing to do it with."""
    page = hand.page
    come(hand, office.cast.viewer)
    open_playbook(hand, HELP)
    for name in ("Turn off", "Save", "Try it on the past"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    todo = open_the_top_account(hand)
    expect(todo).to_contain_text(ASKED)
    expect(page.locator("main").get_by_role("button", name="Log")).to_have_count(0)
    expect(todo.get_by_role("button")).to_have_count(0)
    expect(todo.get_by_text("Start a playbook")).to_have_count(0)
    hand.use(todo.get_by_role("link", name=ASKED).first)
    expect(page.get_by_role("heading", name=ASKED)).to_be_visible()
    expect(page.get_by_role("button", name="Done")).to_have_count(0)
    page.go_back()
    read_the_timeline(hand, "Task done:", FIRST[RED], FIRST[HELP])


# --- what they do ------------------------------------------------------------


def come(hand: Hand, user: User) -> None:
    browse(hand.page, "/")
    hand.write(hand.page.get_by_label("E-mail address"), user.email)
    hand.write(hand.page.get_by_label("Password"), PASSWORD)
    hand.use(hand.page.get_by_role("button", name="Sign in"))
    expect(hand.page.get_by_role("heading", name="My day")).to_be_visible()


def leave(hand: Hand) -> None:
    hand.use(hand.page.locator(".side-foot summary"))
    hand.use(hand.page.get_by_role("button", name="Sign out").first)
    expect(hand.page.get_by_role("heading", name="Sign in")).to_be_visible()


def go(hand: Hand, name: str) -> None:
    side = hand.page.get_by_role("navigation", name="Main")
    hand.use(side.get_by_role("link", name=name).first)


def open_playbook(hand: Hand, name: str) -> None:
    go(hand, "Playbooks")
    hand.use(hand.page.get_by_role("link", name=name, exact=True))
    expect(hand.page.get_by_role("heading", name=name)).to_be_visible()


def dry_run(hand: Hand, office: Office, name: str) -> None:
    hand.use(hand.page.get_by_role("button", name="Try it on the past"))
    expect(hand.page.get_by_role("status").first).to_be_visible()
    office.try_out(name)
    expect(hand.page.get_by_text("Starts a week, had it been on")).to_be_visible()


def open_the_top_account(hand: Hand) -> Locator:
    """From Home; the reason for it is said there, and explained on its page."""
    page = hand.page
    go(hand, "Home")
    needs = page.get_by_role("region", name="Needs a human today")
    first = needs.get_by_role("listitem").first
    reason, top = first.locator(".reason").inner_text(), first.locator(".need-name")
    name = top.inner_text()
    assert reason
    hand.use(top)
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator(".account-top")).to_contain_text(reason)
    expect(page.get_by_text("parts add up to the score")).to_be_visible()
    return page.get_by_role("region", name="To do")


def work_on_the_top_account(hand: Hand, user: User, playbook: str) -> None:
    page = hand.page
    todo = open_the_top_account(hand)
    drawer = page.locator("#drawer")
    text = drawer.locator("textarea")
    hand.call(page.get_by_role("link", name="Log").first, "l", text)
    hand.choose(drawer.get_by_label("Kind"), "Call")
    hand.write(text, SAID)
    hand.use(drawer.get_by_role("button", name="Write down"))
    expect(page.locator("#drawer[open]")).to_have_count(0)
    what = drawer.get_by_label("What to do")
    hand.call(todo.get_by_role("link", name="Task", exact=True), "t", what)
    hand.write(what, ASKED)
    hand.use(drawer.get_by_role("button", name="Add the task"))
    expect(todo).to_contain_text(ASKED)
    hand.use(todo.get_by_text("Start a playbook"))
    hand.use(todo.get_by_role("button", name=f"Start {playbook}"))
    task = todo.get_by_role("link", name=FIRST[playbook])
    expect(task).to_be_visible()
    account = page.url
    hand.use(task)
    done = page.get_by_role("button", name="Done", exact=True)
    hand.call(done, "d", page.get_by_role("button", name="Reopen"))
    hand.use(page.get_by_role("region").get_by_role("link").first)
    read_the_timeline(hand, FIRST[playbook], playbook, SAID)
    account_id = account.split("/accounts/")[1].partition("/")[0]
    assert Note.objects.get(author=user.email).account_id == account_id
    run = Run.objects.get(playbook__name=playbook, account_id=account_id)
    assert run.state == Run.State.RUNNING
    over = Task.objects.get(title=FIRST[playbook], account_id=account_id)
    assert (over.state, over.done_by) == (TaskState.DONE, user)


def read_the_timeline(hand: Hand, *said: str) -> None:
    hand.use(hand.page.get_by_role("link", name="Timeline", exact=True))
    expect(hand.page.get_by_role("searchbox")).to_be_visible()
    for text in said:
        expect(hand.page.locator("main")).to_contain_text(text)
