"""A data folder as the first start leaves it: to make one takes seconds, to copy none.

What a start does with an empty folder is shown by the torture test and the demo.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_PROGRAM = """
from perennial.config.start import setup
setup(migrate=True)
from django.db import connection
connection.close()
"""


def install(folder: Path) -> Path:
    """The folder, with an empty application database in it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_made() / "perennial.sqlite3", folder)
    return folder


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="perennial-installed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
    subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**plain, "PYTHONPATH": "src", "PERENNIAL_DATA": str(folder)},
        check=True,
    )
    return folder
