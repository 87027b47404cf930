"""The pages people answer on: signed links, half answers, changes, strangers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from perennial.apps.surveys import (
    actions,
    answering,
    inviting,
    loading,
    results,
    tokens,
)
from perennial.apps.surveys.document import read
from perennial.apps.surveys.inviting import Candidate, ask, asked_document
from perennial.apps.surveys.models import Answer, Channel, Invite, Respondent, Survey
from perennial.apps.team.models import Membership, Workspace
from perennial.lake import respondents
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import GREEN
from tests.apps.surveys.conftest import Clock, Run


def invited(survey: Survey, lake: Lake, user: str = "g1") -> Invite:
    person = respondents.people(lake, [user])[user]
    document = asked_document(survey)
    found = ask(survey, document, Candidate(person), Channel.EMAIL)
    assert isinstance(found, Invite)
    return found


def page_of(invite: Invite) -> str:
    return reverse("surveys:asked", args=[tokens.make(tokens.ANSWER, invite.pk)])


def test_an_answer_in_two_steps_and_changed(lake: Lake, run: Run) -> None:
    invite, client = invited(run(), lake), Client()
    page = page_of(invite)
    shown = client.get(page)
    assert b"How likely are you to recommend us" in shown.content
    assert shown["X-Robots-Tag"] == "noindex"
    client.post(page, {"score": "3", "do": "score"})
    half = Answer.objects.get()
    assert (half.score, half.is_complete, half.person) == (3, False, "g1")
    assert b"What should we change?" in client.get(page).content
    client.post(page, {"do": "more", "answer-why_not": "Slow", "answer-best": "x"})
    whole = Answer.objects.get()
    assert (whole.score, whole.comment, whole.is_complete) == (3, "Slow", True)
    assert b"Thank you for being frank" in client.get(page).content
    # Last wins, and what was asked of another score is gone.
    client.post(f"{page}?edit=1", {"score": "9", "do": "score"})
    last = Answer.objects.get()
    assert (last.score, last.comment, last.is_complete) == (9, "", False)
    assert Respondent.objects.get(person="g1").answered_on == lake.today


def test_a_link_in_a_mail_answers_nothing_by_itself(lake: Lake, run: Run) -> None:
    """A scanner opens every link; only a person presses the button."""
    invite, client = invited(run(), lake), Client()
    for score in range(11):
        shown = client.get(f"{page_of(invite)}?score={score}")
        assert re.search(rf'value="{score}" required checked', shown.content.decode())
    assert client.head(page_of(invite)).status_code == 200
    assert not Answer.objects.exists()


def test_what_is_forged_expired_or_meant_for_something_else(
    lake: Lake, run: Run, settings: Settings, moving: Clock, admin: Membership
) -> None:
    survey = run()
    invite, client = invited(survey, lake), Client()
    other = tokens.make(tokens.UNSUBSCRIBE, invite.pk)
    token = tokens.make(tokens.ANSWER, invite.pk)
    forged = [other, token[:-1] + ("a" if token[-1] != "a" else "b"), "x", f"{token}x"]
    old = signing.TimestampSigner(salt=tokens.ANSWER.salt)
    old.timestamp = lambda: signing.b62_encode(1_500_000_000)  # type: ignore[method-assign]
    payload = signing.b64_encode(signing.JSONSerializer().dumps([invite.pk])).decode()
    forged.append(old.sign(payload))
    for each in forged:
        page = reverse("surveys:asked", args=[each])
        assert client.get(page).status_code == 404
        assert client.post(page, {"score": "0"}).status_code == 404
    preview = tokens.make(tokens.PREVIEW, survey.pk)
    page = reverse("surveys:preview", args=[preview])
    client.post(page, {"score": "9", "do": "score"})
    assert not Answer.objects.exists()
    # A replay is the same person's change, and no second answer.
    for score in ("4", "4", "5"):
        client.post(page_of(invite), {"score": score})
    assert [a.score for a in Answer.objects.all()] == [5]
    actions.archive(survey, admin)
    assert client.get(page_of(invite)).status_code == 404


@pytest.mark.parametrize("score", ["²", "9" * 5_000, "11", "-1", "abc", "9" * 9, ""])
def test_scores_that_are_none(lake: Lake, run: Run, score: str) -> None:
    invite = invited(run(), lake)
    answer = Client().post(page_of(invite), {"score": score})
    assert answer.status_code == 400
    assert not Answer.objects.exists()


def test_what_people_write_is_text(
    lake: Lake, run: Run, admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Script in every field of a survey and of an answer comes out as text."""
    nothing = results.Score()
    monkeypatch.setattr(results, "scores", lambda *a: (nothing,) * len(a[-1]))
    monkeypatch.setattr(results, "parts", lambda *_: [results.Part("x", nothing)])
    monkeypatch.setattr(results, "rate", lambda *_: results.Rate())
    monkeypatch.setattr(results, "lines", lambda *_: {})
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    survey = run()

    def poisoned(part: object) -> object:
        if isinstance(part, dict) and set(part) == {"en", "de", "sv"}:
            return dict.fromkeys(part, evil)
        if isinstance(part, dict):
            return {key: poisoned(value) for key, value in part.items()}
        return [poisoned(each) for each in part] if isinstance(part, list) else part

    document = poisoned(survey.document)
    assert isinstance(document, dict)
    document["follow_ups"].append(
        {"id": "c", "kind": "choice", "ask": dict.fromkeys(["en", "de", "sv"], evil),
         "options": [dict.fromkeys(["en", "de", "sv"], evil)] * 2}
    )  # fmt: skip
    assert actions.save(survey, admin, evil[:100], document) == ""
    actions.start(survey, admin)
    invite, client = invited(survey, lake), Client()
    page = page_of(invite)
    client.post(page, {"score": "2", "do": "score"})
    shown = [client.get(f"{page}?edit=1"), client.get(page)]
    client.post(page, {"do": "more", "answer-why_not": evil})
    shown.append(client.get(page))
    client.force_login(admin.user, "django.contrib.auth.backends.ModelBackend")
    names = ("survey", "edit", "preview_product", "preview_email", "preview_page")
    shown += [client.get(reverse(f"surveys:{n}", args=[survey.pk])) for n in names]
    shown.append(client.get(reverse("surveys:surveys")))
    for response in shown:
        assert response.status_code == 200
        text = response.content.decode()
        assert "alert(1)" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_the_public_link(
    lake: Lake, run: Run, moving: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey, client = run("csat"), Client(HTTP_ACCEPT_LANGUAGE="sv-SE,sv;q=0.9")
    page = reverse("surveys:open", args=[survey.key])
    shown = client.get(page).content.decode()
    assert "Hur nöjd är du" in shown
    [stamp] = re.findall(r'name="page" value="([^"]+)"', shown)
    sent = {"score": "2", "page": stamp}
    # Too fast, no page at all, and a field that people do not see.
    for bad in (sent, {"score": "2"}, {**sent, "website": "x"}):
        assert b'name="score"' not in client.post(page, bad).content
    assert not Answer.objects.exists()
    monkeypatch.setattr("perennial.apps.surveys.hosted._FASTEST_S", -1)
    went_on = client.post(page, sent)["Location"]
    assert Answer.objects.get().channel == Channel.LINK
    client.post(went_on, {"do": "more", "answer-reason": "1", "answer-more": "Hm"})
    [mine] = Answer.objects.all()
    assert (mine.score, mine.comment, mine.person, mine.language) == (2, "Hm", "", "sv")
    # Somebody else's token does not open it, and another answer is another one.
    client.post(f"{page}?mine=forged", {"score": "5", "page": stamp})
    assert sorted(a.score for a in Answer.objects.all()) == [2, 5]
    monkeypatch.setattr(answering, "MOST_ANONYMOUS", 2)
    assert client.post(page, sent).status_code == 400
    assert Answer.objects.count() == 2
    loading.load(survey.workspace)
    assert lake.lake.count("survey_responses") >= 2


def test_the_public_link_signed_for_a_person(lake: Lake, run: Run) -> None:
    import hmac

    survey, client = run(), Client()
    page = reverse("surveys:open", args=[survey.key])
    secret = tokens.person_secret(survey.workspace).encode()
    signature = hmac.new(secret, b"g1", "sha256").hexdigest()
    for query in ("user=g1&signature=x", f"user=g2&signature={signature}", "user=g1"):
        assert client.get(f"{page}?{query}").status_code == 404
    for _ in range(2):
        opened = client.get(f"{page}?user=g1&signature={signature}")
        client.post(opened["Location"], {"score": "8", "do": "score"})
    [answer] = Answer.objects.all()
    assert (answer.person, answer.account_id, answer.score) == ("g1", GREEN, 8)


def test_a_survey_that_does_not_run_has_no_public_link(
    run: Run, admin: Membership, lake: Lake
) -> None:
    survey = run()
    page, client = reverse("surveys:open", args=[survey.key]), Client()
    assert client.get(page).status_code == 200
    actions.new_link(survey, admin)
    assert client.get(page).status_code == 404
    actions.stop(survey, admin)
    page = reverse("surveys:open", args=[survey.key])
    assert client.get(page).status_code == 404
    closed = run("ces", channels=["product"])
    assert client.get(reverse("surveys:open", args=[closed.key])).status_code == 404


def test_unsubscribing(
    workspace: Workspace, lake: Lake, run: Run, client_of: Callable[..., Client]
) -> None:
    survey, client = run(), Client(enforce_csrf_checks=True)
    page = reverse(
        "surveys:leave", args=[tokens.make(tokens.UNSUBSCRIBE, workspace.pk, "g1")]
    )
    assert client.get(page).status_code == 200
    assert not Respondent.objects.filter(unsubscribed_at__isnull=False).exists()
    one_click = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        assert client.post(page, one_click).status_code == 200
    person = respondents.people(lake, ["g1"])["g1"]
    why = ask(survey, read(survey.document), Candidate(person), Channel.PRODUCT)
    assert why == inviting.Reason.UNSUBSCRIBED
    client.post(page, {"do": "back"})
    assert isinstance(
        ask(survey, read(survey.document), Candidate(person), Channel.PRODUCT), Invite
    )
