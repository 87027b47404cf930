"""Requests of the inbox as a table: each is copied once, and lies in memory once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

#: Requests in one piece of a table: little enough that the copies a piece is made of
#: are in memory beside it only briefly, and enough for a query to run smoothly.
PIECE: Final = 128
_SCHEMA: Final = pa.schema(
    {
        "id": pa.int64(),
        "source_id": pa.string(),
        "call": pa.string(),
        "received_at": pa.timestamp("us", "UTC"),
        "body": pa.binary(),
    }
)


class Request(NamedTuple):
    """A request in the inbox. `received_at` is UTC."""

    id: int
    source_id: str
    call: str
    received_at: datetime
    body: bytes


def table(requests: Iterable[Request]) -> pa.Table:
    """Requests as a table with their fields as columns, taken piece by piece."""
    one_by_one = iter(requests)
    pieces = iter(lambda: list(islice(one_by_one, PIECE)), [])
    return pa.Table.from_batches(map(_piece, pieces), schema=_SCHEMA)


def rows(requests: pa.Table) -> Iterator[Request]:
    """The requests of a table."""
    return (Request(**row) for row in requests.to_pylist())


def _piece(requests: list[Request]) -> pa.RecordBatch:
    *columns, bodies = zip(*requests, strict=True)
    types = _SCHEMA.types[:-1]
    arrays = [pa.array(c, type_) for c, type_ in zip(columns, types, strict=True)]
    return pa.record_batch([*arrays, _joined(bodies)], schema=_SCHEMA)


def _joined(bodies: tuple[bytes, ...]) -> pa.BinaryArray:
    """Copied once: an array that grows copies its megabytes again and again."""
    ends = np.cumsum([0, *map(len, bodies)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(bodies))]
    return pa.Array.from_buffers(pa.binary(), len(bodies), buffers)
