"""The store: writes by key, once; readable at every moment, whatever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.core.errors import PerennialError, UnknownName
from perennial.lake import store, tables
from perennial.lake.duck import connect
from perennial.lake.store import Lake, Written
from perennial.lake.stored import VersionGone
from perennial.lake.tables import TABLES, Column
from tests.builders import instant, write


def accounts(lake: Lake, *rows: tuple[str, str | None]) -> Written:
    return write(lake, "accounts", [{"account_id": a, "name": n} for a, n in rows])


def names(lake: Lake) -> dict[str, str | None]:
    return {row["account_id"]: row["name"] for row in lake.read("accounts").to_pylist()}


def test_rows_are_replaced_by_key(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert accounts(lake, ("a", "A"), ("b", None)) == Written(inserted=2)
    assert accounts(lake, ("a", "A"), ("b", None)) == Written(unchanged=2)
    assert accounts(lake, ("a", "AA"), ("c", None)) == Written(inserted=1, updated=1)
    assert names(lake) == {"a": "AA", "b": None, "c": None}
    assert lake.count("accounts") == 3


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "our data, once")
    write(lake, "features", [{"feature_id": "a", "name": "A"}])
    assert [row["name"] for row in lake.read("features").to_pylist()] == ["A"]
    assert lake.source_at("features", lake.snapshot("features").version)


def test_what_changes_nothing_commits_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    accounts(lake, ("a", "A"))
    version = lake.snapshot("accounts").version
    accounts(lake, ("a", "A"))
    assert lake.snapshot("accounts").version == version


def test_a_reader_finds_the_newest_version_though_the_log_forgot_its_own(
    tmp_path: Path,
) -> None:
    reader, writer = Lake(tmp_path), Lake(tmp_path)
    accounts(writer, ("a", "A"))
    assert names(reader) == {"a": "A"}
    for name in ("B", "C", "D"):
        accounts(writer, ("a", name))
    DeltaTable(writer.uri("accounts")).create_checkpoint()
    for version in range(3):
        (tmp_path / "accounts" / "_delta_log" / f"{version:020}.json").unlink()
    assert reader.snapshot("accounts").version == 3
    assert names(reader) == {"a": "D"}


def test_the_least_is_that_of_all_files_and_rows(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert lake.least("touchpoints", "at") is None
    kept = {"account_id": "a", "kind": "call"}
    first = "2025-03-31T22:30:00.000900"
    for number, at in enumerate(("2026-01-01", first, "2025-12-31T23:59")):
        write(lake, "touchpoints", [{**kept, "touchpoint_id": str(number), "at": at}])
    found = lake.least("touchpoints", "at")
    assert timedelta() <= instant(first) - found < timedelta(milliseconds=1)
    write(lake, "goals", [{"account_id": "a", "goal_id": "g"}])
    assert lake.least("goals", "due_on") is None
    write(lake, "goals", [{"account_id": "a", "goal_id": "h", "due_on": "2026-02-03"}])
    assert lake.least("goals", "due_on") == date(2026, 2, 3)


def test_of_rows_with_one_key_the_last_counts(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    accounts(lake, ("a", "first"), ("a", "last"))
    assert names(lake) == {"a": "last"}


def test_an_empty_part_of_a_key_is_a_value(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    seats = {"account_id": "A", "seats": 5, "starts_at": None}
    write(lake, "seat_contracts", [seats])
    assert write(lake, "seat_contracts", [{**seats, "seats": 6}]) == Written(updated=1)


def test_an_event_is_accepted_once_for_ever(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    event = {
        "event_id": "e",
        "event": "x",
        "user_id": "u",
        "timestamp": "2026-01-05T10:00",
    }
    assert write(lake, "events", [event, event]) == Written(inserted=1, unchanged=1)
    moved = {**event, "timestamp": "2026-03-05T10:00", "event": "y"}
    assert write(lake, "events", [moved]) == Written(unchanged=1)
    assert [row["event"] for row in lake.read("events").to_pylist()] == ["x"]


def test_progress_is_committed_with_the_rows(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    rows = pa.Table.from_pylist([{"at": None}], schema=TABLES["requests"].schema())
    rows = rows.set_column(0, "at", pa.array([0], pa.timestamp("us", tz="UTC")))
    assert lake.write("requests", rows, progress={"file": 1}) == Written(inserted=1)
    assert lake.write("requests", rows, progress={"file": 1}) == Written(unchanged=1)
    assert lake.write("requests", rows, progress={"file": 2}) == Written(inserted=1)
    assert lake.progress("requests", "file") == 2


def test_commits_say_which_days_they_touched(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    usage = [
        {"account_id": "A", "date": f"2026-01-{d:02}", "uses": 1} for d in (1, 2, 3)
    ]
    write(lake, "usage", usage)
    write(lake, "usage", [{**usage[1], "uses": 2}])
    assert lake.days_changed("usage", -1) == {date(2026, 1, d) for d in (1, 2, 3)}
    assert lake.days_changed("usage", 0) == {date(2026, 1, 2)}
    lake.compact("usage")
    assert lake.days_changed("usage", 1) == set()


def test_a_commit_of_another_tool_is_of_unknown_days(tmp_path: Path) -> None:
    from deltalake import DeltaTable, write_deltalake

    lake = Lake(tmp_path)
    write(lake, "usage", [{"account_id": "A", "date": "2026-01-01", "uses": 1}])
    rows = DeltaTable(lake.uri("usage")).to_pyarrow_table()
    write_deltalake(lake.uri("usage"), rows, mode="append")
    assert lake.days_changed("usage", 0) is None


def test_compaction_and_vacuum_keep_every_row(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for n in range(store.MANY_FILES + 1):
        event = {
            "event_id": str(n),
            "event": "x",
            "user_id": "u",
            "timestamp": "2026-01-05T10:00",
        }
        write(lake, "events", [event])
    before = lake.snapshot("events").version
    assert lake.compact("events") == 1
    assert len(lake.snapshot("events").files) == 1
    on_disk = list(Path(lake.uri("events")).rglob("*.parquet"))
    assert len(on_disk) == store.MANY_FILES + 2
    lake.vacuum("events", retention=timedelta(0))
    assert len(list(Path(lake.uri("events")).rglob("*.parquet"))) == 1
    assert lake.count("events") == store.MANY_FILES + 1
    # Neither touched a day: what is derived need not be built anew.
    assert lake.snapshot("events").version > before
    assert lake.days_changed("events", before) == set()


def test_small_files_are_put_together_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MANY_SMALL_FILES", 4)
    lake = Lake(tmp_path)
    for n in range(9):
        event = {"event_id": str(n), "event": "x", "user_id": "u"}
        months = ("2026-01-05T10:00", "2026-02-05T10:00") if n == 4 else ("2026-02-01",)
        for month in months:
            row = {**event, "event_id": f"{n} {month}", "timestamp": month}
            write(lake, "events", [row])
        accounts(lake, (str(n), "A"))
    assert len(lake.read("events")) == 10
    files = lake.files_by_month("events")
    assert len(files["2026-01"]) == 1
    assert len(files["2026-02"]) <= 4
    assert len(lake.snapshot("accounts").files) <= 4
    days = {date(2026, 2, 1), date(2026, 1, 5), date(2026, 2, 5)}
    assert lake.days_changed("events", 0) == days


def test_a_schema_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(PerennialError, match="declared schema"):
        lake.write("accounts", pa.table({"account_id": ["a"]}))
    with pytest.raises(UnknownName, match="nonsense"):
        lake.read("nonsense")


def test_a_declared_column_may_be_added_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    accounts(lake, ("old", "A"))
    known = TABLES["accounts"]
    wider = tables.Table(
        **{**vars(known), "columns": (*known.columns, Column("region", "string", "."))}
    )
    monkeypatch.setitem(TABLES, "accounts", wider)
    row = {"account_id": "new", "region": "north"}
    lake.write("accounts", pa.Table.from_pylist([row], schema=wider.schema()))
    found = {r["account_id"]: r["region"] for r in lake.read("accounts").to_pylist()}
    assert found == {"old": None, "new": "north"}
    other = tables.Table(
        **{**vars(known), "columns": (*known.columns, Column("region", "int", "."))}
    )
    monkeypatch.setitem(TABLES, "accounts", other)
    with pytest.raises(PerennialError, match="stored as"):
        lake.write(
            "accounts",
            pa.Table.from_pylist([{"account_id": "x"}], schema=other.schema()),
        )


def reject(number: int, at: str) -> dict[str, Any]:
    return {
        "source": "f",
        "table_name": "events",
        "row_number": number,
        "rejected_at": at,
    }


def test_rejects_are_kept_for_thirty_days(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    times = ("2026-01-01T00:00", "2026-01-02T11:59:59", "2026-01-02T12:00")
    write(lake, "rejects", [reject(n, at) for n, at in enumerate(times)])
    lake.maintain(lambda *_: None, now=instant("2026-02-01T12:00"))
    assert [row["row_number"] for row in lake.read("rejects").to_pylist()] == [2]
    version = lake.snapshot("rejects").version
    lake.maintain(lambda *_: None, now=instant("2026-02-01T12:00"))
    assert lake.snapshot("rejects").version == version


def test_rows_are_deleted_by_key(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write(lake, "rejects", [reject(n, "2026-01-01T00:00") for n in range(4)])
    keys = [("f", "events", 2), ("f", "events", 3), ("f", "users", 1)]
    with lake.lock("rejects"):
        assert lake.delete_keys("rejects", keys) == 2
    assert lake.delete_keys("rejects", keys) == 0
    assert lake.delete_keys("rejects", []) == 0
    assert lake.count("rejects") == 2
    assert lake.delete("rejects", "true") == 2
    assert lake.count("rejects") == 0
    assert write(lake, "rejects", [reject(3, "2026-01-01T00:00")]).inserted == 1


def test_a_lock_is_of_one_thread(tmp_path: Path) -> None:
    one, other, got = Lake(tmp_path), Lake(tmp_path), threading.Event()

    def take() -> None:
        with other.lock("accounts"):
            got.set()

    thread = threading.Thread(target=take)
    with one.lock("accounts"):
        with one.lock("accounts"), other.lock("accounts"):
            thread.start()
        assert not got.wait(0.3)
    assert got.wait(5)
    thread.join()


def test_deleted_rows_tell_their_days(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    months = {"2026-01-05": "A", "2026-02-05": "B", "2026-02-06": None}
    for day, account in months.items():
        write(lake, "usage", [{"account_id": account, "date": day, "uses": 1}])
    before = lake.snapshot("usage").version
    assert lake.delete("usage", "account_id != 'A'") == 1
    assert lake.days_changed("usage", before) == {date(2026, 2, 5)}
    left = {str(row["date"]) for row in lake.read("usage").to_pylist()}
    assert left == {"2026-01-05", "2026-02-06"}
    assert lake.delete("usage", "account_id IS NULL") == 1  # a whole month
    assert list(lake.files_by_month("usage")) == ["2026-01"]


def test_an_older_version_can_be_read_until_it_is_vacuumed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    accounts(lake, ("a", "A"), ("b", "B"))
    accounts(lake, ("a", "AA"))
    accounts(lake, ("c", "C"))

    def of(relation: str) -> list[tuple[Any, ...]]:
        with connect() as duck:
            rows = duck.sql(f"SELECT account_id, name FROM {relation} ORDER BY ALL")
            return rows.fetchall()

    assert of(lake.source_at("accounts", -1)) == []
    assert of(lake.source_at("accounts", 0)) == [("a", "A"), ("b", "B")]
    assert of(lake.source_at("accounts", 2)) == of(lake.source("accounts"))
    gone, come = lake.difference("accounts", 0, 2)
    assert of(gone) == [("a", "A")]
    assert of(come) == [("a", "AA"), ("c", "C")]
    assert of(lake.difference("accounts", 2, 2)[0]) == []
    lake.vacuum("accounts", retention=timedelta(0))
    for version in (0, 9):
        with pytest.raises(VersionGone):
            lake.source_at("accounts", version)


def test_what_files_say_of_a_column(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert not lake.has_values("accounts", "name")
    accounts(lake, ("a", None))
    assert not lake.has_values("accounts", "name")
    assert lake.has_nulls("accounts", "name")
    accounts(lake, ("b", "B"))
    assert lake.has_values("accounts", "name")


def test_months_older_than_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All the files read may have been written before the column was declared."""
    known = TABLES["events"]
    narrow = [c for c in known.columns if c.name not in ("source_id", "context")]
    older = tables.Table(
        **{**vars(known), "columns": tuple(narrow), "key": ("event_id",)}
    )
    event = {"event_id": "e", "event": "x", "user_id": "u"}
    lake = Lake(tmp_path)
    with monkeypatch.context() as patch:
        patch.setitem(TABLES, "events", older)
        old = {**event, "timestamp": instant("2026-01-05T10:00")}
        lake.write("events", pa.Table.from_pylist([old], schema=older.schema()))
    assert lake.has_values("events", "source_id") is False
    new = {**event, "timestamp": "2026-02-05T10:00", "context": "{}"}
    assert write(lake, "events", [{**new, "source_id": "web"}]) == Written(inserted=1)
    assert write(lake, "events", [new]) == Written(unchanged=1)  # known since January
    with connect() as duck:
        january = lake.source("events", months=["2026-01"])
        assert duck.sql(f"SELECT context FROM {january}").fetchall() == [(None,)]


def test_rows_lie_in_the_month_they_happened_whoever_files_them(tmp_path: Path) -> None:
    """All of a write being new, or only some of it."""
    lake = Lake(tmp_path)
    at = {"a": "1970-01-01T00:00", "b": "2025-12-31T23:59:59.999999", "c": "2026-01-01"}
    at |= {"d": at["a"], "e": at["b"], "f": at["c"]}
    event = {"event": "x", "user_id": "u"}
    for sent in ("a", "bc", "abcdef"):
        rows = [{**event, "event_id": id_, "timestamp": at[id_]} for id_ in sent]
        write(lake, "events", rows)
    found = {}
    with connect() as duck:
        for month in lake.files_by_month("events"):
            source = lake.source("events", months=[month])
            ids = duck.sql(f"SELECT event_id FROM {source}").fetchall()
            found[month] = sorted(id_ for (id_,) in ids)
    want = {"1970-01": ["a", "d"], "2025-12": ["b", "e"], "2026-01": ["c", "f"]}
    assert found == want


rows = st.lists(
    st.tuples(
        st.sampled_from("abcde"), st.none() | st.sampled_from(["x", "y", "ü'\""])
    ),
    max_size=6,
)


@settings(max_examples=15)
@given(batches=st.lists(rows, max_size=4))
def test_writing_by_key_is_what_a_dictionary_does(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[str, str | None]]],
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    known: dict[str, str | None] = {}
    for batch in batches:
        if batch:
            written = accounts(lake, *batch)
            last = dict(batch)
            assert written.inserted == len(set(last) - set(known))
            assert written.updated == sum(
                known.get(k) != v for k, v in last.items() if k in known
            )
            known |= last
    assert names(lake) == known


_WRITER = """
import sys
from tests.builders import write
from perennial.lake.store import Lake
lake, n = Lake(sys.argv[1]), 0
while True:
    n += 1
    write(lake, "events", [
        {"event_id": f"{sys.argv[2]}-{n}-{i}", "event": "x", "user_id": "u",
         "timestamp": f"2026-01-{i + 1:02}T10:00"} for i in range(20)])
    write(lake, "accounts", [{"account_id": str(i), "name": str(n)} for i in range(20)])
"""


def test_a_killed_writer_leaves_every_table_whole(tmp_path: Path) -> None:
    """Readers beside it never see half a commit, before or after the kill."""
    lake = Lake(tmp_path)
    accounts(lake, *((str(i), "0") for i in range(20)))
    torn = []
    for round_ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(round_)],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": "src:."},
        )
        deadline = time.monotonic() + 120
        before = lake.count("events")
        while lake.count("events") < before + 60 and time.monotonic() < deadline:
            torn += [lake.count("events") % 20, len(set(names(lake).values())) - 1]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert lake.count("events") >= before + 60
        torn += [lake.count("events") % 20, len(set(names(lake).values())) - 1]
        ids = [row["event_id"] for row in lake.read("events").to_pylist()]
        assert len(ids) == len(set(ids))
    assert not any(torn)
    assert write(lake, "accounts", [{"account_id": "after"}]) == Written(inserted=1)
