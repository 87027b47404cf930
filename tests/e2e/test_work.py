"""Tasks, alerts and playbooks in a real browser: clean, and worked with the keyboard."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from perennial.apps.work import jobs, outbox
from perennial.apps.work.models import Message, Playbook, Run, Task, TaskState
from perennial.apps.work.plans import actions as plans
from perennial.apps.work.playbooks import actions, library
from perennial.apps.work.tasks import actions as tasks
from tests.apps.customers.company import AS_OF, KESTREL, SILENT
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, browse, press


@pytest.fixture(autouse=True)
def _at_work(then: Path, cast: Cast) -> None:  # noqa: F811
    """The small company at work: a playbook ran, alerts are open, a draft waits."""
    admin = cast.membership(cast.admin)
    document = library.document("health_shift")
    risky = {"field": "health_color", "op": "is", "value": ["red", "orange"]}
    document["when"] = {"trigger": "matches", "condition": {"all": [risky]}}
    document["limits"] = {"again_after_days": 30}
    actions.turn_on(actions.add(admin, document), admin)
    jobs.follow_up(cast.workspace.key, lambda _share, _what: None)
    outbox.write(
        cast.workspace,
        key="draft",
        channel=Message.Channel.EMAIL,
        to="kim@kestrel.example",
        subject="Hello",
        text="How is it going?",
        is_draft=True,
    )
    tasks.add_task(
        cast.membership(cast.teammate),
        {
            "title": "Prepare the review",
            "account_id": KESTREL,
            "owner": cast.teammate,
            "due_on": AS_OF - timedelta(days=2),
            "checklist": [{"text": "Read", "done": True}],
        },
    )


@pytest.mark.parametrize(
    "page_name",
    [
        *("tasks", "board", "calendar", "alerts", "outbox", "new_task", "playbooks"),
        *("team", "plans", "notices", "preferences", "strategy"),
        "team_channels",
    ],
)
def test_pages_are_clean(
    page: Page, cast: Cast, sign_in: SignIn, page_name: str
) -> None:
    sign_in(cast.admin)
    browse(page, f"{reverse(f'work:{page_name}')}?who=team")
    assert_clean(page)


@pytest.mark.parametrize("page_name", ["playbook", "runs", "results", "why"])
def test_pages_of_a_playbook_are_clean(
    page: Page, cast: Cast, sign_in: SignIn, page_name: str
) -> None:
    sign_in(cast.admin)
    playbook = Playbook.objects.get()
    browse(page, reverse(f"work:{page_name}", args=[playbook.pk]) + "?account=Kestrel")
    assert_clean(page)


def test_a_task_and_a_run_are_clean(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("work:task", args=[Task.objects.latest("pk").pk]))
    assert_clean(page)
    browse(page, reverse("work:run", args=[Run.objects.latest("pk").pk]))
    assert_clean(page)


def test_a_plan_is_clean_for_us_and_for_the_customer(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    member = cast.membership(cast.teammate)
    plan = plans.add_plan(member, KESTREL, title="Grow", template="onboarding")
    due = AS_OF + timedelta(days=30)
    plans.add_goal(plan, member, title="Use", baseline=1, target=3, due_on=due)
    plans.share(plan, member, is_shared=True)
    browse(page, reverse("work:shared_plan", args=[plan.token]))
    assert_clean(page)
    sign_in(cast.teammate)
    browse(page, reverse("work:plan", args=[plan.pk]))
    assert_clean(page)


def test_a_task_is_added_and_done_with_the_keyboard(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("work:tasks"))
    what = page.locator("#drawer").get_by_label("What to do")
    press(page, "n", what)
    expect(what).to_be_focused()
    page.keyboard.type("Ring Silent Mills")
    page.keyboard.press("Tab")
    page.keyboard.type("Silent Mills")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ring Silent Mills")).to_be_visible()
    task = Task.objects.get(title="Ring Silent Mills")
    assert (task.account_id, task.owner) == (SILENT, cast.teammate)
    press(page, "d", page.get_by_role("button", name="Reopen"))
    task.refresh_from_db()
    assert task.state == TaskState.DONE


def test_an_alert_becomes_a_task(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("work:alerts"))
    card = page.get_by_label("Silent Mills")
    card.get_by_role("link", name="Task").click()
    drawer = page.locator("#drawer")
    expect(drawer.get_by_label("Why", exact=True)).to_have_value(
        "Nobody has logged in for 40 days"
    )
    drawer.get_by_role("button", name="Add the task").click()
    expect(page.get_by_text("The task is noted.")).to_be_visible()
    assert Task.objects.filter(account_id=SILENT, title="No usage").exists()
    card.get_by_label("What to do about: No usage").click()
    card.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged.")).to_be_visible()
    assert cast.workspace.alerts.get(rule="no_usage").state == "seen"


def test_a_playbook_is_built_on_screen(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.admin)
    browse(page, reverse("work:playbooks"))
    page.get_by_text("New playbook").click()
    page.get_by_role("button", name="Ready to expand").click()
    expect(page.get_by_role("heading", name="Ready to expand")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_text("Add a step").click()
    page.get_by_label("Kind of step").select_option("wait")
    expect(page.locator("#step_title")).to_be_hidden()
    page.get_by_label("Kind of step").select_option("task")
    page.locator("#step_title").fill("Send the offer")
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_text("Task: Send the offer")).to_be_visible()
    page.locator('[value="ask:ends"]').click()
    expect(page.get_by_role("heading", name="When it ends")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_role("button", name="Group").first.click()
    page.get_by_text("Choose").click()
    page.get_by_label("Green").check()
    expect(page.locator("[id^='count-']").last).to_contain_text("match")
    assert_clean(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#ends-says")).to_contain_text("Green")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("On. It starts within minutes.")).to_be_visible()
    assert Playbook.objects.get(name="Ready to expand").state == "on"


def test_days_of_the_calendar_are_equally_wide(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("work:calendar"))
    widths = page.locator(".month thead th").evaluate_all(
        "days => days.map((day) => day.offsetWidth)"
    )
    assert max(widths) - min(widths) <= 1
    assert sum(widths) > page.locator(".table-wrap").evaluate("e => e.clientWidth") - 8


def test_the_tab_one_is_on_is_in_sight_on_a_phone(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("work:strategy"), width=390)
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9)


def test_alerts_are_walked_by_keyboard(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.teammate)
    browse(page, f"{reverse('work:alerts')}?who=team")
    page.keyboard.press("j")
    expect(page.locator("li.is-current a")).to_be_focused()
