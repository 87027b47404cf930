"""What every worker needs is made by the first; each works on its own copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree

import pytest
from filelock import FileLock


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """A folder that `make` filled, in this run of the tests; not to be written to."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


def copied(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """This worker's copy of it."""
    made = made_once(factory, f"made-{name}", make)
    return copytree(made, factory.mktemp(name), dirs_exist_ok=True)
