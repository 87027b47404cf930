"""One import, from a path to a report."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from perennial.apps.intake.files import surveys
from perennial.apps.intake.files.columns import Plan, fact_table
from perennial.apps.intake.files.columns import plan as make_plan
from perennial.apps.intake.files.convert import REFUSED, Converter
from perennial.apps.intake.files.formats import Subject, recognize_formats
from perennial.apps.intake.files.given import Formats
from perennial.apps.intake.files.journal import Journal, Tally, import_id
from perennial.apps.intake.files.model import (
    ImportOptions,
    ImportReport,
    LakeWriter,
    Progress,
    Written,
)
from perennial.apps.intake.files.opened import open_source
from perennial.apps.intake.files.properties import plain_types
from perennial.apps.intake.files.repeats import Ledger
from perennial.apps.intake.files.rules import Reason, rules
from perennial.apps.intake.files.sources import MEMORY, Batch, Malformed, Source
from perennial.apps.intake.files.statement import Statement, has_own_key
from perennial.apps.intake.files.stream import Bytes
from perennial.apps.intake.files.where import Filter
from perennial.lake.duck import connect_apart

_SAMPLE_ROWS = 10
#: Times further ahead than ten years are mistakes.
_AHEAD = timedelta(days=3653)


def import_file(
    lake: LakeWriter,
    table: str,
    path: Path,
    options: ImportOptions,
    *,
    progress: Progress | None = None,
) -> ImportReport:
    """Load a file into a fact table ("auto": the one its columns fit).

    The same file twice changes nothing. Rows that cannot be taken go to `rejects`
    with their number and reason; the others are loaded. Raises `BadValue` where the
    file as a whole cannot be read as asked, before anything is loaded.
    """
    source = open_source(path, options)
    table, options = surveys.completed(table, source.columns, options)
    target = fact_table(table, source.columns, options, file_name=path.stem)
    plan = make_plan(target, source.columns, options)
    digest = Bytes.of(path).digest()
    id_ = import_id(digest, target.name, options)
    journal = Journal(
        lake, id_=id_, table=target.name, file_name=path.name, digest=digest
    )
    if target.name == surveys.TABLE:
        lake = surveys.KnowingPeople(lake)
    load = Load(lake, source, plan, options, journal, progress or (lambda share: None))
    if journal.is_finished and not target.key:
        load.repeat()
    else:
        with closing(connect_apart(memory_limit=MEMORY)) as duck:
            load.run(duck)
    return load.report(path.name, id_)


@dataclass
class Load:
    """The steps of one import and what they find."""

    lake: LakeWriter
    source: Source
    plan: Plan
    options: ImportOptions
    journal: Journal
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    recognized: dict[str, str] = field(default_factory=dict)
    sample: tuple[dict[str, object], ...] = ()
    _writing: Future[Written] | None = None

    def report(self, file_name: str, id_: str) -> ImportReport:
        return ImportReport(
            table=self.plan.table.name,
            file=file_name,
            import_id=id_,
            rows=self.tally.rows,
            loaded=self.tally.loaded,
            unchanged=self.tally.unchanged,
            rejected=self.tally.rejected,
            reasons=dict(self.tally.reasons),
            sentences=self.tally.sentences(),
            mapping=self.plan.labels,
            recognized=self.recognized,
            sample=self.sample,
            dry_run=self.options.dry_run,
        )

    def repeat(self) -> None:
        """A table without a key has this file already."""
        assert self.journal.known is not None
        before = self.journal.known.tally
        known = before.loaded + before.unchanged
        self.tally = Tally(unchanged=known, reasons=before.reasons)
        self.progress(1.0)

    def run(self, duck: duckdb.DuckDBPyConnection) -> None:
        duck.execute("SET preserve_insertion_order = true")
        is_first = self.plan.table.insert_only
        converter = self._converter(duck)
        ledger = Ledger(duck, keep_first=is_first)
        has_ledger = has_own_key(self.plan)
        # Where the last row of a key counts, all keys are read before one is written.
        passes = 2 if has_ledger and not is_first else 1
        ready = self._read_keys(converter, ledger) if passes == 2 else None
        if not self.options.dry_run:
            self.journal.start()
        batches = [ready] if ready is not None else self.source.batches()
        with ThreadPoolExecutor(1) as writer:  # of one batch while the next is read
            for number, batch in enumerate(batches, start=1):
                if ready is None:
                    converter.convert(batch)
                if has_ledger and passes == 1:
                    ledger.add()
                if has_ledger:
                    self.tally.unchanged += ledger.find()
                self._take(number, batch, converter, writer)
                self.progress((passes - 1 + batch.done) / passes)
            self._settle()
        if not self.options.dry_run:
            self.journal.finish(self.tally)
        self.progress(1.0)

    def _read_keys(self, converter: Converter, ledger: Ledger) -> Batch | None:
        """Fill the ledger; the batch, still converted, where the file is but one."""
        count, batch = 0, None
        for batch in self.source.batches():
            converter.convert(batch)
            ledger.add()
            self.progress(batch.done / 2)
            count += 1
        return batch if count == 1 else None

    def _take(
        self, number: int, batch: Batch, converter: Converter, writer: Executor
    ) -> None:
        """Write the rows of a batch, good and bad; the good ones by `writer`."""
        parts = [_malformed(batch.malformed), converter.refused(), converter.repeated()]
        refused = pa.concat_tables(parts).sort_by("row_number")
        self.tally.refuse(refused)
        good = converter.good()
        if len(self.sample) < _SAMPLE_ROWS and self.options.dry_run:
            more = good.slice(0, _SAMPLE_ROWS - len(self.sample)).to_pylist()
            self.sample += tuple(more)
        if self.options.dry_run:
            self.tally.loaded += good.num_rows
            return
        if refused.num_rows:
            self.journal.reject(refused)
        if good.num_rows:
            # Without a key, only the progress tells a resumed import what is there.
            done = None if self.plan.table.key else {self.journal.name: number}
            self._settle()
            name = self.plan.table.name
            self._writing = writer.submit(self.lake.write, name, good, progress=done)

    def _settle(self) -> None:
        """Wait for what is being written, and count it."""
        if self._writing is None:
            return
        written = self._writing.result()
        self._writing = None
        self.tally.loaded += written.inserted + written.updated
        self.tally.unchanged += written.unchanged

    def _converter(self, duck: duckdb.DuckDBPyConnection) -> Converter:
        columns = self.source.columns
        condition = Filter(self.options.where, columns) if self.options.where else None
        batches = self.source.batches()
        first = next(batches, None)
        heads = [first] if first is not None else []
        formats = recognize_formats(
            duck,
            itertools.chain(heads, batches),
            numbers=[
                *self._subjects("int", "float", "money"),
                *_compared(condition, "number"),
            ],
            dates=[*self._subjects("date", "timestamp"), *_compared(condition, "time")],
            options=self.options,
        )
        self.recognized = self._recognized(formats)
        plain = plain_types(first.rows, self.plan.extras) if first else None
        zone = self.options.timezone
        latest = datetime.now(UTC) + _AHEAD
        statement = Statement(
            self.plan,
            columns,
            rules(self.plan.table, self.plan.bindings, latest=latest),
            formats,
            zone,
            where=condition.sql(formats, zone) if condition else None,
            plain=plain or frozenset(),
        )
        return Converter(duck, statement)

    def _subjects(self, *types: str) -> list[Subject]:
        return [
            Subject(binding.label, binding.given)
            for binding in self.plan.bindings.values()
            if binding.column.type in types and not binding.is_constant
        ]

    def _recognized(self, formats: Formats) -> dict[str, str]:
        found = dict(self.source.recognized)
        for subject in self._subjects("date", "timestamp"):
            if subject.given.sql in formats and subject.given.kind != "instant":
                found[f"dates in {subject.label}"] = formats[subject.given.sql].date
        if any(form.decimal == "," for form in formats.values()):
            found["decimal"] = ","
        return found


def _compared(condition: Filter | None, type_: str) -> list[Subject]:
    comparisons = condition.comparisons if condition else []
    return [Subject(c.label, c.given) for c in comparisons if c.type == type_]


def _malformed(rows: list[Malformed]) -> pa.Table:
    columns = {
        "row_number": [bad.row for bad in rows],
        "code": [Reason.MALFORMED_ROW.value] * len(rows),
        "reason": [bad.sentence for bad in rows],
        "payload": [json.dumps({"line": bad.text}) for bad in rows],
    }
    return pa.table(columns, schema=REFUSED)
