"""A workspace from where its tables lie: a data folder, or an address."""

from __future__ import annotations

import re
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from perennial.core.errors import BadValue, UnknownName
from perennial.lake.engines import SparkEngine
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace

#: The workspace of a folder that has but one.
DEFAULT = "default"
_KEY = re.compile(r"[\w-]+", re.ASCII)


def open_workspace(
    data: str | Path,
    key: str = DEFAULT,
    *,
    new: bool = False,
    clock: type[datetime] = datetime,
) -> Workspace:
    """The workspace `key` in a data folder; raises `BadValue` when there is none.

    `new`: one that holds nothing yet will do. The default one always does.
    """
    root = Path(data)
    if not root.is_dir():
        raise BadValue(f"no data folder at {root} (make one with `perennial init`)")
    if not _KEY.fullmatch(key):
        raise BadValue(f"a workspace key has letters, digits, - and _, not {key!r}")
    lake = root / "lake" / key
    if not new and key != DEFAULT and not lake.is_dir():
        known = sorted(path.name for path in lake.parent.glob("*") if path.is_dir())
        raise UnknownName("workspace", key, known or [DEFAULT])
    return Workspace(Lake(lake), clock=clock)


def connect(*, lake: str | Path, engine: str = "duckdb") -> Workspace:
    """The workspace whose Delta tables lie below `lake`, a folder or object URL.

    `engine` is "duckdb", in process, or the address of a Spark Connect server,
    "sc://host:port".
    """
    tables = Lake(lake)
    if engine == "duckdb":
        return Workspace(tables)
    if not engine.startswith("sc://"):
        raise BadValue(f"unknown engine {engine!r}; known: duckdb, sc://host:port")
    if find_spec("pyspark") is None:
        raise BadValue("Spark takes an extra: pip install 'perennial[spark]'")
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(engine).getOrCreate()
    return Workspace(tables, engine=SparkEngine(tables, session))
