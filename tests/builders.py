"""Small lakes for tests: write the facts a test is about, ask, compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from perennial.core.settings import JSON
from perennial.lake import refresh, settings_store
from perennial.lake.store import Lake, Written
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace


def clock(now: datetime) -> type[datetime]:
    """A clock that stands still."""

    class Still(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Still:
            return cls.fromtimestamp(now.timestamp(), tz or UTC)

    return Still


def instant(text: str) -> datetime:
    """An ISO 8601 instant; without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def write(lake: Lake, table: str, rows: Sequence[Mapping[str, Any]]) -> Written:
    """Write rows given as mappings; text is read as the column's type."""
    schema = TABLES[table].schema()
    columns = {
        field.name: pa.array(
            [_value(row.get(field.name), field.type) for row in rows], type=field.type
        )
        for field in schema
    }
    for row in rows:
        assert set(row) <= set(schema.names), set(row) - set(schema.names)
    return lake.write(table, pa.table(columns, schema=schema))


def _value(value: Any, type_: pa.DataType) -> Any:
    if not isinstance(value, str):
        return value
    if pa.types.is_timestamp(type_):
        return instant(value)
    if pa.types.is_date(type_):
        return date.fromisoformat(value)
    return value


class Case:
    """A workspace in a folder of its own, at a fixed instant."""

    def __init__(
        self, path: Path, *, now: str = "2026-06-01T06:00", **settings: JSON
    ) -> None:
        self.lake = Lake(path)
        at = instant(now)
        self.workspace = Workspace(self.lake, clock=clock(at))
        if settings:
            settings_store.change(self.lake, settings, by="test", at=at)
        self._events = 0

    def at(self, now: str) -> None:
        """Let the clock stand at another instant."""
        self.workspace = Workspace(self.lake, clock=clock(instant(now)))

    def facts(self, table: str, *rows: Mapping[str, Any]) -> Written:
        return write(self.lake, table, rows)

    def events(self, *rows: tuple[str, str | None, str] | tuple[str, ...]) -> Written:
        """Events as (user, account, timestamp[, name[, event_id]])."""
        written = []
        for row in rows:
            user, account, at, *rest = row
            self._events += 1
            written.append(
                {
                    "event_id": rest[1] if len(rest) > 1 else f"e{self._events}",
                    "event": rest[0] if rest else "Report Viewed",
                    "timestamp": at,
                    "received_at": at,
                    "user_id": user,
                    "account_id": account,
                }
            )
        return self.facts("events", *written)

    def roll_up(self) -> refresh.Refreshed:
        """All that metrics need; health takes a second more."""
        return self.workspace.roll_up()

    def refresh(self, **asked: Any) -> None:
        self.workspace.refresh(**asked)

    def value(self, key: str, **asked: Any) -> float | None:
        return self.workspace.metric(key, **asked).value

    def by(self, key: str, dimension: str, **asked: Any) -> dict[Any, float | None]:
        """Value by group of a question with one period."""
        rows = self.workspace.metric(key, by=[dimension], **asked).to_dicts()
        return {row[dimension]: row["value"] for row in rows}

    def table(self, name: str) -> list[dict[str, Any]]:
        return self.lake.read(name).to_pylist()
