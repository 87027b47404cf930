from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from perennial.apps.intake.models import Batch, Source
from perennial.apps.intake.stream import loader
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.duck import connect
from perennial.lake.refresh import Refreshed, roll_up

#: When the server got what tests send, unless they say otherwise.
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

JSON = dict[str, Any]


@dataclass
class Intake:
    """A source, and what it sent: `send` puts requests into the inbox."""

    workspace: Workspace
    source: Source
    loaded: loader.Loaded = field(default_factory=loader.Loaded)

    def send(
        self,
        *calls: JSON,
        at: datetime = NOW,
        source: Source | None = None,
        **batch: Any,
    ) -> None:
        body = json.dumps({"batch": calls, **batch}).encode()
        self.put("batch", body, at=at, source=source)

    def put(
        self,
        call: str,
        body: bytes,
        *,
        at: datetime = NOW,
        source: Source | None = None,
    ) -> None:
        Batch.objects.create(
            source=source or self.source,
            call=call,
            received_at=at,
            body=body,
            size=len(body),
        )

    def load(self) -> loader.Loaded:
        loaded = loader.drain(self.workspace)
        self.loaded += loaded
        return loaded

    def rows(self, table: str) -> list[JSON]:
        lake = lake_of(self.workspace).lake
        with connect() as duck:
            order = {"events": "timestamp, event_id", "rejects": "row_number"}
            rows = duck.sql(
                f"FROM {lake.source(table)} ORDER BY {order.get(table, 'ALL')}"
            )
            found: list[JSON] = rows.to_arrow_table().to_pylist()
            return found

    def events(self) -> list[JSON]:
        return self.rows("events")

    def event(self) -> JSON:
        [event] = self.events()
        return event

    def reasons(self) -> list[str]:
        return [row["code"] for row in self.rows("rejects")]

    def roll_up(self) -> None:
        roll_up(lake_of(self.workspace), Refreshed())


@pytest.fixture
def intake(workspace: Workspace) -> Intake:
    source = Source.objects.create(workspace=workspace, name="Web")
    loader._seen.clear()
    return Intake(workspace, source)


Track = Callable[..., JSON]


@pytest.fixture
def track() -> Track:
    def make(event: str = "Report opened", **rest: Any) -> JSON:
        return {"type": "track", "event": event, "userId": "u1", **rest}

    return make
