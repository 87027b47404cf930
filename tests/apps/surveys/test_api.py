"""Surveys for programs: the rules hold for them, and another workspace is nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from perennial.apps.surveys import loading
from perennial.apps.surveys.models import Answer, Invite, Survey
from perennial.apps.team import tokens
from perennial.apps.team.models import ApiToken
from perennial.lake.workspace import Workspace as Lake
from tests.apps.surveys.conftest import Cast, Run


def client(cast: Cast, scope: ApiToken.Scope = ApiToken.Scope.WRITE) -> Client:
    _token, text = tokens.create(
        cast.workspace, "script", by=cast.teammate, scope=scope
    )
    return Client(headers={"authorization": f"Bearer {text}"})


def post(browser: Client, path: str, **given: Any) -> Any:
    return browser.post(f"/api/v1/{path}", given, content_type="application/json")


def test_due_invited_answered_and_counted(cast: Cast, lake: Lake, run: Run) -> None:
    survey, browser = run(), client(cast)
    [found] = browser.get("/api/v1/surveys").json()["items"]
    assert (found["name"], found["state"], found["version"]) == ("NPS", "on", 1)
    due = browser.get(f"/api/v1/surveys/{survey.pk}/due").json()
    assert "g1" in {each["user_id"] for each in due}
    path = f"surveys/{survey.pk}/invitations"
    made = post(browser, path, user_id="g1", language="de-AT").json()
    assert (made["asked"], made["reason"]) == (True, None)
    assert Client().get(made["link"]).status_code == 200
    again = post(browser, path, user_id="g1").json()
    assert (again["asked"], again["reason"]) == (False, "asked")
    for score in (2, 9):
        answer = post(browser, "responses", invitation_id=made["id"], score=score,
                      answers={"best": "Speed"})  # fmt: skip
        assert answer.status_code == 200
    assert answer.json()["comment"] == "Speed"
    assert answer.json()["language"] == "de"
    [only] = browser.get("/api/v1/responses", {"survey_id": survey.pk}).json()["items"]
    assert (only["score"], only["user_id"]) == (9, "g1")
    loading.load(survey.workspace)
    told = browser.get(f"/api/v1/surveys/{survey.pk}/results?days=30").json()
    assert (told["value"], told["n"], told["answered"]) == (100.0, 1, 1)
    assert Answer.objects.count() == Invite.objects.count() == 1


def test_what_is_refused(cast: Cast, lake: Lake, run: Run) -> None:
    survey, browser = run(), client(cast)
    reader = client(cast, ApiToken.Scope.READ)
    path = f"surveys/{survey.pk}/invitations"
    assert post(reader, path, user_id="g1").status_code == 403
    assert post(browser, path, user_id="nobody").status_code == 400
    assert post(browser, path).status_code == 422
    assert post(browser, "responses", invitation_id=1, score=3).status_code == 404
    made = post(browser, path, user_id="g1").json()
    bad = post(browser, "responses", invitation_id=made["id"], score=11)
    assert (bad.status_code, "score" in bad.json()["detail"]) == (400, True)
    assert Client().get("/api/v1/responses").status_code == 401


@pytest.mark.parametrize("verb", ["due", "results"])
def test_another_workspace_is_nothing(cast: Cast, run: Run, verb: str) -> None:
    survey = run()
    _token, text = tokens.create(cast.elsewhere, "script", by=cast.stranger)
    other = Client(headers={"authorization": f"Bearer {text}"})
    assert other.get(f"/api/v1/surveys/{survey.pk}/{verb}").status_code == 404
    assert other.get("/api/v1/surveys").json()["items"] == []
    assert other.get("/api/v1/responses").json()["items"] == []
    assert Survey.objects.count() == 1
