"""The inbox on PostgreSQL."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from perennial.apps.intake.http import store
from perennial.apps.intake.http.store import DatabaseStore, Row
from perennial.apps.intake.models import Batch, Source, WriteKey, new_key
from perennial.apps.team.models import Workspace
from perennial.config.database import from_url
from tests.apps.intake.http.serving import serving
from tests.postgres import Server, postgres  # noqa: F401 - a fixture

ALIAS = "intake_postgres"


@pytest.fixture
def key(
    postgres: Server,  # noqa: F811
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[WriteKey]:
    like = copy.deepcopy(connections.databases["default"])
    connections.databases[ALIAS] = {**like, **from_url(postgres.migrated())}
    with django_db_blocker.unblock():
        home, _ = Workspace.objects.using(ALIAS).get_or_create(key="default")
        source = Source.objects.using(ALIAS).create(workspace=home, name=new_key())
        yield WriteKey.objects.using(ALIAS).create(source=source)
        connections[ALIAS].close()
    del connections.databases[ALIAS]
    del connections[ALIAS]


def test_rows_arrive_as_they_are(key: WriteKey) -> None:
    own, at = DatabaseStore(ALIAS), datetime(2026, 3, 1, 10, 0, 0, 5, UTC)
    body = bytes(range(256)) * 10
    own.write([Row(key.source_id, "track", at, body)] * 333)
    stored = Batch.objects.using(ALIAS).all()
    assert {(bytes(b.body), b.size, b.received_at, b.call) for b in stored} == {
        (body, len(body), at, "track")
    }
    assert own.backlog() == len(stored) == 333
    assert own.keys()[key.key] == key.source_id


def test_all_or_nothing(key: WriteKey) -> None:
    own, at = DatabaseStore(ALIAS), datetime.now(UTC)
    with pytest.raises(IntegrityError):
        own.write(
            [Row(source, "track", at, b"{}") for source in (key.source_id, 2**40)]
        )
    assert own.backlog() == 0
    own.write([Row(key.source_id, "track", at, b"{}")])
    assert own.backlog() == 1


def test_a_locked_table_is_told(key: WriteKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOCK_WAIT_MS", 300)
    with serving(DatabaseStore(ALIAS)) as app:
        with transaction.atomic(ALIAS), connections[ALIAS].cursor() as cursor:
            cursor.execute("LOCK TABLE intake_batch IN EXCLUSIVE MODE")
            assert app.post(key=key.key).status == 503
        assert app.post(key=key.key).status == 200
