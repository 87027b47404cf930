"""Which keys a table may already hold, told without reading the table.

An event is accepted once for ever, so each load asks for each of its keys whether
it is stored. The answer is kept beside the table as sorted 64-bit hashes in a few
files that are mapped into memory. It is derived from the table's files and says
which of them it has read: what it lacks it reads before it answers, so that a
writer that died, a compaction, a restored lake and a deleted index are all the
same to it. It may say yes to a key that is not stored, never no to one that is;
the table has the last word on every yes.

Use it under the table's lock.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import duckdb
import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.uint64]

#: The lowest bits of an entry say in which month its row lies, the rest is the hash.
_MONTH_BITS = np.uint64(1023)
#: Parts are not put together beyond this: bounds memory. Entries of 8 bytes.
_MOST = 32_000_000
#: More entries than rows by this, and rows that are gone weigh too much.
_SLACK = 1_000_000
_MANIFEST = "manifest.json"
#: Parts this process has read once and found whole.
_whole: set[str] = set()


@dataclass(frozen=True)
class _Part:
    """One file of sorted entries."""

    name: str
    count: int
    checksum: int


class Seen:
    """The hashes of a table's keys, in `folder`.

    `read` gives SQL of the rows in some of the table's files.
    """

    def __init__(
        self, folder: Path, key: Sequence[str], read: Callable[[Sequence[str]], str]
    ) -> None:
        # What DuckDB's hash says holds for one version of it.
        self._folder = folder / f"duckdb-{duckdb.__version__}"
        self._hash = "hash(" + ", ".join(f'"{name}"' for name in key) + ")"
        self._read = read
        self._parts: list[_Part] = []
        self._files: set[str] = set()
        self._changed = False

    def months(
        self,
        duck: duckdb.DuckDBPyConnection,
        rows: str,
        files: Mapping[str, Sequence[str]],
    ) -> set[str]:
        """The months that may hold rows with the keys of `rows`, a relation.

        `files` are all the files of the table by month.
        """
        self._open()
        self._cover(duck, files)
        asked = _hashes(duck, f"SELECT {self._hash} FROM {rows}") & ~_MONTH_BITS
        asked.sort()
        codes: set[int] = set()
        for part in self._parts:
            codes |= _codes(self._entries(part), asked)
        return {month for month in files if _code(month) in codes}

    # Keeping up with the table

    def _cover(
        self, duck: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[str]]
    ) -> None:
        """Read what was not read yet."""
        live = {_name(file) for some in files.values() for file in some}
        for month, some in files.items():
            fresh = [file for file in some if _name(file) not in self._files]
            if fresh:
                query = f"SELECT {self._hash} FROM {self._read(fresh)}"
                entries = _hashes(duck, query) & ~_MONTH_BITS | np.uint64(_code(month))
                self._add(entries)
                self._files |= {_name(file) for file in fresh}
        if self._changed:
            self._files &= live
            self._save()

    def _add(self, entries: Hashes) -> None:
        """A new part, put together with those that are not much larger."""
        self._changed = True
        entries.sort()
        while self._parts:
            last = self._parts[-1]
            if last.count > 2 * len(entries) or last.count + len(entries) > _MOST:
                break
            # Two sorted runs: a stable sort only merges them.
            entries = np.concatenate([self._entries(last), entries])
            entries.sort(kind="stable")
            self._parts.pop()
        self._parts.append(self._write(_distinct(entries)))

    def _write(self, entries: Hashes) -> _Part:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = _Part(f"{uuid4().hex}.u64", len(entries), _checksum(entries))
        with (self._folder / part.name).open("wb") as file:
            entries.tofile(file)
            os.fsync(file.fileno())
        _whole.add(part.name)
        return part

    def _entries(self, part: _Part) -> Hashes:
        if not part.count:
            return np.empty(0, np.uint64)
        return np.memmap(self._folder / part.name, np.uint64, "r", shape=part.count)

    # The manifest: the parts that count, and the files they were made of

    def _open(self) -> None:
        """Read the manifest; what is missing or damaged is made anew."""
        try:
            told = json.loads((self._folder / _MANIFEST).read_bytes())
            self._parts = [_Part(**part) for part in told["parts"]]
            self._files = set(told["files"])
            for part in self._parts:
                self._check(part)
        except (OSError, ValueError, KeyError, TypeError):
            self._forget()

    def _check(self, part: _Part) -> None:
        size = (self._folder / part.name).stat().st_size
        if size != 8 * part.count:
            raise ValueError(f"{part.name} has {size} bytes")
        if part.name not in _whole:
            if _checksum(self._entries(part)) != part.checksum:
                raise ValueError(f"{part.name} is damaged")
            _whole.add(part.name)

    def _forget(self) -> None:
        self._parts, self._files = [], set()
        shutil.rmtree(self._folder.parent, ignore_errors=True)

    def _save(self) -> None:
        told = {
            "parts": [asdict(part) for part in self._parts],
            "files": sorted(self._files),
        }
        fresh = self._folder / f"{_MANIFEST}.new"
        fresh.write_text(json.dumps(told))
        fresh.replace(self._folder / _MANIFEST)
        self._changed = False
        kept = {_MANIFEST, *(part.name for part in self._parts)}
        for file in self._folder.iterdir():
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def drop_if_stale(self, rows: int) -> bool:
        """Throw the index away where many of its keys are stored no more."""
        self._open()
        stale = sum(part.count for part in self._parts) > rows * 1.5 + _SLACK
        if stale:
            self._forget()
        return stale


def _hashes(duck: duckdb.DuckDBPyConnection, query: str) -> Hashes:
    column = duck.sql(query).to_arrow_table().column(0)
    return np.asarray(column.to_numpy(), np.uint64)


def _codes(entries: Hashes, asked: Hashes) -> set[int]:
    """Codes of the months of those entries that are asked for; both are sorted."""
    if not len(entries) or not len(asked):
        return set()
    codes: set[int] = set()
    at = np.searchsorted(entries, asked)
    while len(at):  # more than once only where a hash has several months
        inside = at < len(entries)
        at, asked = at[inside], asked[inside]
        found = entries[at]
        hit = (found & ~_MONTH_BITS) == asked
        codes |= {int(code) for code in np.unique(found[hit] & _MONTH_BITS)}
        at, asked = at[hit] + 1, asked[hit]
    return codes


def _distinct(entries: Hashes) -> Hashes:
    """Sorted entries without repetition."""
    if len(entries) < 2:
        return entries
    first = np.concatenate([[True], entries[1:] != entries[:-1]])
    return entries if first.all() else entries[first]


def _code(month: str) -> int:
    """A month like "2026-11" as a number of ten bits; months may share one."""
    return zlib.crc32(month.encode()) & int(_MONTH_BITS)


def _checksum(entries: Hashes) -> int:
    return zlib.crc32(entries.data.cast("B")) if len(entries) else 0


def _name(file: str) -> str:
    """What tells a file of a table from every other: its last part has a UUID."""
    return file.rsplit("/", 1)[-1]
