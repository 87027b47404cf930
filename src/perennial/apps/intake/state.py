"""What is wrong with this installation's intake, if anything: for the page Data and
the command `perennial check`."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.intake.headlines import short_age
from perennial.apps.intake.models import Batch
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.workspace import Workspace as Lake

#: Free space below this is a warning, below that an emergency.
DISK_LOW: Final = 2 << 30
DISK_FULL: Final = 256 << 20
#: The oldest request may wait so long; and so many may wait.
WAITING: Final = timedelta(seconds=60)
MANY: Final = 100_000
#: Roll-ups may be behind the events so long.
BEHIND: Final = timedelta(minutes=5)
_PATIENCE_S: Final = 0.5


@dataclass(frozen=True)
class Problem:
    """`code` is stable; `said` is what happened, `todo` what to do about it."""

    code: str
    said: str
    todo: str
    is_severe: bool = False


def state(workspace: Workspace) -> list[Problem]:
    """What is wrong now, worst first; empty: all is well."""
    found = [
        *_disk(settings.DATA.path),
        *_database(),
        *_lake_folder(settings.DATA.lake),
        *_backlog(timezone.now()),
        *_rolled_up(lake_of(workspace), timezone.now()),
    ]
    return sorted(found, key=lambda problem: not problem.is_severe)


def _disk(folder: Path) -> Iterator[Problem]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # whether it can be written is asked below
    if free < DISK_FULL:
        yield Problem(
            "disk_full",
            _("The disk is full: %(free)s MB are free.") % {"free": free >> 20},
            _("Free space in the data folder. Clients keep their events meanwhile."),
            is_severe=True,
        )
    elif free < DISK_LOW:
        yield Problem(
            "disk_low",
            _("The disk is nearly full: %(free)s MB are free.") % {"free": free >> 20},
            _("Free space in the data folder, or move it to a larger disk."),
        )


def _database() -> Iterator[Problem]:
    try:
        _begin_writing()
    except (DatabaseError, sqlite3.Error) as error:
        yield Problem(
            "database",
            _("The application database cannot be written: %(error)s.")
            % {"error": str(error).rstrip(".")},
            _("Clients keep their events, and send them again once it can be written."),
            is_severe=True,
        )


def _begin_writing() -> None:
    """Take the right to write and give it back; raises where that cannot be.

    On a connection of its own, which does not wait long: another may be writing.
    """
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite" and path.is_file():
        with closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as own:
            own.execute("BEGIN IMMEDIATE")
            own.rollback()
        return
    with transaction.atomic():
        Batch.objects.filter(pk=0).update(size=0)
        transaction.set_rollback(True)


def _lake_folder(folder: Path) -> Iterator[Problem]:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Problem(
            "lake",
            _("The folder of the tables cannot be written: %(error)s.")
            % {"error": error.strerror or str(error)},
            _("Events are safe in the inbox. Make %(folder)s writable.")
            % {"folder": folder},
            is_severe=True,
        )


def _backlog(now: datetime) -> Iterator[Problem]:
    ends = Batch.objects.aggregate(first=Min("pk"), last=Max("pk"))
    oldest = Batch.objects.order_by("pk").values_list("received_at", flat=True).first()
    if oldest is None or ends["first"] is None:
        return
    count, age = ends["last"] - ends["first"] + 1, now - oldest
    if age > WAITING:
        yield Problem(
            "loader",
            ngettext(
                "%(count)s request has been waiting for %(age)s.",
                "%(count)s requests wait, the oldest for %(age)s.",
                count,
            )
            % {"count": count, "age": short_age(age)},
            _(
                "The loader is not running, or cannot keep up: start “perennial serve” "
                "or “perennial worker”. Nothing is lost."
            ),
        )
    elif count > MANY:
        yield Problem(
            "backlog",
            _("%(count)s requests wait to be loaded.") % {"count": count},
            _("The loader catches up by itself when less arrives."),
        )


def _rolled_up(lake: Lake, now: datetime) -> Iterator[Problem]:
    """Events in the lake that no number knows yet."""
    done = lake.lake.progress("account_days", "events")
    newest = lake.lake.snapshot("events").version
    if newest < 0 or (done is not None and done >= newest):
        return
    first_missing = _commit_time(lake, "events", 0 if done is None else done + 1)
    if first_missing is None or now - first_missing <= BEHIND:
        return
    age = short_age(now - first_missing)
    yield Problem(
        "roll_ups",
        _("Numbers are %(age)s behind the events.") % {"age": age},
        _("Refresh; if that fails, its message says why."),
    )


def _commit_time(lake: Lake, table: str, version: int) -> datetime | None:
    """When a version of a table was made; None where that is not known."""
    log = Path(lake.lake.uri(table)) / "_delta_log"
    try:
        made = (log / f"{version:020d}.json").stat().st_mtime
    except OSError:  # the lake is not a folder, or the log was cleaned up
        return None
    return datetime.fromtimestamp(made, UTC)
