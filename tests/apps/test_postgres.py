"""The team server: the same application on PostgreSQL."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from perennial.apps.customers.models import Note
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.surveys import actions as surveys
from perennial.apps.surveys import tokens
from perennial.apps.surveys.models import Answer, Survey
from perennial.apps.team import tokens as tokens_of_programs
from perennial.apps.team.models import ApiToken, AuditEntry
from perennial.apps.team.roles import Role
from perennial.apps.work.jobs import follow_up
from perennial.apps.work.models import Alert, Run, Task
from perennial.apps.work.playbooks import actions as playbooks
from tests.apps.customers.company import AS_OF, KESTREL
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import PASSWORD, Cast, people
from tests.apps.team.test_access import FOR_MEMBERS
from tests.postgres import on_postgres, postgres  # noqa: F401 - fixtures

RED = {"field": "health_color", "op": "is", "value": ["red", "orange"]}


def quiet(_share: float, _what: str) -> None:
    """Nobody looks at the progress."""


@pytest.fixture
def team(on_postgres: str, then: Path) -> Cast:  # noqa: F811
    return people()


def signed_in(cast: Cast) -> Client:
    client = Client()
    asked = {"email": cast.owner.email.upper(), "password": PASSWORD}
    assert client.post("/sign-in/", asked).status_code == 302
    return client


def answered(survey: Survey) -> None:
    """By somebody of Kestrel, with a NUL in it as pasted text may have."""
    page, client = reverse("surveys:open", args=[survey.key]), Client()
    secret = tokens.person_secret(survey.workspace).encode()
    signature = hmac.new(secret, b"k1", "sha256").hexdigest()
    page = client.get(f"{page}?user=k1&signature={signature}")["Location"]
    client.post(page, {"score": "3", "do": "score"})
    client.post(page, {"do": "more", "answer-why_not": "Too slo\0w"})


def test_a_day_of_work(team: Cast) -> None:
    """A task, a note, a playbook that runs, a survey that is answered, a job: written,
    and shown on every page there is."""
    assert connection.vendor == "postgresql"
    client, owner = signed_in(team), team.membership(team.owner)
    task = {"title": "Call Ülkü", "account": "kestrel & sons", "due_on": str(AS_OF)}
    task |= {"owner": str(team.owner.pk), "priority": "1", "items": "Read\n\nCall"}
    assert client.post(reverse("work:new_task"), task).status_code == 302
    note = {"kind": "call", "body": "They asked twice.", "at": f"{AS_OF}T08:00"}
    client.post(reverse("customers:log", args=[KESTREL]), note)
    steps = [{"do": "task", "title": "Ring {account}", "due_days": 2}]
    book = {"name": "Risk", "when": {"trigger": "matches", "condition": RED}}
    playbooks.turn_on(playbooks.add(owner, {**book, "steps": steps}), owner)
    survey = surveys.add(owner, "NPS", "nps")
    survey.document["when"]["channels"] = ["link"]
    surveys.save(survey, owner, "NPS", survey.document)
    surveys.start(survey, owner)
    answered(survey)
    while run := JobRun.objects.filter(state=State.WAITING).first():
        jobs.execute(run.pk)
    follow_up("default", quiet)
    made = Task, Note, Alert, Run, Answer, AuditEntry
    assert {model for model in made if not model._default_manager.exists()} == set()
    assert not JobRun.objects.exclude(state=State.DONE).values_list("name", "error")
    for path in (reverse("customers:account", args=[KESTREL]), *pages()):
        assert client.get(path).status_code in {200, 302, 404, 405}, path
    _token, text = tokens_of_programs.create(
        team.workspace, "script", by=team.owner, scope=ApiToken.Scope.WRITE
    )
    program = Client(headers={"authorization": f"Bearer {text}"})
    given = {"title": "Ring\0 them", "account_id": KESTREL}
    asked = program.post("/api/v1/tasks", given, content_type="application/json")
    assert (asked.status_code, "NUL" in asked.json()["detail"]) == (422, True)
    answer = Answer.objects.get()
    assert (answer.person, answer.score, answer.comment) == ("k1", 3, "Too slow")
    found = client.get(reverse("customers:accounts"), {"q": "KESTREL"})
    assert b"Kestrel" in found.content


def pages() -> list[str]:
    """Of one row each: those that answer 404 have none of number 1."""
    return [r.path for r in FOR_MEMBERS if Role.OWNER.covers(Role(r.gate))]
