"""Answers that are kept until a table they read changes.

A read of the lake costs 10 to 20 ms, most of it for building the query; between two
refreshes its answer cannot change. The key is the version of every table read, so
nothing has to be told that data came.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

from perennial.lake.workspace import Workspace as Lake

P = ParamSpec("P")
R = TypeVar("R")
Read = Callable[Concatenate[Lake, P], R]


def kept(*tables: str, size: int = 256) -> Callable[[Read[P, R]], Read[P, R]]:
    """Keeps the answers of a read of these tables; settings count as one of them.

    Arguments must be hashable, answers are shared: nobody changes them.
    """

    def decorate(read: Read[P, R]) -> Read[P, R]:
        @lru_cache(maxsize=size)
        def answer(
            lake: Lake, _versions: tuple[int, ...], /, *args: P.args, **kwargs: P.kwargs
        ) -> R:
            return read(lake, *args, **kwargs)

        @wraps(read)
        def asked(lake: Lake, /, *args: P.args, **kwargs: P.kwargs) -> R:
            names = (*tables, "settings")
            versions = tuple(lake.lake.snapshot(name).version for name in names)
            return answer(lake, versions, *args, **kwargs)  # type: ignore[arg-type]

        return asked

    return decorate
