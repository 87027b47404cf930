"""Environments with one SDK each, made by the package managers and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(sys.executable).parent
#: The project's own esbuild.
ESBUILD = Path(__file__).parents[2] / "js" / "node_modules" / ".bin" / "esbuild"


def python_with(folder: Path, *packages: str) -> Path:
    """The Python of an environment with these packages."""
    home = folder / "-".join(packages).replace("=", "")
    python = home / "bin" / "python"
    if not (home / ".done").exists():
        shutil.rmtree(home, ignore_errors=True)
        _get(str(TOOLS / "uv"), "venv", "-q", "--python", sys.executable, str(home))
        _get(str(TOOLS / "uv"), "pip", "install", "-q", "--python", python, *packages)
        (home / ".done").touch()
    return python


def node_with(folder: Path, *packages: str) -> Path:
    """A folder whose node_modules has these packages."""
    home = folder / "-".join(packages).replace("@", "").replace("/", "-")
    if not (home / ".done").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "package.json").write_text('{"private": true, "type": "module"}')
        npm = (str(TOOLS / "npm"), "--prefix", str(home), "install", "--no-audit")
        _get(*npm, "--no-fund", "--loglevel=error", *packages)
        (home / ".done").touch()
    return home


def _get(*command: str | Path) -> None:
    """Run a package manager; without the network there is nothing to test."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
        check=False,
    )
    if done.returncode == 0:
        return
    said = f"{command[0]} could not install the SDK: {done.stderr[-500:]}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        raise AssertionError(said)
    pytest.skip(said)
