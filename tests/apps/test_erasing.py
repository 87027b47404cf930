"""Erasing, in the database: what is theirs goes, mentions are redacted, others stay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models

from perennial.apps.customers import note_actions
from perennial.apps.customers.models import Attachment, Contact, Note
from perennial.apps.customers.note_actions import Said
from perennial.apps.team.actions import create_workspace, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry
from perennial.apps.work.models import Alert, Message, Notice, Task
from perennial.config import erasing, freeing
from tests.apps.customers.company import GREEN, KESTREL, SILENT
from tests.apps.customers.folder import built, own  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast, cast, people  # noqa: F401 - fixture
from tests.postgres import Server, on_postgres, postgres  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)

#: Columns of people and accounts by name, which are of the team or of nobody.
NOT_THEIRS = {
    "owner_email": "an owner is of the team",
    "customer_owner": "words; a mention in them is redacted",
}


@pytest.fixture(autouse=True)
def _in_the_folder(own: Path) -> None:  # noqa: F811
    """Everything here writes."""


def quiet(_share: float, _what: str) -> None:
    """Nobody looks at the progress."""


def noted(cast: Cast, account_id: str, body: str) -> Note:  # noqa: F811
    said = Said("call", body, lake_of(cast.workspace).now)
    file = SimpleUploadedFile("plan.txt", b"the plan")
    by = cast.membership(cast.owner)
    return note_actions.write_note(by, account_id, said, files=[file], key=uuid4())


def know(cast: Cast, user: str, address: str) -> None:  # noqa: F811
    """A contact of Kestrel, a mail to them, and what others wrote of them."""
    workspace, now = cast.workspace, lake_of(cast.workspace).now
    Contact.objects.create(workspace=workspace, account_id=KESTREL, user_id=user, email=address, since=now)  # fmt: skip
    for to in (address.upper(), "other@x.example"):
        Message.objects.create(workspace=workspace, key=to, to=to, subject="Hello", text=f"For {address}")  # fmt: skip
    Task.objects.create(workspace=workspace, title="Ring", account_id=GREEN, description=f"Ask {address} first", checklist=[{"text": f"cc {address}", "done": False}])  # fmt: skip
    record(workspace, cast.owner, "contact.added", user, account=KESTREL)


def test_a_person_goes_and_what_others_wrote_is_redacted(cast: Cast) -> None:  # noqa: F811
    know(cast, "k1", "kim@kestrel.example")
    other = create_workspace("other")
    Contact.objects.create(workspace=other, account_id="x", user_id="k1", since=lake_of(other).now)  # fmt: skip
    subject = erasing.subject_of(cast.workspace, user="k1")
    assert subject.addresses == {"kim@kestrel.example"}, (
        "the team knows it, the lake not"
    )
    found = {row["place"]: row["rows"] for row in erasing.rows(cast.workspace, subject)}
    assert found["customers.Contact"] == 1
    assert found["work.Message"] == 2
    gone = erasing.erase(cast.workspace, subject, quiet)
    assert {row["place"] for row in gone} == found.keys()
    assert not [row for row in gone if row["left"]]
    assert [c.workspace for c in Contact.objects.all()] == [other]
    [message] = Message.objects.all()
    assert (message.to, message.text) == ("other@x.example", "For [erased]")
    task = Task.objects.get()
    assert task.description == "Ask [erased] first"
    assert task.checklist == [{"text": "cc [erased]", "done": False}]
    entry = AuditEntry.objects.get(verb="contact.added")
    assert (entry.target, entry.details) == ("[erased]", {"account": KESTREL})
    last = AuditEntry.objects.latest("pk")
    assert (last.verb, last.target) == ("customer.erased", "[erased]")
    assert erasing.rows(cast.workspace, subject) == []


def test_nothing_is_left_on_the_disk_of_postgresql(
    on_postgres: str,  # noqa: F811
    postgres: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    team, address = people(), "kim@kestrel.example"
    know(team, "k1", address)
    monkeypatch.setattr(freeing, "PATIENCE_S", 0)
    subject = erasing.subject_of(team.workspace, user="k1")
    with psycopg.connect(on_postgres) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT 1")  # since now it sees all that is here
        gone = erasing.erase(team.workspace, subject, quiet)
        assert [(row["place"], row["left"]) for row in gone if row["left"]] == [
            ("postgresql.transactions", 1)
        ]
        assert erasing.rows(team.workspace, subject) == []
        assert on_disk(postgres, address)
    assert freeing.free(subject.addresses) == Counter()
    assert not on_disk(postgres, address)
    assert {m.text for m in Message.objects.all()} == {"For [erased]"}


def on_disk(server: Server, address: str) -> list[str]:
    """Files of the database with the address in them, whatever its case."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        folder = server.folder / "data" / "base" / str(cursor.fetchone()[0])
    files = [path for path in folder.iterdir() if path.is_file()]
    return [f.name for f in files if address.encode() in f.read_bytes().lower()]


def test_an_account_goes_with_its_files(cast: Cast, own: Path) -> None:  # noqa: F811
    now = lake_of(cast.workspace).now
    for account in (KESTREL, SILENT):
        noted(cast, account, "They asked twice.")
        Alert.objects.create(workspace=cast.workspace, account_id=account, rule="no_usage", priority=1, opened_on=now.date(), opened_at=now)  # fmt: skip
        Notice.objects.create(workspace=cast.workspace, user=cast.owner, what="alert", key=account, account_id=account, at=now)  # fmt: skip
    record(cast.workspace, cast.owner, "account.merged", "x", into=KESTREL)
    kept = Attachment.objects.get(note__account_id=SILENT)
    subject = erasing.subject_of(cast.workspace, account=KESTREL)
    assert {"k1", "k2"} <= subject.users
    gone = erasing.erase(cast.workspace, subject, quiet)
    assert not [row for row in gone if row["left"]]
    places = {row["place"] for row in gone}
    assert places >= {
        "customers.Note",
        "customers.Attachment",
        "work.Alert",
        "lake.events",
    }
    assert [n.account_id for n in Note.objects.all()] == [SILENT]
    assert [a.account_id for a in Alert.objects.all()] == [SILENT]
    files = [path.name for path in (own / "media").rglob("*") if path.is_file()]
    assert files == [kept.key.hex]
    assert AuditEntry.objects.get(verb="account.merged").details == {"into": "[erased]"}
    assert (
        SILENT
        in lake_of(cast.workspace).lake.read("accounts")["account_id"].to_pylist()
    )


def test_every_column_of_people_and_accounts_is_known() -> None:
    """One that is new is erased, or it says here why it is not theirs."""
    known = {*erasing._USER, *erasing._ACCOUNT, *erasing._ADDRESS, *NOT_THEIRS}
    odd = Counter(
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.label not in erasing._OURS and erasing._way_to_workspace(model)
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and any(
            word in field.name
            for word in ("user", "person", "account", "mail", "customer")
        )
        and field.name not in known
    )
    assert not odd
