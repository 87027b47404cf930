"""A working day: read Home, understand an account, log a call, add a task, start a
playbook, do its task, see it all in the timeline. With the mouse, then without."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from perennial.apps.customers.models import Note
from perennial.apps.work import jobs
from perennial.apps.work.models import Playbook, Run, Task, TaskState
from perennial.apps.work.playbooks import actions, library
from tests.apps.customers.company import SILENT
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, browse, press

pytestmark = pytest.mark.usefixtures("then")


@pytest.fixture
def playbook(cast: Cast) -> Playbook:
    """Begins with a task; matches nobody by itself today."""
    admin = cast.membership(cast.admin)
    document = library.document("reengagement")
    document["steps"] = [{"do": "task", "title": "Win {account} back", "due_days": 1}]
    document["when"] = {"trigger": "manual"}
    found = actions.add(admin, document)
    actions.turn_on(found, admin)
    return found


def run_jobs(cast: Cast) -> None:
    jobs.follow_up(cast.workspace.key, lambda _share, _what: None)


def tab_to(page: Page, target: Locator, most: int = 120) -> None:
    """Tab until the element has the focus; it must be reachable."""
    expect(target).to_be_visible()
    for _ in range(most):
        if target.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")


def test_with_the_mouse(
    page: Page, cast: Cast, sign_in: SignIn, playbook: Playbook
) -> None:
    run_jobs(cast)
    sign_in(cast.teammate)
    browse(page, "/")
    needs = page.get_by_role("region", name="Needs a human today")
    expect(needs).to_contain_text("Nobody has logged in for 40 days")
    needs.get_by_role("link", name="Silent Mills", exact=True).click()
    expect(page.get_by_role("heading", name="Silent Mills")).to_be_visible()
    expect(page.get_by_text("parts add up to the score")).to_be_visible()
    page.get_by_role("link", name="Log", exact=False).first.click()
    drawer = page.locator("#drawer")
    drawer.get_by_label("Kind").select_option("call")
    drawer.locator("textarea").fill("They **moved** to another tool for a while.")
    drawer.get_by_role("button", name="Write down").click()
    expect(page.locator("#drawer[open]")).to_have_count(0)
    browse(page, reverse("customers:account", args=[SILENT]))
    todo = page.get_by_role("region", name="To do")
    expect(todo).to_contain_text("Nobody has logged in for 40 days")
    todo.get_by_role("link", name="Task", exact=True).click()
    drawer.get_by_label("What to do").fill("Ask for a date")
    drawer.get_by_role("button", name="Add the task").click()
    expect(todo).to_contain_text("Ask for a date")
    todo.get_by_text("Start a playbook").click()
    todo.get_by_role("button", name="Start Nobody comes any more").click()
    expect(todo).to_contain_text("Win Silent Mills back")
    todo.get_by_role("link", name="Win Silent Mills back").click()
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    browse(page, reverse("customers:timeline", args=[SILENT]))
    story = page.locator("main")
    for said in ("Win Silent Mills back", "moved", "Nobody comes any more"):
        expect(story).to_contain_text(said)
    assert Run.objects.get().account_id == SILENT
    assert Note.objects.get().account_id == SILENT
    done = Task.objects.get(title="Win Silent Mills back")
    assert (done.state, done.done_by) == (TaskState.DONE, cast.teammate)


def test_with_the_keyboard_alone(
    page: Page, cast: Cast, sign_in: SignIn, playbook: Playbook
) -> None:
    run_jobs(cast)
    sign_in(cast.teammate)
    browse(page, "/")
    tab_to(page, page.get_by_role("link", name="Silent Mills", exact=True).first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Silent Mills")).to_be_visible()
    drawer = page.locator("#drawer")
    press(page, "l", drawer.locator("textarea"))
    drawer.locator("textarea").focus()
    page.keyboard.type("Called, nobody there.")
    tab_to(page, drawer.get_by_role("button", name="Write down"))
    page.keyboard.press("Enter")
    expect(page.locator("#drawer[open]")).to_have_count(0)
    browse(page, reverse("customers:account", args=[SILENT]))
    title = drawer.get_by_label("What to do")
    press(page, "t", title)
    title.focus()
    page.keyboard.type("Try again")
    page.keyboard.press("Enter")
    todo = page.get_by_role("region", name="To do")
    expect(todo).to_contain_text("Try again")
    tab_to(page, todo.get_by_text("Start a playbook"))
    page.keyboard.press("Enter")
    tab_to(page, todo.get_by_role("button", name="Start Nobody comes any more"))
    page.keyboard.press("Enter")
    expect(todo).to_contain_text("Win Silent Mills back")
    tab_to(page, todo.get_by_role("link", name="Win Silent Mills back"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Win Silent Mills back")).to_be_visible()
    press(page, "d", page.get_by_role("button", name="Reopen"))
    assert Task.objects.filter(state=TaskState.DONE).count() == 1
    assert Note.objects.count() == 1


def test_a_viewer_sees_it_and_changes_nothing(
    page: Page, cast: Cast, sign_in: SignIn, playbook: Playbook
) -> None:
    run_jobs(cast)
    sign_in(cast.viewer)
    browse(page, reverse("customers:account", args=[SILENT]))
    todo = page.get_by_role("region", name="To do")
    expect(todo).to_contain_text("Nobody has logged in for 40 days")
    expect(todo.get_by_role("button")).to_have_count(0)
    browse(page, reverse("work:playbook", args=[playbook.pk]))
    expect(page.get_by_role("button", name="Turn off")).to_have_count(0)
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)


def test_the_head_tries_a_playbook_before_it_is_on(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    admin = cast.membership(cast.admin)
    found = actions.add(admin, library.document("reengagement"))
    sign_in(cast.admin)
    browse(page, reverse("work:playbook", args=[found.pk]))
    page.get_by_role("button", name="Try it on the past").click()
    expect(page.get_by_role("status").first).to_be_visible()
    jobs.try_playbook(cast.workspace.key, lambda _s, _w: None, playbook=found.pk)
    cast.workspace.job_runs.update(state="done")
    expect(page.get_by_text("Starts a week, had it been on")).to_be_visible()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("On. It starts within minutes.")).to_be_visible()
    run_jobs(cast)
    browse(page, reverse("work:runs", args=[found.pk]))
    expect(page.get_by_role("link", name="Silent Mills")).to_be_visible()
