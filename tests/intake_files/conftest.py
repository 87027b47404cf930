"""A lake in memory that keeps the promises an import relies on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from perennial.apps.intake.files import ImportOptions, ImportReport, import_file
from perennial.lake.tables import TABLES


@dataclass(frozen=True)
class Done:
    inserted: int
    updated: int
    unchanged: int


@dataclass
class FakeLake:
    """Tables as dictionaries of rows by key."""

    tables: dict[str, dict[object, dict[str, object]]] = field(default_factory=dict)
    writes: list[tuple[str, int]] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)

    def write(
        self, name: str, rows: pa.Table, *, progress: Mapping[str, int] | None = None
    ) -> Done:
        table = TABLES[name]
        assert rows.schema.equals(table.schema())
        self.writes.append((name, rows.num_rows))
        for app, at in (progress or {}).items():
            if self.reached.get(app, -1) >= at:
                return Done(0, 0, rows.num_rows)
            self.reached[app] = at
        stored = self.tables.setdefault(name, {})
        inserted = updated = 0
        for row in rows.to_pylist():
            key: object = tuple(row[c] for c in table.key) or len(stored)
            known = stored.get(key)
            if known == row or (known is not None and table.insert_only):
                continue
            inserted += known is None
            updated += known is not None
            stored[key] = row
        return Done(inserted, updated, rows.num_rows - inserted - updated)

    def read(self, name: str) -> pa.Table:
        return pa.Table.from_pylist(self.rows(name), schema=TABLES[name].schema())

    def rows(self, name: str) -> list[dict[str, object]]:
        return list(self.tables.get(name, {}).values())


Load = Callable[..., ImportReport]


@pytest.fixture
def lake() -> FakeLake:
    return FakeLake()


@pytest.fixture(scope="session")
def new_lake() -> type[FakeLake]:
    """For tests that need many lakes."""
    return FakeLake


@pytest.fixture
def load(lake: FakeLake, tmp_path: Path) -> Load:
    """Import text or bytes as a file: `load("accounts", "account_id\\nA\\n")`."""

    def run(
        table: str,
        content: str | bytes,
        *,
        name: str = "file.csv",
        progress: Callable[[float], None] | None = None,
        **options: object,
    ) -> ImportReport:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        asked = ImportOptions(**options)  # type: ignore[arg-type]
        return import_file(lake, table, path, asked, progress=progress)

    return run


@pytest.fixture
def data() -> Path:
    """The shared data sets; they are no part of the project."""
    path = Path(__file__).parents[3] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("../shared/data is not there")
    return path
