"""Django for programs that are not a web server: the command line, scripts."""

from __future__ import annotations

import os
from pathlib import Path

from perennial.config.folder import DataFolder


def setup(data: Path | str | None = None, *, migrate: bool = False) -> DataFolder:
    """Prepares the data folder and Django; call it before importing models."""
    if data is not None:
        os.environ["PERENNIAL_DATA"] = str(Path(data).expanduser().absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perennial.config.settings")
    folder = DataFolder.from_environment()
    folder.prepare()
    import django

    django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)
    return folder
