"""Our own pages: who may do what, what the form keeps, what an answer leads to."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from perennial.apps.surveys import actions, answering, forms, joining, library, loading
from perennial.apps.surveys.document import read
from perennial.apps.surveys.models import Answer, Survey
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work.models import Message
from perennial.core.errors import BadValue
from perennial.lake import scorecards
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import scorecard_text
from tests.apps.customers.company import GREEN, KESTREL
from tests.apps.surveys.conftest import Cast, Clock, Run
from tests.apps.surveys.test_asking import _addresses  # noqa: F401 - a fixture
from tests.apps.surveys.test_hosted import invited

ClientOf = Callable[[User], Client]


def url(name: str, *args: object) -> str:
    return reverse(f"surveys:{name}", args=args)


def test_members_write_admins_start_viewers_read(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    bob, vera, ada = (client_of(u) for u in (cast.teammate, cast.viewer, cast.admin))
    assert vera.post(url("new"), {"template": "nps"}).status_code == 403
    made = bob.post(url("new"), {"template": "nps"})
    survey = Survey.objects.get()
    assert made["Location"] == url("edit", survey.pk)
    assert bob.post(url("new"), {"template": "poll"}).status_code == 302
    assert Survey.objects.count() == 1
    edit, turn = url("edit", survey.pk), url("turn", survey.pk)
    assert vera.get(edit).status_code == 200
    assert vera.post(edit, {"name": "x"}).status_code == 403
    assert bob.post(turn, {"do": "start"}).status_code == 403
    assert ada.post(turn, {"do": "start"}).status_code == 302
    assert ada.post(turn, {"do": "nonsense"}).status_code == 404
    survey.refresh_from_db()
    assert (survey.state, survey.number) == ("on", 1)
    stranger = client_of(cast.stranger)
    for name in ("survey", "edit", "preview_product", "preview_email", "preview_page"):
        assert stranger.get(url(name, survey.pk)).status_code == 404
    assert stranger.post(turn, {"do": "stop"}).status_code == 404
    assert client_of(cast.teammate).get(url("rests")).status_code == 403


@pytest.mark.parametrize("template", ["nps", "csat", "ces"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_form_sent_back_as_it_was_changes_nothing(
    template: str, language: str
) -> None:
    document = library.document(template)
    document["who"] = {
        "segment": "s",
        "roles": ["a b"],
        "pages": ["/x/*"],
        "event": "E",
    }
    document["when"] |= {"sample": 40, "hold_out": 5, "ends_on": "2027-01-31"}
    sent = _sent(document, language)
    made = forms.document_of(sent, document)
    for name in ("kind", "languages", "ask", "low", "high", "who"):
        assert made[name] == document[name], name
    # What was left open is the whole scale, and that is what the form shows.
    assert read(made).asks == read(document).asks
    kept = {k: v for k, v in made["when"].items() if v not in (None, "")}
    assert kept == {"trigger": "schedule"} | document["when"]


def _sent(document: dict[str, Any], language: str) -> QueryDict:
    """What a browser sends of the form."""
    form, sent = forms.shown(document, language), QueryDict(mutable=True)
    sent["lang"] = language
    sent.setlist("languages", document["languages"])
    sent.setlist("channels", form["channels"])
    for n, each in enumerate(form["follow_ups"]):
        sent[f"ask-{n}"], sent[f"options-{n}"] = each["said"], each["lines"]
        sent[f"from-{n}"], sent[f"to-{n}"] = str(each["first"]), str(each["last"])
    for n, each in enumerate(form["thanks"]):
        sent[f"thanks-{n}"] = each["said"]
        sent[f"from-thanks-{n}"] = str(each["first"])
        sent[f"to-thanks-{n}"] = str(each["last"])
    plain = {k: v for k, v in form.items() if isinstance(v, str | int) and v != ""}
    for name, value in plain.items():
        sent[name] = str(value)
    return sent


def test_questions_come_and_go(admin: Membership) -> None:
    document = library.document("nps")
    sent = _sent(copy.deepcopy(document), "en")
    sent["do"] = "add-choice"
    more = forms.document_of(sent, document)
    assert [each["id"] for each in more["follow_ups"]][-1] == "q1"
    survey = actions.add(admin, "One more", "nps")
    assert actions.save(survey, admin, "One more", document) == ""
    assert "choice" in actions.save(survey, admin, "One more", more)
    with pytest.raises(BadValue):
        actions.start(survey, admin)
    sent = _sent(document, "en")
    sent["do"] = "remove-0"
    less = forms.document_of(sent, document)
    assert [each["id"] for each in less["follow_ups"]] == ["missing", "best"]


def test_an_answer_is_seen_to_once_with_a_reply(
    lake: Lake, run: Run, cast: Cast, client_of: ClientOf, moving: Clock
) -> None:
    answer = answering.answer(invited(run(), lake), 2, {}, is_complete=True)
    page, bob = url("answer", answer.pk), client_of(cast.teammate)
    moving.forward(hours=5)
    reply = {"do": "reply", "text": "We are on it.\n"}
    assert client_of(cast.viewer).post(page, reply).status_code == 403
    assert client_of(cast.stranger).post(page, reply).status_code == 404
    bob.post(page, {"do": "reply", "text": "  "})
    assert not Message.objects.filter(key=f"reply:{answer.pk}").exists()
    for _ in range(2):
        bob.post(page, reply)
    [mail] = Message.objects.filter(key=f"reply:{answer.pk}")
    assert (mail.to, mail.headers) == (
        "g1@greenfield.example",
        {"Reply-To": "bob@default.example"},
    )
    answer.refresh_from_db()
    assert answer.closed_by == cast.teammate
    assert answer.closed_at is not None
    assert answer.closed_at - answer.answered_at == timedelta(hours=5)
    bob.post(page, {"do": "open"})
    assert Answer.objects.get().closed_at is None


def test_todays_answer_is_in_the_health_of_tomorrow(
    workspace: Workspace, lake: Lake, run: Run
) -> None:
    assert joining.ahead(lake, KESTREL) is None
    card = scorecard_text.parse(
        "name: Heard\ncuts: [20, 40, 75]\ncomponents:\n"
        "- {name: voice, weight: 100, metric: nps, window_days: 90, scale: {bands: {of: "
        "[{to: 0, points: 10}, {from: 0, points: 90}]}}}\n"
    )
    scorecards.publish(lake, card, by="test", note="NPS counts")
    before = joining.ahead(lake, KESTREL)
    survey = run()
    for user in ("k1", "k2"):
        answering.answer(invited(survey, lake, user), 10, {}, is_complete=True)
    loading.load(workspace)
    after = joining.ahead(lake, KESTREL)
    assert before == joining.Ahead(10.0, "red")
    assert after == joining.Ahead(90.0, "green")
    # The snapshot of today speaks of the days before it, and is not touched.
    assert joining.ahead(lake, GREEN) == joining.Ahead(None, "")
