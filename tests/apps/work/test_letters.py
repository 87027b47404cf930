"""E-mails of playbooks in the reader's language."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import QueryDict

from perennial.apps.customers import edit_actions
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work.models import Message
from perennial.apps.work.playbooks import editor, engine
from perennial.apps.work.playbooks.document import EmailStep
from perennial.apps.work.playbooks.reading import read
from perennial.core.errors import BadValue
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import KESTREL, SILENT
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.apps.work.test_engine import on
from tests.builders import write

MAIL: dict[str, Any] = {
    "do": "email", "to": "contact", "subject": "Hello {account}", "text": "x",
    "languages": {
        "de": {"subject": "Guten Tag {account}", "text": "y"},
        "sv": {"subject": "Hej {account}", "text": "z"},
    },
}  # fmt: skip


def user(lake: Lake, user_id: str, **traits: str) -> None:
    told = {"user_id": user_id, "email": f"{user_id}@k.example"}
    write(lake.lake, "users", [{**told, "properties": json.dumps(traits)}])


@pytest.mark.parametrize(
    ("traits", "account", "subject"),
    [
        ({"language": "de"}, "", "Guten Tag"),
        ({"locale": "sv_SE"}, "de", "Hej"),
        ({"locale": "DE-at"}, "", "Guten Tag"),
        ({}, "sv", "Hej"),
        ({"language": "fr"}, "sv", "Hello"),
        ({}, "", "Hello"),
        ({"language": "", "locale": "de"}, "", "Guten Tag"),
    ],
)
def test_the_contact_s_language_the_account_s_or_the_mail_itself(
    traits: dict[str, str],
    account: str,
    subject: str,
    workspace: Workspace,
    lake: Lake,
    admin: Membership,
    moving: Clock,
) -> None:
    user(lake, "k1", **traits)
    if account:
        edit_actions.apply_values(workspace, None, "language", {KESTREL: account})
    on(admin, MAIL)
    engine.evaluate(workspace)
    found = Message.objects.get(account_id=KESTREL)
    assert (found.to, found.subject) == ("k1@k.example", f"{subject} Kestrel & Sons")
    other = Message.objects.get(account_id=SILENT)
    assert other.subject.startswith("Hello")


def test_the_owner_s_own_language(
    workspace: Workspace, lake: Lake, admin: Membership, moving: Clock, cast: Cast
) -> None:
    cast.owner.language = "sv"
    cast.owner.save()
    on(admin, {**MAIL, "to": "owner"})
    engine.evaluate(workspace)
    assert Message.objects.get(account_id=KESTREL).subject.startswith("Hej")


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ([], "must be a mapping"),
        ({"deu": {"subject": "a", "text": "b"}}, "two letters"),
        ({"de": "Hallo"}, "subject and text"),
        ({"de": {"subject": "a"}}, "text"),
        ({"de": {"subject": "a", "text": "b", "to": "c"}}, "to"),
    ],
)
def test_what_is_no_language_is_refused(languages: object, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        read({"name": "x", "steps": [{**MAIL, "languages": languages}]})


def test_a_language_is_added_changed_and_taken_away_on_screen() -> None:
    plain = {name: value for name, value in MAIL.items() if name != "languages"}
    steps: list[Any] = [{"do": "task", "title": "Call"}, plain]

    def press(language: str, subject: str, text: str) -> None:
        sent = QueryDict(mutable=True)
        sent.update({"do": "add_letter", "letter_of": "2", "letter_language": language})
        sent.update({"letter_subject": subject, "letter_text": text})
        editor._press(sent, steps)

    press("de", "Hallo", "eins")
    press("sv", "Hej", "ett")
    press("de", "Guten Tag", "zwei")
    book = read({"name": "x", "steps": steps})
    mail = book.steps[1]
    assert isinstance(mail, EmailStep)
    assert mail.letter("de").text == "zwei"
    assert {letter.language for letter in mail.letters} == {"de", "sv"}
    assert editor.emails(book) == [("2", "Hello {account}")]
    press("de", "", "")
    press("sv", " ", "")
    assert "languages" not in steps[1]
    with pytest.raises(BadValue):
        editor._press(QueryDict("do=add_letter&letter_of=1"), steps)
