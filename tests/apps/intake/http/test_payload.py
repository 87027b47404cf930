from __future__ import annotations

import gzip
import json
import math
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.intake.http import payload
from perennial.apps.intake.http.payload import Part, parts, unpack
from perennial.apps.intake.http.protocol import Refusal
from perennial.apps.intake.models import CALLS

T = TypeVar("T")

MB = 1 << 20


def attempt(work: Callable[[], T]) -> T | int:
    """What it gives, or the status it is refused with."""
    try:
        return work()
    except Refusal as refused:
        return refused.status


def one(call: str, body: object, key: str | None = None) -> Part:
    (part,) = parts(call, json.dumps(body).encode(), key)
    return part


# --- unpacking


def _raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        (b"", b"{}"),
        (b"identity", b"{}"),
        (b"gzip", gzip.compress(b"{}", mtime=0)),
        (b" GZIP ", gzip.compress(b"{}", mtime=0)),
        (b"x-gzip", gzip.compress(b"{}", mtime=0)),
        (b"gzip", gzip.compress(b"{", mtime=0) + gzip.compress(b"}", mtime=0)),
        (b"deflate", zlib.compress(b"{}")),
        (b"deflate", _raw_deflate(b"{}")),
        (b"gzip", b""),
    ],
)
def test_unpacks(encoding: bytes, packed: bytes) -> None:
    assert unpack(packed, encoding, 100) in {b"{}", b""}


@pytest.mark.parametrize(
    ("encoding", "packed", "status"),
    [
        (b"br", b"{}", 415),
        (b"zstd", b"{}", 415),
        (b"gzip, gzip", b"{}", 415),
        (b"gzip", b"{}", 400),
        (b"gzip", gzip.compress(b"{}", mtime=0)[:-1], 400),
        (b"gzip", gzip.compress(b"{}", mtime=0)[:5], 400),
        (b"gzip", gzip.compress(b"{}", mtime=0) + b"rest", 400),
        (b"gzip", gzip.compress(b"", mtime=0) * 1000, 400),
        (b"deflate", b"\xff\xff\xff", 400),
        (b"", b"x" * 101, 413),
        (b"gzip", gzip.compress(b"x" * 101, mtime=0), 413),
        (b"gzip", gzip.compress(b"x" * 60, mtime=0) * 2, 413),
        (b"deflate", zlib.compress(b"x" * 101), 413),
    ],
)
def test_does_not_unpack(encoding: bytes, packed: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        unpack(packed, encoding, 100)
    assert refused.value.status == status


def test_exactly_the_limit_fits() -> None:
    for packed, encoding in (
        (b"x" * 100, b""),
        (gzip.compress(b"x" * 100, mtime=0), b"gzip"),
    ):
        assert len(unpack(packed, encoding, 100)) == 100


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(b"0" * (64 * MB), 9)
    assert len(bomb) < MB
    tracemalloc.start()
    begun = time.perf_counter()
    with pytest.raises(Refusal) as refused:
        unpack(bomb, b"gzip", 5 * MB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.status == 413
    assert peak < 16 * MB
    assert time.perf_counter() - begun < 2


# --- keys


@pytest.mark.parametrize(
    ("body", "header", "key"),
    [
        ({"batch": [{}]}, "head", "head"),
        ({"batch": [{}], "writeKey": "root"}, None, "root"),
        ({"batch": [{}], "writeKey": "root"}, "head", "root"),
        ({"batch": [{"writeKey": "own"}], "writeKey": "root"}, "head", "own"),
        ({"batch": [{"writeKey": "own"}]}, None, "own"),
        ({"batch": [], "writeKey": "root"}, None, "root"),
        ({"batch": [{}], "writeKey": ""}, "head", "head"),
        ({"batch": [{}], "writeKey": None}, "head", "head"),
        ({"batch": [{"writeKey": 5}], "writeKey": "root"}, None, "root"),
        ({"batch": [{"writeKey": {}}], "writeKey": [1]}, "head", "head"),
        ({"batch": [{}]}, None, None),
    ],
)
def test_the_key_of_a_batch(body: object, header: str | None, key: str | None) -> None:
    assert one("batch", body, header).key == key


@pytest.mark.parametrize("call", [call for call in CALLS if call != "batch"])
def test_the_key_of_a_single_event(call: str) -> None:
    assert one(call, {"writeKey": "own"}, "head") == Part(
        "own", b'{"writeKey": "own"}', 1
    )
    assert one(call, {"event": "x"}, "head").key == "head"
    assert one(call, {"writeKey": 1}, None).key is None


def test_a_batch_of_several_keys_is_split_and_nothing_lost() -> None:
    events = [{"n": n, "writeKey": f"k{n % 3}"} for n in range(10)] + [{"n": 10}]
    sent = {"batch": events, "sentAt": "now", "context": {"ip": "1"}, "writeKey": "k1"}
    found = parts("batch", json.dumps(sent).encode(), "head")
    assert {part.key for part in found} == {"k0", "k1", "k2"}
    for part in found:
        body = json.loads(part.body)
        own = [e for e in events if e.get("writeKey", "k1") == part.key]
        assert body == {**sent, "batch": own}
        assert part.events == len(own)


def test_a_batch_of_one_key_stays_as_it_was_sent() -> None:
    body = b' {"batch" : [ {"a":1.0e0} ,{"b":9007199254740993}], "x":"\\u0041"} '
    assert parts("batch", body, "k") == [Part("k", body, 2)]


def test_too_many_events() -> None:
    body = b'{"batch":[' + b",".join([b"{}"] * (payload.MAX_EVENTS + 1)) + b"]}"
    with pytest.raises(Refusal) as refused:
        parts("batch", body, "k")
    assert refused.value.status == 413


# --- JSON and what is none

_DEEP = 50_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{",
        b"}",
        b"{}{}",
        b"{},",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b'{"a":"\x00"}',
        b'{"a":"\\x"}',
        b'{"a":"\\u12"}',
        b'{"a":tru}',
        b'{"a":"\xff"}',
        b'{"\xff":1}',
        b'{"a":"\xed\xa0\x80"}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
        b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
        b'{"a":' + b"[" * _DEEP,
        b'{"a":"\\ud800" x}',
        b'{"a":"\\ud800", "b":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("call", ["batch", "track"])
def test_no_json_object(call: str, body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parts(call, body, "k")
    assert refused.value.status == 400


@pytest.mark.parametrize("batch", [None, 5, "x", {}, {"0": {}}, True])
def test_a_batch_that_is_no_list(batch: object) -> None:
    bodies: list[dict[str, object]] = [{"batch": batch}, {"events": []}]
    for body in bodies:
        with pytest.raises(Refusal, match="list"):
            one("batch", body, "k")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1e999}',
        b'{"a":-0}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\u0000"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"a":1,"a":2}',
        b'{"writeKey":1e999}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_strange_json_is_json(body: bytes) -> None:
    (part,) = parts("track", body, "k")
    assert part.body == body.removeprefix(b"\xef\xbb\xbf")
    for wrapped in (b'{"batch":[' + part.body + b"]}", b'{"batch":[1e999, [], null]}'):
        assert parts("batch", wrapped, "k")[0].body == wrapped


def test_half_an_emoji_costs_no_event() -> None:
    """As of a page whose title was cut: the rest stays as it was."""
    body = rb'{"a":"x\ud83d","b":"\ud83d\ude00","c":"\\ud83d","d":"\udE00\uD83D"}'
    (part,) = parts("track", body, "k")
    assert json.loads(part.body) == {
        "a": "x\ufffd",
        "b": "\U0001f600",
        "c": "\\ud83d",
        "d": "\ufffd\ufffd",
    }


# --- properties

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(["batch", "writeKey", "event", "userId", "traits", "context"])
OBJECTS = st.dictionaries(FIELDS | st.text(), VALUES, max_size=6)


@given(OBJECTS, st.sampled_from([call for call in CALLS if call != "batch"]))
def test_any_object_is_an_event(body: dict[str, Any], call: str) -> None:
    part = one(call, body, "k")
    assert json.loads(part.body) == body
    named = body.get("writeKey")
    assert part.key == (named if isinstance(named, str) and named else "k")


@given(st.lists(VALUES | OBJECTS, max_size=8), OBJECTS)
def test_any_list_is_a_batch(events: list[Any], around: dict[str, Any]) -> None:
    """Whatever its elements are; each goes to exactly one part, in order."""
    sent = {**around, "batch": events}
    found = parts("batch", json.dumps(sent).encode(), "k")
    stored = [event for part in found for event in json.loads(part.body)["batch"]]
    assert sorted(map(json.dumps, stored)) == sorted(map(json.dumps, events))
    assert sum(part.events for part in found) == len(events)
    assert len({part.key for part in found}) == len(found)


@given(st.binary(max_size=200), st.sampled_from(CALLS))
def test_any_bytes_are_read_or_refused(body: bytes, call: str) -> None:
    found = attempt(lambda: parts(call, body, "k"))
    if found == 400:
        return
    assert isinstance(found, list)
    for part in found:
        part.body.decode("utf-8")
        assert isinstance(json.loads(part.body), dict)


@given(st.binary(max_size=200), st.sampled_from([b"gzip", b"deflate", b"br", b""]))
def test_any_bytes_are_unpacked_or_refused(body: bytes, encoding: bytes) -> None:
    unpacked = attempt(lambda: unpack(body, encoding, 100))
    assert unpacked in {400, 413, 415} or len(cast(bytes, unpacked)) <= 100


@given(st.text(alphabet='{}[]",:\\ud8ce0123 ax', max_size=60), st.sampled_from(CALLS))
def test_nearly_json(text: str, call: str) -> None:
    """What we take for JSON the standard library takes for JSON too."""
    found = attempt(lambda: parts(call, text.encode(), "k"))
    assert found == 400 or all(
        isinstance(json.loads(part.body), dict) for part in cast(list[Part], found)
    )


def test_numbers_stay_as_they_were_written_when_a_batch_is_split() -> None:
    body = b'{"batch":[{"writeKey":"a","n":1.10},{"writeKey":"b","n":1e400}]}'
    first, second = parts("batch", body, None)
    assert b"1.10" in first.body
    assert b"1e400" in second.body
    assert math.isinf(json.loads(second.body)["batch"][0]["n"])
