"""What an import leaves behind besides its rows: rejects, and its own record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from perennial.apps.intake.files.model import ImportOptions, LakeWriter
from perennial.apps.intake.files.rules import Reason
from perennial.core import ids
from perennial.lake.tables import TABLES


def import_id(digest: str, table: str, options: ImportOptions) -> str:
    """The same file, table, mapping, constants and filter: the same import."""
    asked = json.dumps(
        [sorted(options.mapping.items()), sorted(options.constants.items())]
    )
    return ids.digest(digest, table, asked, options.where or "")


@dataclass
class Tally:
    """Rows counted so far; `firsts` keeps the first example of each reason."""

    loaded: int = 0
    unchanged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        return self.reasons.total()

    @property
    def rows(self) -> int:
        return self.loaded + self.unchanged + self.rejected

    def refuse(self, rows: pa.Table) -> None:
        """Count refused rows, which come in the order of the file."""
        for found in pc.value_counts(rows["code"]).to_pylist():
            self.reasons[found["values"]] += found["counts"]
            if found["values"] not in self.firsts:
                first = rows.slice(pc.index(rows["code"], found["values"]).as_py(), 1)
                row = first.to_pylist()[0]
                self.firsts[row["code"]] = (row["row_number"], row["reason"])

    def sentences(self) -> tuple[str, ...]:
        """One a reason, most frequent first, with an example."""
        return tuple(
            f"{count} {'row' if count == 1 else 'rows'}: {Reason(code).about}"
            + self._example(code)
            for code, count in self.reasons.most_common()
        )

    def _example(self, code: str) -> str:
        if code not in self.firsts:
            return ""
        row, sentence = self.firsts[code]
        return f" (first in row {row}: {sentence})"


@dataclass(frozen=True)
class Record:
    """An import as `imports` has it."""

    started_at: datetime
    finished_at: datetime | None
    tally: Tally


class Journal:
    """Writes the rejects and the record of one import."""

    def __init__(
        self,
        lake: LakeWriter,
        *,
        id_: str,
        table: str,
        file_name: str,
        digest: str,
    ) -> None:
        self._lake = lake
        self._id = id_
        self._table = table
        self._file_name = file_name
        self._source = f"{file_name} {digest[:12]}"
        self.known = self._read()
        now = datetime.now(UTC)
        # The first run's time: a second run must not change what it left.
        self._started_at = self.known.started_at if self.known else now

    @property
    def name(self) -> str:
        """The name under which progress is committed with rows."""
        return f"import:{self._id}"

    @property
    def is_finished(self) -> bool:
        return self.known is not None and self.known.finished_at is not None

    def _read(self) -> Record | None:
        imports = self._lake.read("imports")
        rows = imports.filter(pc.equal(imports["import_id"], self._id)).to_pylist()
        if not rows:
            return None
        row = rows[-1]
        reasons: Mapping[str, int] = json.loads(row["reasons"] or "{}")
        tally = Tally(row["loaded"] or 0, row["unchanged"] or 0, Counter(reasons))
        return Record(row["started_at"], row["finished_at"], tally)

    def reject(self, rows: pa.Table) -> None:
        schema = TABLES["rejects"].schema()
        constants = {
            "source": self._source,
            "table_name": self._table,
            "rejected_at": self._started_at,
        }
        columns = {
            field.name: rows[field.name]
            if field.name in rows.column_names
            else pa.repeat(pa.scalar(constants[field.name], field.type), len(rows))
            for field in schema
        }
        self._lake.write("rejects", pa.table(columns, schema=schema))

    def start(self) -> None:
        if self.known is None:
            self._write(Tally(), finished_at=None)

    def finish(self, tally: Tally) -> None:
        """Record the result, unless a finished import was only repeated."""
        if not self.is_finished or tally.loaded:
            self._write(tally, finished_at=datetime.now(UTC))

    def _write(self, tally: Tally, *, finished_at: datetime | None) -> None:
        row = {
            "import_id": self._id,
            "table_name": self._table,
            "file_name": self._file_name,
            "started_at": self._started_at,
            "finished_at": finished_at,
            "rows": tally.rows,
            "loaded": tally.loaded,
            "unchanged": tally.unchanged,
            "rejected": tally.rejected,
            "reasons": json.dumps(dict(sorted(tally.reasons.items()))),
        }
        rows = pa.Table.from_pylist([row], schema=TABLES["imports"].schema())
        self._lake.write("imports", rows)
