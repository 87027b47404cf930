"""From NumPy columns to tables of the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from perennial.lake.tables import FACTS

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[np.object_]
Dates: TypeAlias = npt.NDArray[np.datetime64]

#: Anything a column can be made of; None is a column of nulls. NaN, NaT and None
#: inside a column are null.
Values: TypeAlias = Any

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)

#: Byte positions of a UUID's 32 digits in its text of 36.
_DIGITS = np.array([i for i in range(36) if i not in (8, 13, 18, 23)])


class Columns:
    """Base of dataclasses whose fields are arrays of one length: a table."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    def take(self, rows: Ints | Bools) -> Self:
        """The rows of a mask, or of indexes."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))  # type: ignore[arg-type]


C = TypeVar("C", bound=Columns)


def stack(parts: Sequence[C]) -> C:
    """Tables of one kind, one below the other."""
    names = [f.name for f in fields(parts[0])]  # type: ignore[arg-type]
    return type(parts[0])(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in names)
    )


def table(name: str, columns: Mapping[str, Values]) -> pa.Table:
    """Rows of a fact table, in its declared columns, order and types."""
    schema = FACTS[name].schema()
    unknown = set(columns) - set(schema.names)
    if unknown:
        raise ValueError(f"{name} has no columns {sorted(unknown)}")
    rows = len(next(iter(columns.values())))
    arrays = [_array(columns.get(f.name), f.type, rows) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def records(name: str, rows: Sequence[Mapping[str, Values]]) -> pa.Table:
    """The same from one mapping a row; keys that a row lacks are null."""
    names = {key: None for row in rows for key in row} or {FACTS[name].names[0]: None}
    return table(name, {key: [row.get(key) for row in rows] for key in names})


def _array(values: Values, kind: pa.DataType, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, kind)
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pa.array(np.asarray(values, dtype="M8[us]")).cast(kind)
    if pa.types.is_decimal(kind):
        return pa.array(np.asarray(values, dtype=float), from_pandas=True).cast(kind)
    return pa.array(values, from_pandas=True).cast(kind)


def pick(pool: Sequence[str | None] | Texts, index: Ints) -> pa.Array:
    """`pool[index]` as text; a negative index is null."""
    return pa.array(pool, pa.string()).take(pa.array(index, mask=index < 0))


def numbered(prefix: str, count: int, *, width: int = 6, first: int = 1) -> list[str]:
    """`prefix` and a number, for `count` rows."""
    return [f"{prefix}{i:0{width}d}" for i in range(first, first + count)]


def uuids(rng: np.random.Generator, count: int) -> pa.Array:
    """Random (version 4) UUIDs as text."""
    raw = np.frombuffer(rng.bytes(16 * count), dtype=np.uint8).reshape(count, 16).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    text = np.full((count, 36), ord("-"), dtype=np.uint8)
    text[:, _DIGITS[0::2]] = _HEX[raw >> 4]
    text[:, _DIGITS[1::2]] = _HEX[raw & 15]
    offsets = np.arange(0, 36 * (count + 1), 36, dtype=np.int32)
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(text.tobytes())
    )
