"""Files that were sent and wait to be checked and imported.

An upload is a folder with the file and, once it was checked, what was found. It
lies below the media folder, apart for each workspace, and goes with its import.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import get_valid_filename

from perennial.apps.intake.files import ImportReport
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue
from perennial.core.ids import new_id

#: What nobody imports is removed after this time.
KEEP = timedelta(hours=24)
_REPORT = "report.json"
_NAME_LENGTH = 120
_TOKEN = re.compile(r"[0-9a-f]{32}")


class Unusable(BadValue):
    """The file as a whole cannot be read: trying again changes nothing."""

    permanent = True


@dataclass(frozen=True)
class Checked:
    """What a dry run found; `error` where the file cannot be read at all."""

    table: str = ""
    import_id: str = ""
    rows: int = 0
    good: int = 0
    unchanged: int = 0
    rejected: int = 0
    problems: tuple[str, ...] = ()
    mapping: tuple[tuple[str, str], ...] = ()
    recognized: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Upload:
    token: str
    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def checked(self) -> Checked | None:
        try:
            found = json.loads((self.folder / _REPORT).read_text())
        except FileNotFoundError:
            return None
        return Checked(**{k: _tuples(v) for k, v in found.items()})

    def note(self, checked: Checked | None) -> None:
        """Writes down what the check found; None forgets it."""
        report = self.folder / _REPORT
        if checked is None:
            report.unlink(missing_ok=True)
            return
        draft = self.folder / f"{_REPORT}.part"
        draft.write_text(json.dumps(asdict(checked)))
        draft.replace(report)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _root(workspace: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "uploads" / workspace


def keep(workspace: Workspace, file: UploadedFile[bytes]) -> Upload:
    """Takes a file in, and clears away what was left lying."""
    _tidy(workspace.key)
    folder = _root(workspace.key) / new_id()
    folder.mkdir(parents=True)
    upload = Upload(folder.name, folder / _name(file.name or ""))
    with upload.path.open("wb") as kept:
        for chunk in file.chunks():
            kept.write(chunk)
    return upload


def _name(given: str) -> str:
    """A name that is safe on disk; its endings say what the file is."""
    plain = get_valid_filename(Path(given).name) if given.strip(". /") else "file"
    name = plain[-_NAME_LENGTH:].lstrip(".")
    return f"file-{name}" if name in {"", _REPORT} else name


def upload_of(workspace: str, token: str) -> Upload | None:
    """The upload of a workspace; None when it is gone or another's."""
    folder = _root(workspace) / token
    if not _TOKEN.fullmatch(token) or not folder.is_dir():
        return None
    names = (p for p in folder.iterdir() if not p.name.startswith(_REPORT))
    path = next(names, None)
    return Upload(folder.name, path) if path else None


def _tidy(workspace: str) -> None:
    root = _root(workspace)
    if not root.is_dir():
        return
    for folder in root.iterdir():
        if time.time() - folder.stat().st_mtime > KEEP.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)


def checked_from(report: ImportReport) -> Checked:
    """What the page shows of a dry run; values as text."""
    columns = tuple(report.mapping)
    rows = tuple(
        tuple(_shown(row.get(column)) for column in columns) for row in report.sample
    )
    return Checked(
        table=report.table,
        import_id=report.import_id,
        rows=report.rows,
        good=report.loaded,
        unchanged=report.unchanged,
        rejected=report.rejected,
        problems=report.sentences,
        mapping=tuple((k, str(v)) for k, v in report.mapping.items()),
        recognized=tuple((k, str(v)) for k, v in report.recognized.items()),
        columns=columns,
        sample=rows,
    )


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:80]
