"""Answers that are kept until a table they read changes.

A read of the lake costs 10 to 20 ms, most of it for building the query; between two
refreshes its answer cannot change. The key is the version of every table read, so
nothing has to be told that data came.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache as once
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.core.cache import cache

import perennial
from perennial.core.ids import digest
from perennial.lake import merged
from perennial.lake.workspace import Workspace as Lake

P = ParamSpec("P")
R = TypeVar("R")
Read = Callable[Concatenate[Lake, P], R]


#: Answers speak of a day; after two nobody asks for them again.
_KEEP = timedelta(days=2)
_NOTHING = object()


def kept(
    *tables: str, size: int = 256, shared: bool = False
) -> Callable[[Read[P, R]], Read[P, R]]:
    """Keeps the answers of a read of these tables; settings and merges count, too.

    Arguments must be hashable, answers are shared: nobody changes them. What is
    `shared` lies in the data folder too, so that the worker can ask before a person
    does, and a restart forgets nothing; its arguments are plain values.
    """

    def decorate(read: Read[P, R]) -> Read[P, R]:
        @lru_cache(maxsize=size)
        def answer(
            lake: Lake, _versions: tuple[int, ...], /, *args: P.args, **kwargs: P.kwargs
        ) -> R:
            if not shared:
                return read(lake, *args, **kwargs)
            key = _key(read, lake, repr((_versions, args, sorted(kwargs.items()))))
            found: R | object = cache.get(key, _NOTHING)
            if found is not _NOTHING:
                return cast("R", found)
            made = read(lake, *args, **kwargs)
            cache.set(key, made, _KEEP.total_seconds())
            return made

        @wraps(read)
        def asked(lake: Lake, /, *args: P.args, **kwargs: P.kwargs) -> R:
            names = (*tables, "settings", merged.NAME)
            versions = tuple(lake.lake.snapshot(name).version for name in names)
            return answer(lake, versions, *args, **kwargs)  # type: ignore[arg-type]

        return asked

    return decorate


def _key(read: Callable[..., Any], lake: Lake, asked: str) -> str:
    name = f"{read.__module__}.{read.__qualname__}"
    return f"kept-{digest(name, lake.lake.root, asked, _program())}"


@once
def _program() -> str:
    """Tells it from the program before an update, whose answers may look otherwise."""
    files = Path(perennial.__file__).parent.rglob("*.py")
    return str(max(file.stat().st_mtime_ns for file in files))
