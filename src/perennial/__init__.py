"""Perennial: who thrives, who is about to leave, why, and what to do.

>>> import perennial
>>> ws = perennial.open("perennial-data")  # doctest: +SKIP
>>> ws.metric("mau", grain="month", start="2026-01-01")  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perennial.notebook import Workspace

__all__ = ["connect", "open"]
__version__ = "0.1.0"

# The engine is loaded when it is asked for: it takes a second, and most of the
# package does not need it.


def open(data: str | Path, workspace: str = "default") -> Workspace:
    """The workspace in a data folder; raises `BadValue` when there is none."""
    from perennial.notebook import open_workspace

    return open_workspace(data, workspace)


def connect(*, lake: str | Path, engine: str = "duckdb") -> Workspace:
    """The workspace whose Delta tables lie below `lake`, a folder or object URL.

    `engine` is "duckdb", in process, or a Spark Connect address, "sc://host:port".
    """
    from perennial import notebook

    return notebook.connect(lake=lake, engine=engine)
