"""What pages of other origins may ask and say: with a key, a ticket and a token."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from django.test import Client

from perennial.apps.customers import segment_actions
from perennial.apps.intake import sources
from perennial.apps.surveys import actions, tokens
from perennial.apps.surveys.models import Answer, Invite, SurveySettings
from perennial.apps.team.models import Membership, Workspace
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import GREEN, KESTREL
from tests.apps.surveys.conftest import Cast, Run


class Snippet:
    """What the snippet does, without a browser."""

    def __init__(self, workspace: Workspace) -> None:
        self.key = sources.create_key(workspace, "Product", by=None)
        self.workspace = workspace
        self.client = Client(enforce_csrf_checks=True, HTTP_ORIGIN="https://x.example")

    def post(self, path: str, body: object) -> Any:
        text = body if isinstance(body, str) else json.dumps(body)
        return self.client.post(
            f"/snippet/v1/{path}", text, content_type="text/plain;charset=UTF-8"
        )

    def signature(self, user: str) -> str:
        secret = tokens.person_secret(self.workspace).encode()
        return hmac.new(secret, user.encode(), "sha256").hexdigest()

    def things(self, user: str = "g1", **more: Any) -> list[dict[str, Any]]:
        given = {"key": self.key.key, "userId": user, "signature": self.signature(user)}
        found: list[dict[str, Any]] = self.post("things", given | more).json()["things"]
        return found

    def claim(self, ticket: str) -> dict[str, Any] | None:
        given = {"key": self.key.key, "ticket": ticket, "language": "sv"}
        found: dict[str, Any] | None = self.post("claim", given).json()["show"]
        return found


@pytest.fixture
def snippet(workspace: Workspace) -> Snippet:
    return Snippet(workspace)


def test_a_ticket_is_claimed_once_and_answered(
    snippet: Snippet, lake: Lake, run: Run
) -> None:
    run(who={"pages": ["/reports/*"]})
    [thing] = snippet.things()
    assert (thing["kind"], thing["pages"]) == ("survey", ["/reports/*"])
    assert not Invite.objects.exists()
    shown = snippet.claim(thing["ticket"])
    assert shown is not None
    assert shown["question"].startswith("Hur troligt")
    assert (snippet.claim(thing["ticket"]), snippet.things()) == (None, [])
    said = {"token": shown["token"], "score": 9}
    assert snippet.post("answer", said).status_code == 200
    more = {**said, "answers": {"best": "Allt"}, "done": True}
    answered = snippet.post("answer", more)
    assert answered["Access-Control-Allow-Origin"] == "*"
    assert not answered.cookies
    [answer] = Answer.objects.all()
    assert (answer.score, answer.comment, answer.account_id) == (9, "Allt", GREEN)
    assert snippet.post("answer", {**said, "refused": True}).status_code == 200
    assert Invite.objects.get().refused_at is None


def test_who_is_not_believed_sees_nothing(
    snippet: Snippet, lake: Lake, run: Run
) -> None:
    run()
    assert snippet.things(signature="") == []
    assert snippet.things(signature=snippet.signature("k1")) == []
    assert snippet.things(userId=None) == []
    SurveySettings.objects.create(workspace=snippet.workspace, takes_unsigned=True)
    assert len(snippet.things(signature="")) == 1


def test_keys_and_tickets_of_others(
    snippet: Snippet, lake: Lake, run: Run, cast: Cast
) -> None:
    survey = run()
    [thing] = snippet.things()
    assert snippet.post("things", {"key": "x", "userId": "g1"}).status_code == 401
    other = sources.create_key(cast.elsewhere, "Product", by=None)
    elsewhere = {"key": other.key, "ticket": thing["ticket"]}
    assert snippet.post("claim", elsewhere).json() == {"show": None}
    for wrong in ("", "x", thing["ticket"][:-2], tokens.make(tokens.ANSWER, survey.pk)):
        assert snippet.claim(wrong) is None
    for token in (thing["ticket"], "", tokens.make(tokens.PREVIEW, 1)):
        assert snippet.post("answer", {"token": token, "score": 3}).status_code == 404
    sources.revoke(snippet.key, by=None)
    assert snippet.post("things", {"key": snippet.key.key}).status_code == 401
    assert not Invite.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"key": {}}', "[" * 9_000, '{"a": "' + "x" * 70_000 + '"}']
)
@pytest.mark.parametrize("path", ["things", "claim", "answer"])
def test_bodies_that_are_none(snippet: Snippet, path: str, body: str) -> None:
    assert snippet.post(path, body).status_code in {400, 401, 404}
    assert snippet.client.get(f"/snippet/v1/{path}").status_code == 405
    assert snippet.client.options(f"/snippet/v1/{path}").status_code == 204


@pytest.mark.parametrize(
    "said", [{"score": "9"}, {"score": True}, {"score": 99}, {"score": None}, {}]
)
def test_answers_that_are_none(
    snippet: Snippet, lake: Lake, run: Run, said: dict[str, Any]
) -> None:
    run()
    shown = snippet.claim(snippet.things()[0]["ticket"])
    assert shown is not None
    refused = snippet.post("answer", {"token": shown["token"], **said})
    assert refused.status_code == 400
    assert not Answer.objects.exists()


def test_a_survey_of_a_segment_asks_its_people(
    snippet: Snippet, lake: Lake, run: Run, admin: Membership
) -> None:
    condition = {"all": [{"field": "mrr", "op": "at_least", "value": 300}]}
    segment = segment_actions.create_segment(
        admin, name="Large", description="", document=condition
    )
    survey = run(who={"segment": segment.key})
    assert len(snippet.things("g1")) == 1
    assert snippet.things("k1", groupId=GREEN) == []
    # Somebody nobody heard of belongs to the account the page names, and is new.
    assert snippet.things("newcomer", groupId=GREEN) == []
    survey.document["when"]["first_days"] = 0
    actions.save(survey, admin, survey.name, survey.document)
    actions.start(survey, admin)
    assert len(snippet.things("newcomer", groupId=GREEN)) == 1
    assert snippet.things("newcomer", groupId=KESTREL) == []
