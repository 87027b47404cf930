"""Surveys in a real browser: in somebody's product, on the hosted page, and ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from perennial.apps.intake import sources
from perennial.apps.surveys import actions, answering, jobs, loading, tokens
from perennial.apps.surveys.inviting import Candidate, ask, asked_document
from perennial.apps.surveys.models import Answer, Channel, Invite, Respondent, Survey
from perennial.apps.team.lake import lake_of
from perennial.lake import respondents
from tests.apps.customers.company import GREEN
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, browse
from tests.host.server import Host


@pytest.fixture
def survey(then: Path, cast: Cast) -> Survey:  # noqa: F811
    """Asks on pages of reports, by every channel."""
    admin = cast.membership(cast.admin)
    found = actions.add(admin, "Relationship NPS", "nps")
    document = found.document
    document["who"] = {"pages": ["/reports/*"]}
    document["when"] |= {"channels": ["product", "email", "link"], "delay_s": 0}
    actions.save(found, admin, found.name, document)
    actions.start(found, admin)
    return found


@pytest.fixture
def host(
    survey: Survey, live_server: LiveServer, context: BrowserContext
) -> Iterator[Host]:
    """A product with the snippet. Its events go nowhere: intake is not Django's."""
    taken = {"Access-Control-Allow-Origin": "*"}
    context.route(
        "**/v1/batch", lambda route: route.fulfill(status=200, headers=taken, body="{}")
    )
    key = sources.create_key(survey.workspace, "Product", by=None).key
    server = Host(live_server.url, key, tokens.person_secret(survey.workspace))
    server.user, server.account = "g1", GREEN
    yield server
    server.stop()


def to_reports(page: Page, host: Host) -> Locator:
    """Home first, where nothing may be shown; then to the reports, without a load."""
    with page.expect_response("**/snippet/v1/things"):
        page.goto(host.url)
    page.wait_for_timeout(300)
    assert page.locator("perennial-box").count() == 0
    page.click("#reports")
    return page.locator("perennial-box").get_by_role("dialog")


def test_shown_to_the_right_person_at_the_right_time_and_in_the_numbers(
    page: Page, host: Host, survey: Survey, cast: Cast, sign_in: SignIn
) -> None:
    box = to_reports(page, host)
    expect(box.get_by_text("How likely are you to recommend us")).to_be_visible()
    # By keyboard alone, on a page that is made anew all the time.
    box.get_by_role("button", name="3", exact=True).focus()
    page.keyboard.press("Enter")
    field = box.get_by_label("What should we change?")
    expect(field).to_be_focused()
    page.wait_for_timeout(1_600)
    page.keyboard.type("<b>Faster</b>, please")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(box.get_by_text("Thank you for being frank")).to_be_visible()
    answer = Answer.objects.get()
    assert (answer.score, answer.comment) == (3, "<b>Faster</b>, please")
    assert (answer.person, answer.account_id, answer.is_complete) == ("g1", GREEN, True)
    jobs.take_answers(survey.workspace.key, lambda _share, _what: None)
    sign_in(cast.teammate)
    browse(page, reverse("surveys:survey", args=[survey.pk]))
    expect(page.get_by_text("<b>Faster</b>, please")).to_be_visible()
    expect(page.get_by_text("NPS is −100.")).to_be_visible()
    browse(page, reverse("customers:account", args=[GREEN]))
    expect(page.get_by_role("region", name="Surveys")).to_contain_text("Faster")
    assert_clean(page, widths=[390])
    # What it speaks of was read with the refresh; a person says what else.
    browse(page, reverse("surveys:themes"))
    quote = page.get_by_role("listitem").filter(has_text="<b>Faster</b>, please")
    expect(quote).to_contain_text("Speed and stability")
    quote.get_by_text("Correct", exact=True).click()
    quote.get_by_label("Features").check()
    assert_clean(page)
    quote.get_by_role("button", name="Save").click()
    expect(quote.locator(".reason")).to_contain_text("Features")
    # Of surveys alone, by keyboard; from there to where it was said.
    page.get_by_text("Source All").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Surveys 2", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("source=survey"))
    quote.get_by_role("link", name="Survey, NPS").click()
    expect(page.get_by_text("<b>Faster</b>, please")).to_be_visible()


def test_closed_once_it_stays_closed(page: Page, host: Host) -> None:
    box = to_reports(page, host)
    with page.expect_response("**/snippet/v1/answer"):
        box.get_by_role("button", name="Close").click()
    expect(box).to_have_count(0)
    page.evaluate("localStorage.removeItem('perennial:things')")
    with page.expect_response("**/snippet/v1/things") as asked:
        page.goto(f"{host.url}/reports/weekly")
    assert asked.value.json()["things"] == []
    assert Answer.objects.count() == 0
    assert Invite.objects.get().refused_at is not None
    assert Respondent.objects.filter(refused_on__isnull=False).exists()


@pytest.mark.parametrize(
    "wrong", [{"signature": "0" * 64}, {"user": ""}], ids=["forged", "nobody"]
)
def test_nobody_else_is_asked(page: Page, host: Host, wrong: dict[str, str]) -> None:
    for name, value in wrong.items():
        setattr(host, name, value)
    page.goto(f"{host.url}/reports/weekly")
    page.wait_for_timeout(800)
    assert page.locator("perennial-box").count() == 0
    assert not Invite.objects.exists()


def test_an_event_and_a_language_read_from_the_right(
    page: Page, context: BrowserContext, host: Host, survey: Survey, cast: Cast
) -> None:
    admin = cast.membership(cast.admin)
    document: dict[str, Any] = survey.document
    document["languages"] = ["ar"]
    document["ask"] = {"ar": "ما مدى رضاك؟"}
    document["low"] = document["high"] = {}
    document["follow_ups"] = document["thanks"] = []
    document["mail"] = {"subject": {"ar": "سؤال"}}
    document["who"] = {"event": "Report exported"}
    document["when"] |= {"trigger": "event"}
    assert actions.save(survey, admin, survey.name, document) == ""
    actions.start(survey, admin)
    to_reports(page, host)
    page.wait_for_timeout(300)
    assert page.locator("perennial-box").count() == 0
    page.click("#export")
    box = page.locator("perennial-box").get_by_role("dialog")
    expect(box.get_by_text("ما مدى رضاك؟")).to_be_visible()
    assert box.get_attribute("dir") == "rtl"
    assert page.locator("perennial-box").bounding_box()["x"] < 100  # type: ignore[index]
    # The page's own style stops at the box.
    button = box.get_by_role("button", name="9")
    assert button.evaluate("e => getComputedStyle(e).textTransform") == "none"
    button.click()
    expect(box.get_by_role("status")).to_be_visible()
    assert Answer.objects.get().score == 9


def test_the_hosted_page_works_without_scripts_and_is_clean(
    page: Page, context: BrowserContext, survey: Survey, live_server: LiveServer
) -> None:
    person = respondents.people(lake_of(survey.workspace), ["g1"])["g1"]
    document = asked_document(survey)
    invite = ask(survey, document, Candidate(person), Channel.EMAIL)
    assert isinstance(invite, Invite)
    path = reverse("surveys:asked", args=[tokens.make(tokens.ANSWER, invite.pk)])
    browse(page, f"{path}?score=4")
    expect(page.get_by_label("4", exact=True)).to_be_checked()
    assert_clean(page)
    assert context.browser is not None
    plain = context.browser.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    phone = plain.new_page()
    phone.goto(f"{live_server.url}{path}?score=4")
    phone.get_by_role("button", name="Confirm").click()
    phone.get_by_label("What should we change?").fill("Less waiting")
    phone.get_by_role("button", name="Send").click()
    expect(phone.get_by_text("Thank you for being frank")).to_be_visible()
    plain.close()
    assert Answer.objects.get().comment == "Less waiting"
    browse(page, path)
    assert_clean(page)
    leave = tokens.make(tokens.UNSUBSCRIBE, survey.workspace_id, "g1")
    browse(page, reverse("surveys:leave", args=[leave]))
    assert_clean(page)


def test_our_pages_are_clean_and_the_preview_follows(
    page: Page, survey: Survey, cast: Cast, sign_in: SignIn
) -> None:
    lake = lake_of(survey.workspace)
    scores = {"k1": 2, "k2": 6, "k4": 9, "g1": 10}
    people = respondents.people(lake, list(scores))
    for user, score in scores.items():
        candidate = Candidate(people[user])
        found = ask(survey, asked_document(survey), candidate, Channel.PRODUCT)
        assert isinstance(found, Invite), user
        answering.answer(found, score, {"why_not": "Slow"}, is_complete=True)
    loading.load(survey.workspace)
    sign_in(cast.admin)
    for name in ("surveys", "rests"):
        browse(page, reverse(f"surveys:{name}"))
        assert_clean(page)
    browse(page, reverse("surveys:survey", args=[survey.pk]) + "?show=open")
    row = page.get_by_role("listitem").filter(has_text="Kestrel").first
    row.get_by_text("Follow up").click()
    row.get_by_role("button", name="Seen to").click()
    expect(page.get_by_text("Kestrel & Sons")).to_have_count(1)
    assert_clean(page)
    browse(page, reverse("surveys:edit", args=[survey.pk]))
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("How likely are you")).to_be_visible()
    page.get_by_label("Question", exact=True).fill("Would you miss us?")
    page.keyboard.press("Tab")
    expect(frame.get_by_text("Would you miss us?")).to_be_visible()
    assert_clean(page)
    for channel in ("Mail", "Page"):
        page.get_by_role("link", name=channel, exact=True).click()
        expect(
            page.frame_locator("iframe").get_by_text("Would you miss us?")
        ).to_be_visible()
    assert Survey.objects.get().versions.count() == 1
    # The mail by itself, light and dark, at a desk and on a phone.
    browse(page, reverse("surveys:preview_email", args=[survey.pk]))
    assert_clean(page)


def test_topics_are_tried_before_they_are_in_force(
    page: Page, survey: Survey, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.admin)
    browse(page, reverse("surveys:topics"))
    text = page.get_by_role("textbox", name="What comments can speak of")
    text.fill("haste:\n  words: {en: slow}\n")
    page.get_by_role("button", name="What would change").press("Enter")
    expect(page.get_by_text("1 comment would speak of something else.")).to_be_visible()
    assert_clean(page)
