"""Django for programs that are not a web server: the command line, scripts."""

from __future__ import annotations

import os
from pathlib import Path

from perennial.config.folder import DataFolder
from perennial.core.errors import BadValue


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
        _migrate()
    return folder


def _migrate() -> None:
    """Brings the application database up to this version of the program.

    Raises `BadValue` where it cannot be used: it does not answer, or a newer program
    has changed it, and this one would read and write past what it does not know.
    """
    from django.core.management import call_command
    from django.db import OperationalError, connection
    from django.db.migrations.loader import MigrationLoader

    try:
        loader = MigrationLoader(connection)
        own = {app for app, _ in loader.disk_migrations}
        unknown = sorted(
            f"{app}.{name}"
            for app, name in loader.applied_migrations.keys() - loader.graph.nodes
            if app in own and (app, name) not in loader.disk_migrations
        )
        if unknown:
            raise BadValue(
                f"a newer version of Perennial has used this data ({unknown[-1]} is "
                "unknown here): install that version"
            )
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        said = str(error).splitlines()[0]
        raise BadValue(f"the application database cannot be used: {said}") from error
