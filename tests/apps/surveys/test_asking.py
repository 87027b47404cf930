"""Asking for real: once, by every channel, also when it is tried again or killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from django.db import IntegrityError
from django.test import Client, override_settings
from pytest_django import Settings

from perennial.apps.surveys import (
    answering,
    inviting,
    jobs,
    loading,
    mailing,
    queries,
    results,
    tokens,
)
from perennial.apps.surveys.document import read
from perennial.apps.surveys.inviting import Candidate, ask, asked_document
from perennial.apps.surveys.models import (
    Channel,
    Invite,
    SurveySettings,
)
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work import outbox
from perennial.apps.work.models import Message, RunEntry
from perennial.apps.work.playbooks import actions as playbooks
from perennial.apps.work.playbooks import engine, words
from perennial.core.asking import Reason
from perennial.core.errors import BadValue
from perennial.lake import flowbook, onboarding, respondents
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import AS_OF, GREEN, KESTREL
from tests.apps.surveys.conftest import Clock, Post, Run
from tests.apps.surveys.test_hosted import invited, page_of
from tests.builders import instant, write


@pytest.fixture(autouse=True)
def _addresses(lake: Lake) -> None:
    """Five people with addresses; one is new, one is our own, one is switched off."""
    long_ago = "2025-01-01T09:00"
    write(
        lake.lake,
        "users",
        [
            {"user_id": "k1", "email": "kim@kestrel.example", "name": "Kim", "created_at": long_ago,
             "role": "admin", "properties": '{"locale": "de-DE"}'},
            {"user_id": "k2", "email": "kit@kestrel.example", "name": "Kit", "created_at": long_ago},
            {"user_id": "k3", "email": "kay@kestrel.example", "created_at": "2026-05-20T09:00"},
            {"user_id": "staff", "email": "me@default.example", "is_internal": True, "created_at": long_ago},
            {"user_id": "k9", "email": "gone@kestrel.example", "deactivated_at": "2026-05-01T09:00",
             "created_at": long_ago},
        ],
    )  # fmt: skip


def test_whom_a_survey_could_ask(workspace: Workspace, lake: Lake, run: Run) -> None:
    survey = run()
    found = inviting.look(survey, asked_document(survey))
    ready = {each.person.user_id: each.person for each in found.ready}
    assert set(ready) == {"k1", "k2", "k4", "k5", "g1"}
    assert ready["k1"].account_id == KESTREL
    assert found.reasons == {Reason.NEW: 1, Reason.OWN: 1}
    admins = inviting.look(
        survey, read({**survey.document, "who": {"roles": ["admin"]}})
    )
    assert [each.person.user_id for each in admins.ready] == ["k1"]
    gone = read({**survey.document, "who": {"segment": "no-such"}})
    assert inviting.look(survey, gone).matched == 0


def test_a_mail_goes_out_once(
    workspace: Workspace,
    lake: Lake,
    run: Run,
    moving: Clock,
    post: Post,
    settings: Settings,
) -> None:
    settings.PUBLIC_URL = "https://p.example"
    run(remind_days=5)
    for _ in range(3):
        jobs.send_surveys(workspace.key, lambda _share, _what: None)
        outbox.send_due(workspace)
    assert sorted(m["To"] for m in post.mails) == [
        "g1@greenfield.example",
        "kim@kestrel.example",
        "kit@kestrel.example",
    ]
    [kim] = [m for m in post.mails if m["To"] == "kim@kestrel.example"]
    assert kim["Subject"] == "Eine Frage zu Ihren Erfahrungen mit uns"
    assert kim["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [leave] = re.findall(r"<(.+)>", str(kim["List-Unsubscribe"]))
    text, html = (
        part.get_payload(decode=True).decode()
        for part in kim.get_payload()  # type: ignore[union-attr]
    )
    assert "Wie wahrscheinlich" in text
    assert "<" not in text
    buttons = re.findall(r'href="([^"]+\?score=\d+)"', html)
    assert len(buttons) == 11
    assert "prefers-color-scheme:dark" in html
    assert "<img" not in html
    client = Client()
    assert client.post(buttons[9].partition("?")[0], {"score": "9"}).status_code == 302
    assert client.post(leave, {"List-Unsubscribe": "One-Click"}).status_code == 200
    # Reminded once: whoever said nothing, and did not leave.
    moving.forward(days=5)
    for _ in range(2):
        jobs.send_surveys(workspace.key, lambda _share, _what: None)
    keys = Message.objects.filter(key__startswith="reminder:")
    assert sorted(m.to for m in keys) == [
        "g1@greenfield.example",
        "kit@kestrel.example",
    ]
    assert Invite.objects.count() == 3


def test_night_is_not_for_mails(workspace: Workspace, run: Run, moving: Clock) -> None:
    run()
    for name in ("EMAIL_HOST", "PUBLIC_URL"):
        with override_settings(**{name: ""}):
            assert mailing.invite(workspace) == 0
    moving.forward(hours=11)  # 19 o'clock in Berlin
    assert mailing.invite(workspace) == 0
    moving.forward(hours=13)
    assert mailing.invite(workspace) == 3


def test_a_run_that_is_killed_half_way_asks_nobody_twice(
    workspace: Workspace, lake: Lake, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after each step of the first mails; the next run goes on."""
    run()
    real = outbox.write_mail
    for dies_at in (0, 1):
        written: list[Any] = []

        def dying(
            *args: Any, written: list[Any] = written, at: int = dies_at, **mail: Any
        ) -> Any:
            made = real(*args, **mail)
            written.append(made)
            if len(written) > at:
                raise KeyboardInterrupt
            return made

        monkeypatch.setattr(outbox, "write_mail", dying)
        with pytest.raises(KeyboardInterrupt):
            mailing.invite(workspace)
    monkeypatch.setattr(outbox, "write_mail", real)
    mailing.invite(workspace)
    mails = Message.objects.filter(key__startswith="survey:")
    assert sorted(m.to for m in mails) == sorted(i.email for i in Invite.objects.all())
    assert mails.count() == 3


def test_bounces_count_in_no_response_rate(
    workspace: Workspace, lake: Lake, run: Run, moving: Clock
) -> None:
    survey = run(name="Bounced")
    mailing.invite(workspace)
    [kim] = Invite.objects.filter(person="k1")
    Message.objects.filter(key=f"survey:{kim.pk}").update(state=Message.State.FAILED)
    jobs.send_surveys(workspace.key, lambda _share, _what: None)
    answering.answer(
        Invite.objects.select_related("survey__workspace").get(person="k2"),
        9,
        {},
        is_complete=True,
    )
    loading.load(workspace)
    span = results.span_of(30, lake.today)
    assert results.rate(lake, survey.name, span.start, span.end) == results.Rate(1, 2)


def test_rests_hold_across_surveys_and_channels(
    workspace: Workspace, lake: Lake, run: Run, moving: Clock
) -> None:
    first, second = run(name="First"), run("ces", name="Second", trigger="schedule")
    person = respondents.people(lake, ["k1"])["k1"]

    def asks(survey: Any) -> Invite | Reason:
        return ask(survey, asked_document(survey), Candidate(person), Channel.PRODUCT)

    invite = asks(first)
    assert isinstance(invite, Invite)
    assert (asks(first), asks(second)) == (Reason.ASKED, Reason.ASKED)
    answering.refuse(invite)
    moving.forward(days=29)
    assert asks(second) == Reason.REFUSED
    moving.forward(days=1)
    again = asks(second)
    assert isinstance(again, Invite)
    answering.answer(again, 6, {}, is_complete=True)
    moving.forward(days=89)
    assert asks(first) == Reason.ANSWERED
    moving.forward(days=1)  # 120 days after the first: another wave
    assert isinstance(asks(first), Invite)
    assert [i.wave for i in first.invites.order_by("pk")] == [1, 2]


def test_the_limit_of_a_day_is_kept(workspace: Workspace, lake: Lake, run: Run) -> None:
    SurveySettings.objects.create(workspace=workspace, most_a_day=2)
    run(name="A")
    run(name="B")
    assert mailing.invite(workspace) == 2
    assert mailing.invite(workspace) == 0


def test_what_happened_is_asked_about_once(
    workspace: Workspace, lake: Lake, run: Run, moving: Clock
) -> None:
    ticket = {"opened_at": "2026-05-30T08:00", "user_id": "k1", "account_id": KESTREL}
    write(
        lake.lake,
        "tickets",
        [
            {"ticket_id": "t1", "solved_at": "2026-05-31T10:00", **ticket},
            {"ticket_id": "t2", "solved_at": "2026-05-20T10:00", **ticket},
            {"ticket_id": "t3", "solved_at": "2026-05-31T10:00", **ticket, "is_spam": True},
            {"ticket_id": "t4", "solved_at": None, **ticket},
        ],
    )  # fmt: skip
    survey = run("csat", trigger="ticket_solved")
    for _ in range(2):
        mailing.invite(workspace)
    [invite] = Invite.objects.all()
    assert (invite.person, invite.occasion) == ("k1", "t1")
    loading.load(workspace)
    answering.answer(invite, 5, {}, is_complete=True)
    loading.load(workspace)
    rows = pl.from_arrow(lake.lake.read("survey_responses"))
    assert isinstance(rows, pl.DataFrame)
    [row] = rows.filter(pl.col("survey") == survey.name).to_dicts()
    assert (row["touchpoint"], row["properties"]) == ("support", '{"occasion": "t1"}')


def test_after_onboarding_is_when_a_flow_or_the_account_says_so(
    workspace: Workspace, lake: Lake, run: Run, moving: Clock
) -> None:
    run("ces", trigger="onboarding_done")
    assert invited_after_onboarding(workspace) == []  # no flow yet
    steps = [
        {"name": "Call", "by": "hand"},
        {"name": "Tour", "by": "hand"},
        {"name": "Extra", "by": "hand", "optional": True},
    ]
    for per in ("user", "account"):
        document = {"per": per, "since": "2020-01-01", "steps": steps}
        flowbook.publish(lake, f"Per {per}", document, by="me")
    onboarding.catch_up(lake)

    def tick(per: str, step: str, user: str | None, at: str) -> None:
        done = instant(at)
        flowbook.tick(lake, f"Per {per}", step, KESTREL, user, at=done)
        onboarding.catch_up(lake)

    tick("user", "Call", "k1", "2026-05-20T10:00")
    tick("user", "Extra", "k1", "2026-05-31T10:00")
    tick("user", "Tour", "k2", "2026-05-31T10:00")
    assert invited_after_onboarding(workspace) == []
    tick("user", "Tour", "k1", "2026-05-30T10:00")
    assert invited_after_onboarding(workspace) == ["k1"]
    # Then the account is through, too: its other people are asked, nobody again.
    tick("account", "Call", None, "2026-05-30T10:00")
    tick("account", "Tour", None, "2026-05-31T10:00")
    asked = invited_after_onboarding(workspace)
    assert {"k1", "k2"} <= set(asked)
    assert len(asked) == len(set(asked))
    moving.forward(days=30)
    assert invited_after_onboarding(workspace) == asked


def invited_after_onboarding(workspace: Workspace) -> list[str]:
    for _ in range(2):
        mailing.invite(workspace)
    found = Invite.objects.filter(occasion="onboarding").order_by("person")
    return list(found.values_list("person", flat=True))


def test_answers_are_in_the_lake_once_with_their_last_word(
    workspace: Workspace, lake: Lake, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = run()
    invite = invited(survey, lake)
    loading.load_waiting()
    assert lake.lake.count("survey_invites") == 0  # nobody answered: no job waits
    Client().post(page_of(invite), {"score": "2"})
    # A load that dies after the rows are written is done again.
    monkeypatch.setattr(
        "django.db.models.query.QuerySet.bulk_update",
        lambda *_a, **_k: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        loading.load(workspace)
    monkeypatch.undo()
    # The loader does not wait for the worker, and the worker finds it done.
    loading.load_waiting()
    assert loading.load(workspace) == 0
    answering.answer(invite, 10, {"best": "All"}, is_complete=True)
    assert loading.load(workspace) == 1
    rows = pl.from_arrow(lake.lake.read("survey_responses"))
    assert isinstance(rows, pl.DataFrame)
    [row] = rows.filter(pl.col("survey") == survey.name).to_dicts()
    assert (row["score"], row["comment"], row["user_id"]) == (10.0, "All", "g1")
    assert (row["account_id"], row["wave"], row["channel"]) == (GREEN, "1", "email")


def test_answers_of_today_are_in_the_score(
    workspace: Workspace, lake: Lake, run: Run
) -> None:
    survey = run()
    for user, score in (("k1", 10), ("k2", 9), ("g1", 3), ("k4", 8)):
        answering.answer(invited(survey, lake, user), score, {}, is_complete=True)
    loading.load(workspace)
    lake.roll_up()
    span = results.span_of(30, lake.today)
    assert (span.start, span.end) == (AS_OF - timedelta(29), AS_OF + timedelta(1))
    found = results.score(lake, "nps", survey.name, span.start, span.end)
    assert (found.value, found.n, found.groups) == (25.0, 4, (2, 1, 1))
    # 196 · √((3/4 − (1/4)²) / 4)
    assert found.margin == pytest.approx(81.25, abs=0.01)
    parts = results.parts(lake, "nps", survey.name, "account", span.start, span.end)
    assert {part.name: (part.score.value, part.score.n) for part in parts} == {
        KESTREL: (pytest.approx(200 / 3), 3),
        GREEN: (-100.0, 1),
    }


def test_the_database_keeps_an_invitation_single(lake: Lake, run: Run) -> None:
    """Where rules were looked at side by side, the second invitation is none."""
    invite = invited(run(), lake)
    with pytest.raises(IntegrityError):
        Invite.objects.create(
            survey=invite.survey,
            number=1,
            person=invite.person,
            language="en",
            channel=Channel.PRODUCT,
            invited_at=lake.now,
            asked_on=lake.today,
        )


def test_people_are_believed_by_their_signature_alone(
    workspace: Workspace, lake: Lake, client_of: Callable[..., Client]
) -> None:
    assert not tokens.is_signed(workspace, "k1", "")
    assert not tokens.is_signed(workspace, "k1", "é" * 64)
    other = Workspace(key="other")
    assert tokens.person_secret(workspace) != tokens.person_secret(other)


def test_a_playbook_invites_whom_the_rules_allow(
    workspace: Workspace, lake: Lake, run: Run, admin: Membership
) -> None:
    document = {
        "name": "Ask them",
        "when": {"trigger": "manual"},
        "steps": [{"do": "survey", "survey": "NPS"}],
    }
    playbook = playbooks.add(admin, document)
    with pytest.raises(BadValue, match="asks by mail"):
        playbooks.turn_on(playbook, admin)
    run()
    playbooks.turn_on(playbook, admin)
    answering.unsubscribe(workspace, "k2")
    playbooks.start_for(playbook, admin, [KESTREL])
    for _ in range(2):
        engine.evaluate(workspace)
    # Of five people one left, one is new, and two have no address.
    [mail] = Message.objects.filter(key__startswith="survey:")
    assert (mail.to, mail.account_id) == ("kim@kestrel.example", KESTREL)
    [line] = RunEntry.objects.filter(what="edit")
    assert words.entry(line) == "Invited to “NPS”"


def test_satisfaction_is_a_share_with_its_doubt(
    workspace: Workspace, lake: Lake, run: Run
) -> None:
    survey = run("csat", trigger="schedule")
    for user, score in (("k1", 5), ("k2", 4), ("g1", 2), ("k4", 5)):
        answering.answer(invited(survey, lake, user), score, {}, is_complete=True)
    loading.load(workspace)
    span = results.span_of(30, lake.today)
    found = results.score(lake, "csat", survey.name, span.start, span.end)
    assert (found.value, found.n, found.mean) == (0.75, 4, 4.0)
    # 1.96 · √(3/4 · 1/4 / 4)
    assert found.margin == pytest.approx(0.42435, abs=1e-5)
    counted = queries.distribution(survey, queries.answers(survey, span))
    assert counted == [(1, 0), (2, 1), (3, 0), (4, 1), (5, 2)]
    [low] = queries.answers(survey, span, state="open")
    assert low.person == "g1"
    assert not results.is_change(found, results.Score(0.5, 0.4, 4))
    assert results.is_change(found, results.Score(0.1, 0.1, 4))
