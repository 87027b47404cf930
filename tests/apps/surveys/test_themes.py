"""The page of themes: topics, comments, a person's word, what is hidden from whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from perennial.apps.customers import note_actions
from perennial.apps.customers.models import Note
from perennial.apps.customers.note_actions import Said
from perennial.apps.customers.queries import get_account_or_404
from perennial.apps.surveys import feedback
from perennial.apps.surveys.feedback import is_rise
from perennial.apps.surveys.models import Answer, Survey
from perennial.apps.team import tokens
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import ApiToken, AuditEntry, User
from perennial.apps.work.documents.review import Review, compose
from perennial.apps.work.models import Alert, Task
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake import comments
from perennial.lake.store import Lake as Store
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.masking import HIDDEN, masked
from perennial.ui.formats import Regional
from tests.apps.customers.company import GREEN, NOW
from tests.apps.pages import whole
from tests.apps.surveys.conftest import Run
from tests.apps.team.cast import Cast
from tests.builders import clock, instant, write

URL = "surveys:themes"
REGIONAL = Regional(locale="en", currency="EUR", timezone="Europe/Berlin")
COMMENTS = {
    "fine": (9, "The dashboards are great, but support is slow.", "en"),
    "odd": (10, "Die Rechnung ist furchtbar.", "de"),
    "told": (3, "Ring 070-123 45 67 or mail anna@example.com about the price.", "en"),
}

#: Topics of the other comments here, and of the one the company came with.
OTHERS = {"price", "performance"}


@pytest.fixture(scope="module")
def built(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company with three comments of yesterday, as the nightly refresh reads them:
    once for all tests here."""
    folder = tmp_path_factory.mktemp("themes") / "data"
    copytree(built, folder)
    store = Store(folder / "lake" / "default")
    lake = Lake(store, clock=clock(instant(NOW)))
    said = {"kind": "nps", "account_id": GREEN, "answered_at": lake.now - DAY}
    rows = [
        {**said, "response_id": name, "score": float(score), "comment": comment, "language": language}
        for name, (score, comment, language) in COMMENTS.items()
    ]  # fmt: skip
    write(store, "survey_responses", rows)
    assert comments.take(lake) == 3
    return folder


@pytest.fixture
def lake(moving: Any, cast: Cast) -> Lake:
    """The same, for one test to write to."""
    return lake_of(cast.workspace)


def lines(lake: Lake, language: str = "") -> dict[str, feedback.Line]:
    start = lake.today - DAY * 30
    found = feedback.lines(lake, start, lake.today + DAY, language)
    return {line.topic: line for line in found}


def spoken(lake: Lake) -> set[str]:
    """Topics of all comments, as they stand."""
    start, end = lake.today - DAY * 30, lake.today + DAY
    every = feedback.found(lake, start, end, "", "")
    return {topic for quote in every for topic in quote.topics}


def test_topics_in_numbers(lake: Lake) -> None:
    found = lines(lake)
    assert {t: line.mentions for t, line in found.items()} == {
        "price": 2,
        "reports": 1,
        "support": 1,
        "performance": 2,
    }
    assert found["price"].share == pytest.approx(2 / 4)
    assert found["reports"].net_sentiment == 1
    assert found["support"].net_sentiment == -1
    # Nothing came before, and no side has five comments.
    assert found["price"].change is None
    assert found["price"].impact is None
    assert lines(lake, "de").keys() == {"price"}


def test_score_and_words_disagree(lake: Lake) -> None:
    start, end = lake.today - DAY * 30, lake.today + DAY
    every = feedback.found(lake, start, end, "", "")
    assert {quote.response_id for quote in every} == {*COMMENTS, "r1"}
    (odd,) = feedback.found(lake, start, end, "", "", "mismatch")
    assert (odd.response_id, odd.score) == ("odd", 10)
    about = feedback.found(lake, start, end, "en", "price")
    assert [quote.response_id for quote in about] == ["told"]


def test_a_person_corrects_and_is_not_overruled(
    lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    client, url = client_of(cast.teammate), reverse("surveys:correct")
    sent = {"comment": "fine", "topic": ["reports", "usability"]}
    assert client.post(url, sent).status_code == 302
    assert spoken(lake) == {*OTHERS, "reports", "usability"}
    # What stays keeps what is felt, what is new has the mean.
    assert lines(lake)["reports"].net_sentiment == 1
    assert AuditEntry.objects.filter(verb="comment.corrected").count() == 1
    # Read again, it stays; and it can be corrected again, to nothing.
    write(
        lake.lake,
        "survey_responses",
        [
            {
                "response_id": "fine",
                "kind": "nps",
                "score": 9.0,
                "comment": "The app is slow.",
                "language": "en",
                "answered_at": (lake.now - DAY).isoformat(),
            }
        ],
    )
    assert comments.take(lake) == 1
    assert spoken(lake) == {*OTHERS, "reports", "usability"}
    client.post(url, {"comment": "fine"})
    assert spoken(lake) == OTHERS


def test_only_what_there_is_can_be_said(lake: Lake, cast: Cast) -> None:
    member = cast.membership(cast.teammate)
    with pytest.raises(BadValue, match="there is no topic weather"):
        feedback.correct(member, "fine", ["price", "weather"])
    with pytest.raises(BadValue, match="there is no comment gone"):
        feedback.correct(member, "gone", ["price"])


def test_a_word_is_taken_back(
    lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    client, url = client_of(cast.teammate), reverse("surveys:correct")
    assert client.get(reverse(URL), {"show": "corrected"}).context["said"] == []
    for topics in (["usability"], []):
        client.post(url, {"comment": "fine", "topic": topics})
        page = client.get(reverse(URL), {"show": "corrected"})
        [only] = page.context["said"]
        assert (only.quote.response_id, list(only.quote.topics)) == ("fine", topics)
        assert 'value="take_back"' in page.content.decode()
    assert spoken(lake) == OTHERS
    for _ in range(2):
        client.post(url, {"comment": "fine", "do": "take_back"})
        assert spoken(lake) == {*OTHERS, "reports", "support"}
        assert client.get(reverse(URL), {"show": "corrected"}).context["said"] == []
    taken_back = AuditEntry.objects.filter(verb="comment.correction_taken_back")
    assert taken_back.count() == 1
    # Said again it holds again.
    client.post(url, {"comment": "fine", "topic": "usability"})
    assert spoken(lake) == {*OTHERS, "usability"}


def test_programs_correct_by_the_same_rules(lake: Lake, cast: Cast) -> None:
    every = {}
    for by in (cast.teammate, cast.stranger):
        place = cast.membership(by).workspace
        for scope in ApiToken.Scope:
            _, text = tokens.create(place, scope, by=by, scope=scope)
            every[place, scope] = Client(headers={"authorization": f"Bearer {text}"})
    writer = every[cast.workspace, ApiToken.Scope.WRITE]
    reader = every[cast.workspace, ApiToken.Scope.READ]

    def listed(client: Client, **asked: Any) -> dict[str, Any]:
        page = client.get("/api/v1/comments", asked).json()
        return {each["id"]: each for each in page["items"]}

    def put(client: Client, comment: str, *topics: str) -> int:
        path, given = f"/api/v1/comments/{comment}/topics", {"topics": topics}
        return client.put(path, given, content_type="application/json").status_code

    found = listed(writer)
    assert found.keys() == {*COMMENTS, "r1"}
    assert SECRETS[1] in found["told"]["text"]
    assert HIDDEN in listed(reader)["told"]["text"]
    assert listed(writer, topic="price").keys() == {"odd", "told"}
    assert listed(writer, source="ticket") == listed(writer, corrected=True) == {}
    [first] = writer.get("/api/v1/comments", {"limit": 1}).json()["items"]
    assert (first["id"], first["corrected"]) == ("fine", False)
    felt = {each["topic"]: each["sentiment"] for each in first["topics"]}
    assert felt.keys() == {"performance", "reports", "support"}
    assert felt["reports"] > 0 > felt["support"]
    assert put(writer, "fine", "usability", "usability") == 200
    [said] = listed(reader, corrected=True).values()
    assert [each["topic"] for each in said["topics"]] == ["usability"]
    assert put(writer, "fine", "weather") == 400
    assert put(writer, "cancellation:a/b:2026-01-01", "price") == 404
    assert put(reader, "fine", "price") == 403
    # In another workspace there is no such comment.
    other = every[cast.elsewhere, ApiToken.Scope.WRITE]
    assert listed(other) == {}
    assert put(other, "fine", "price") == 404
    assert other.delete("/api/v1/comments/fine/topics").status_code == 404
    assert reader.delete("/api/v1/comments/fine/topics").status_code == 403
    answers = [writer.delete("/api/v1/comments/fine/topics") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 404]
    assert listed(writer) == found
    audit = AuditEntry.objects.filter(verb__startswith="comment.").order_by("pk")
    assert list(audit.values_list("verb", "target", "actor_name")) == [
        ("comment.corrected", "fine", cast.teammate.email),
        ("comment.correction_taken_back", "fine", cast.teammate.email),
    ]


def test_who_sees_and_changes_what(
    lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    member = client_of(cast.teammate).get(reverse(URL)).content.decode()
    assert "anna@example.com" in member
    assert "070-123 45 67" in member
    viewer = client_of(cast.viewer)
    seen = viewer.get(reverse(URL)).content.decode()
    assert "anna@example.com" not in seen
    assert "070-123" not in seen
    assert HIDDEN in seen
    assert 'name="topic"' not in seen
    assert viewer.post(reverse("surveys:correct")).status_code == 403
    stranger = client_of(cast.nobody)
    assert stranger.get(reverse(URL)).status_code == 404
    assert stranger.post(reverse("surveys:correct")).status_code == 404
    # Another workspace has comments of its own: none.
    other = client_of(cast.stranger).get(reverse(URL)).content.decode()
    assert "Rechnung" not in other


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ask anna.b@mail.example.com.", f"Ask {HIDDEN}."),
        ("+49 (30) 1234-5678 rings", f"{HIDDEN} rings"),
        ("Since 2026-03-01 in 12 depots, 1200 users", None),
        ("Anna Berg's team; an anna", f"{HIDDEN} {HIDDEN}'s team; an anna"),
        ("Bergs lag, Bergen", f"{HIDDEN} lag, Bergen"),
    ],
)
def test_personal_data_is_hidden(text: str, told: str | None) -> None:
    assert masked(text, ["Anna Berg", "Bo"]) == (told or text)


def test_a_rise_is_more_than_chance() -> None:
    assert is_rise(30, 100, 10, 100)
    assert not is_rise(12, 100, 10, 100)
    assert not is_rise(4, 4, 0, 100)
    assert not is_rise(10, 100, 0, 0)
    assert not is_rise(50, 50, 50, 50)


SECRETS = ("070-123 45 67", "anna@example.com")
SECRET = "Too expensive, says anna@example.com, 070-123 45 67."


@pytest.fixture
def everywhere(lake: Lake, cast: Cast) -> Note:
    """The same words in a ticket, a call, a note, a reason to leave, a task, an alert."""
    at, member = lake.now - DAY, cast.membership(cast.teammate)
    of = {"account_id": GREEN}
    told: dict[str, dict[str, Any]] = {
        "tickets": {"ticket_id": "t1", "opened_at": at, "description": SECRET},
        "touchpoints": {"touchpoint_id": "c1", "at": at, "summary": SECRET},
        "contracts": {
            "term_start": date(2024, 6, 1),
            "term_end": date(2025, 6, 1),
            "outcome": "cancelled",
            "outcome_at": at,
            "churn_reason": SECRET,
        },
    }
    for table, row in told.items():
        write(lake.lake, table, [{**of, **row}])
    said = Said("note", SECRET, at)
    note = note_actions.write_note(member, GREEN, said, key=uuid4())
    said = Said("note", f"{SECRET} So there.", at, is_pinned=True)
    note_actions.change_note(note, member, said)
    comments.take(lake)
    return note


def test_themes_of_every_source(
    everywhere: Note, lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """Each is counted, filtered, linked to its place and corrected."""
    client, url = client_of(cast.teammate), reverse(URL)
    page = client.get(url)
    of = {name: n for name, _, n in page.context["sources"]}
    own = dict.fromkeys(("ticket", "contact", "note", "cancellation"), 1)
    assert of == {"survey": 4, **own}
    assert page.context["comments"] == 8
    assert lines(lake)["price"].mentions == 2 + 4
    start, end = lake.today - DAY * 30, lake.today + DAY
    for source in own:
        [line] = feedback.lines(lake, start, end, "", source)
        assert (line.topic, line.mentions, line.share) == ("price", 1, 1.0)
        # Nobody gave a score.
        assert line.impact is None
        page = client.get(url, {"source": source})
        [said] = page.context["said"]
        place = client.get(said.place).content.decode()
        assert "Too expensive" in place, source
        sent = {"comment": said.quote.response_id, "topic": "support"}
        assert client.post(reverse("surveys:correct"), sent).status_code == 302
        [line] = feedback.lines(lake, start, end, "", source)
        assert line.topic == "support"
    assert len(client.get(url, {"source": "nowhere"}).context["said"]) == 8
    # What is taken back is said no more.
    note_actions.delete_note(everywhere, cast.membership(cast.teammate))
    assert feedback.lines(lake, start, end, "", "note") == []


def test_notes_written_before_are_told_once(lake: Lake, cast: Cast) -> None:
    Note.objects.create(
        workspace=cast.workspace, key=uuid4(), account_id=GREEN, kind="note",
        body="**Slow** since May.", at=lake.now, written_at=lake.now, author="a@b.se",
    )  # fmt: skip
    for _ in range(2):
        note_actions.tell_notes(cast.workspace)
        rows = lake.lake.read("notes").to_pylist()
        assert [row["text"] for row in rows] == ["Slow since May."]


def test_who_only_looks_sees_no_personal_data_in_what_is_written_of_customers(
    everywhere: Note, lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """Of tickets, contacts, notes, reasons to leave, tasks, alerts; nor by a search."""
    task = Task.objects.create(
        workspace=cast.workspace, title="Call", account_id=GREEN,
        reason=SECRET, description=SECRET,
    )  # fmt: skip
    Alert.objects.create(
        workspace=cast.workspace, account_id=GREEN, rule="silent", priority=1,
        opened_on=lake.today, opened_at=lake.now, note=SECRET,
    )  # fmt: skip
    pages = {
        reverse("customers:account", args=[GREEN]): 3,
        reverse("customers:timeline", args=[GREEN]): 4,
        reverse("customers:money", args=[GREEN]): 1,
        reverse("customers:note", args=[GREEN, everywhere.pk]): 2,
        reverse("work:task", args=[task.pk]): 2,
        reverse("work:tasks") + "?who=team": 1,
        reverse("work:alerts") + "?who=team": 1,
        reverse(URL): 4,
    }
    for reader, sees in ((cast.viewer, False), (cast.teammate, True)):
        client = client_of(reader)
        for page, least in pages.items():
            text = whole(client, page)
            assert [secret in text for secret in SECRETS] == [sees, sees], page
            assert text.count("Too expensive") >= least, page
        found = client.get(reverse("work:tasks"), {"who": "team", "q": SECRETS[1]})
        assert (task in [t for g in found.context["groups"] for t in g.tasks]) == sees
    for scope, sees in (("read", False), ("write", True)):
        _, token = tokens.create(
            cast.workspace, scope, by=None, scope=ApiToken.Scope(scope)
        )
        for name in ("tasks", "notes"):
            asked = f"/api/v1/{name}"
            told = repr(
                Client().get(asked, HTTP_AUTHORIZATION=f"Bearer {token}").json()
            )
            assert "Too expensive" in told
            assert [secret in told for secret in SECRETS] == [sees, sees], name
    task.refresh_from_db()
    assert task.reason == SECRET


def test_a_task_from_a_comment_takes_it_along(
    answered: Survey, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """Its text is in no address; of another workspace, there is none."""
    client, url = client_of(cast.teammate), reverse("work:new_task")
    page = client.get(reverse("surveys:survey", args=[answered.pk])).content.decode()
    answer = Answer.objects.get()
    assert f"answer={answer.pk}" in page
    assert "reason=" not in page
    form = client.get(url, {"account": GREEN, "answer": answer.pk}).context["form"]
    assert form.initial["reason"].startswith("Für Anna")
    for wrong in ("0", "x", "9" * 30, str(answer.pk + 1)):
        form = client.get(url, {"answer": wrong}).context["form"]
        assert form.initial["reason"] == ""
    form = client_of(cast.stranger).get(url, {"answer": answer.pk}).context["form"]
    assert form.initial["reason"] == ""


@pytest.fixture
def answered(lake: Lake, run: Run) -> Survey:
    """An answer of today with a broken encoding and personal data."""
    survey = run("nps")
    Answer.objects.create(
        survey=survey, number=1, account_id=GREEN, score=3, language="de",
        comment="FÃ¼r Anna: 070-123 45 67, anna@example.com", channel="link",
        answers={"missing": "mail anna@example.com"}, answered_at=lake.now,
        changed_at=lake.now, loaded=1,
    )  # fmt: skip
    return survey


def test_who_only_looks_sees_no_personal_data_anywhere(
    answered: Survey, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    """Results, the account's card and timeline, themes, the API, the review."""
    pages = [
        reverse("surveys:survey", args=[answered.pk]),
        reverse("customers:account", args=[GREEN]),
        reverse("customers:timeline", args=[GREEN]),
        reverse(URL),
    ]
    for reader, sees in ((cast.viewer, False), (cast.teammate, True)):
        client = client_of(reader)
        for page in pages:
            text = whole(client, page)
            assert [secret in text for secret in SECRETS] == [sees, sees], page
            assert "Ã¼" not in text
        found = client.get(pages[2] + "?q=anna@example.com").content.decode()
        assert ("Ring" in found) == sees
    for scope, sees in (("read", False), ("write", True)):
        _, token = tokens.create(
            cast.workspace, scope, by=None, scope=ApiToken.Scope(scope)
        )
        answer = Client().get("/api/v1/responses", HTTP_AUTHORIZATION=f"Bearer {token}")
        told = repr(answer.json())
        assert [secret in told for secret in SECRETS] == [sees, sees]
        assert told.count(HIDDEN) == (0 if sees else 3)
        assert "F\u00fcr Anna" in told or "Für Anna" in told
    account = get_account_or_404(cast.workspace, GREEN)
    for mask in (True, False):
        review = Review(cast.workspace, account, REGIONAL, mask=mask)
        assert (SECRETS[1] in repr(compose(review))) == (not mask)


TOPICS = """
bills:
  names: {en: Bills, de: Rechnungen}
  words: {de: rechnung*, en: invoice}
"""


def test_topics_are_tried_published_and_read_again_but_a_persons_word_stays(
    lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    ada, bob = client_of(cast.admin), client_of(cast.teammate)
    url = reverse("surveys:topics")
    assert client_of(cast.viewer).get(url).status_code == 403
    assert "pricing" in bob.get(url).content.decode()
    page = bob.post(url, {"do": "look", "text": TOPICS})
    told = {c.comment: (c.before, c.after) for c in page.context["changed"]}
    assert told["Die Rechnung ist furchtbar."] == (["price"], ["bills"])
    assert bob.post(url, {"do": "publish", "text": TOPICS}).status_code == 403
    wrong = ada.post(url, {"do": "publish", "text": "bills: [3"})
    assert wrong.status_code == 422
    assert "line 1" in wrong.content.decode()
    feedback.correct(cast.membership(cast.admin), "fine", ["support"])
    assert ada.post(url, {"do": "publish", "text": TOPICS}).status_code == 302
    again = ada.post(url, {"do": "publish", "text": TOPICS})
    assert "in force already" in again.content.decode()
    assert AuditEntry.objects.filter(verb="topics.published").count() == 1
    assert comments.take(lake) > 0
    assert comments.take(lake) == 0
    found = lines(lake)
    assert found["bills"].mentions == 1
    assert "price" not in found
    assert found["support"].mentions == 1
    page = client_of(cast.viewer).get(reverse(URL), HTTP_ACCEPT_LANGUAGE="de")
    assert "Rechnungen" in page.content.decode()


def test_corrections_teach_how_other_comments_are_read(lake: Lake, cast: Cast) -> None:
    """Two that agree; what a third one speaks of follows, and is undone with them."""
    texts = ("The turntable stalls.", "Our turntables rock.", "A turntable, finally!")
    write(
        lake.lake,
        "survey_responses",
        [
            {
                "response_id": f"t{n}", "kind": "nps", "score": 8.0, "comment": text,
                "language": "en", "account_id": GREEN,
                "answered_at": (lake.now - DAY).isoformat(),
            }
            for n, text in enumerate(texts)
        ],
    )  # fmt: skip
    member = cast.membership(cast.teammate)
    assert comments.take(lake) == 3
    feedback.correct(member, "t0", ["features"])
    assert comments.take(lake) == 0
    feedback.correct(member, "t1", ["features"])
    assert comments.take(lake) > 0
    assert comments.take(lake) == 0
    assert lines(lake)["features"].mentions == 3
    feedback.correct(member, "t1", ["other"])
    comments.take(lake)
    assert lines(lake)["features"].mentions == 1
