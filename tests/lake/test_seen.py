"""An event is accepted once for ever, whatever happens to the index of its ids."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from perennial.lake import seen, store
from perennial.lake.duck import connect
from perennial.lake.relations import empty
from perennial.lake.seen import Seen
from perennial.lake.store import Lake
from tests.builders import write

Key = tuple[str | None, str]

keys = st.tuples(st.sampled_from([None, "web"]), st.sampled_from("abcdefgh"))
# Months apart, so that a copy of an event may come in another month.
days = st.integers(0, 5).map(lambda n: date(2026, 1, 15) + timedelta(days=31 * n))
batches = st.lists(st.tuples(keys, days), min_size=1, max_size=6)


def load(lake: Lake, *events: tuple[Key, date]) -> int:
    rows = [
        {
            "source_id": source,
            "event_id": id_,
            "event": "x",
            "user_id": "u",
            "timestamp": f"{day}T10:00",
        }
        for (source, id_), day in events
    ]
    return write(lake, "events", rows).inserted


def stored(lake: Lake) -> list[Key]:
    rows = lake.read("events").to_pylist()
    return [(row["source_id"], row["event_id"]) for row in rows]


def index(lake: Lake) -> Path:
    return Path(lake.root) / "_index" / "events"


def parts(lake: Lake) -> list[Path]:
    return sorted(index(lake).rglob("*.u64"))


class Loads(RuleBasedStateMachine):
    """Loads, and all that can happen between them, beside a set of keys."""

    root: Path
    count = 0

    @initialize()
    def begin(self) -> None:
        Loads.count += 1
        self.lake = Lake(self.root / str(Loads.count))
        self.known: set[Key] = set()
        self.saved: tuple[Path, set[Key]] | None = None

    @rule(events=batches)
    def load(self, events: list[tuple[Key, date]]) -> None:
        fresh = {key for key, _ in events} - self.known
        assert load(self.lake, *events) == len(fresh)
        self.known |= fresh

    @rule()
    def another_process(self) -> None:
        self.lake = Lake(self.lake.root)
        seen._whole.clear()

    @precondition(lambda self: self.known)
    @rule()
    def compact(self) -> None:
        self.lake.compact("events")
        self.lake.vacuum("events", retention=timedelta(0))

    @rule()
    def remove_the_index(self) -> None:
        shutil.rmtree(index(self.lake), ignore_errors=True)

    @precondition(lambda self: parts(self.lake))
    @rule(end=st.integers(0, 7))
    def damage_a_part(self, end: int) -> None:
        self.another_process()
        part = parts(self.lake)[0]
        data = bytearray(part.read_bytes())
        data[end] ^= 255
        part.write_bytes(bytes(data) if end % 2 else bytes(data[:-1]))

    @precondition(lambda self: parts(self.lake))
    @rule()
    def lose_a_part(self) -> None:
        parts(self.lake)[-1].unlink()

    @precondition(lambda self: self.known)
    @rule()
    def damage_the_manifest(self) -> None:
        for file in index(self.lake).rglob("manifest.json"):
            file.write_text('{"parts": [')

    @precondition(lambda self: self.known and self.saved is None)
    @rule()
    def save_a_copy(self) -> None:
        copy = Path(self.lake.root + "-copy")
        shutil.copytree(self.lake.root, copy)
        self.saved = (copy, set(self.known))

    @precondition(lambda self: self.saved)
    @rule(keep_the_index=st.booleans())
    def restore_the_copy(self, keep_the_index: bool) -> None:
        """With the index of the copy, or the one that knows too much."""
        assert self.saved
        copy, self.known = self.saved[0], set(self.saved[1])
        if keep_the_index and index(self.lake).exists():
            shutil.rmtree(copy / "_index", ignore_errors=True)
            shutil.move(index(self.lake).parent, copy / "_index")
        shutil.rmtree(self.lake.root)
        copy.rename(self.lake.root)
        self.saved = None
        self.another_process()

    @invariant()
    def every_key_is_there_once(self) -> None:
        if hasattr(self, "lake"):
            assert sorted(stored(self.lake), key=repr) == sorted(self.known, key=repr)


def test_loads_accept_a_key_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_MOST", 12)  # several parts, even of few rows
    monkeypatch.setattr(store, "MANY_FILES", 2)
    Loads.root = tmp_path
    run_state_machine_as_test(
        Loads,
        settings=settings(
            max_examples=10,
            stateful_step_count=12,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_hashes_that_are_alike_do_not_lose_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table has the last word."""

    def alike(*_: object) -> seen.Hashes:
        return np.array([1 << 20], np.uint64)

    monkeypatch.setattr(seen, "_hashes", alike)
    lake = Lake(tmp_path)
    for id_ in "ab":
        assert load(lake, ((None, id_), date(2026, 1, 15))) == 1
        assert load(lake, ((None, id_), date(2026, 5, 15))) == 0


@pytest.mark.parametrize("dies", ["_write", "_save"])
def test_a_writer_that_dies_with_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    lake = Lake(tmp_path)
    day = date(2026, 1, 15)
    load(lake, ((None, "a"), day))
    whole: Callable[..., object] = getattr(Seen, dies)

    def half(self: Seen, *rest: object) -> None:
        whole(self, *rest)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Seen, dies, half)
        with pytest.raises(KeyboardInterrupt):
            load(lake, ((None, "b"), day))
    assert load(lake, ((None, "a"), day), ((None, "b"), day)) == 1
    assert load(lake, ((None, "a"), day), ((None, "b"), day)) == 0


def test_parts_are_put_together(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for n in range(20):
        load(lake, ((None, str(n)), date(2026, 1, 15)))
    assert len(parts(lake)) <= 5
    assert (
        sum(part.stat().st_size for part in parts(lake)) == 19 * 8
    )  # all but the last


def test_an_index_of_what_is_gone_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_SLACK", 0)
    lake = Lake(tmp_path)
    for n in range(5):
        load(lake, ((None, str(n)), date(2026, 1, 15)))
    lake.maintain(lambda *_: None)
    assert parts(lake)
    lake.replace(connect(), "events", empty("events"))
    lake.maintain(lambda *_: None)
    assert not parts(lake)
