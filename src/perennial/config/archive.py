"""A data folder as one archive, and back.

The archive is a tar, compressed by zstd; its last member, `manifest.json`, names every
file with size and SHA-256, so that half an archive is known for one. The database is
taken first, SQLite's file or a dump of PostgreSQL's, and the lake after it: what is
loaded in between is in both, and counts once by its key. What is derived beside them
(caches, indexes, locks) is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import pyarrow as pa

from perennial.config import dumping
from perennial.config.folder import DataFolder
from perennial.core.errors import BadValue
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES

_MANIFEST: Final = "manifest.json"
#: A newer archive may hold what this program would not know to read.
_LAYOUT: Final = 2
_DUMP: Final = "perennial.pgdump"
_CHUNK: Final = 2**20

Report = Callable[[float, str], None]
Entry = dict[str, Any]


def back_up(
    folder: DataFolder, target: Path, report: Report, *, url: str = ""
) -> list[Entry]:
    """Write everything of a folder into a new file, while others may use the folder;
    the files in it, with sizes in bytes. `url` names a database that is PostgreSQL's.

    The file is readable by its owner alone: it has the key that signs sessions.
    Raises `BadValue` where there is no installation, the file exists already, or the
    database cannot be copied.
    """
    if not folder.lake.is_dir():
        raise BadValue(f"there is nothing in {folder.path} to back up")
    if target.exists():
        raise BadValue(f"{target} exists already")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _written(draft) as tar:
            files = [
                _add(tar, path, name)
                for path, name in _files(folder, target, report, url)
            ]
            _add_manifest(tar, files)
        os.link(draft, target)  # unlike a rename, never over another's
    finally:
        draft.unlink(missing_ok=True)
    return files


def restore(
    source: Path, folder: DataFolder, report: Report, *, url: str = ""
) -> list[Entry]:
    """Make a folder of an archive, and fill the database at `url` where it was
    PostgreSQL's: all of it or nothing. The files that were in it.

    Raises `BadValue` where folder or database have something in them, or the archive
    is damaged, cut off, of a newer program, or of the other kind of database.
    """
    if url:
        dumping.check_empty(url)
    if folder.path.exists() and any(folder.path.iterdir()):
        raise BadValue(f"{folder.path} is not empty: restore into an empty folder")
    folder.path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".restoring-", dir=folder.path.parent))
    try:
        files = _unpack(source, draft, report, url)
        if url:
            _fill(draft, url)
        _put(draft, folder.path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return files


# Writing


@contextmanager
def _written(path: Path) -> Iterator[tarfile.TarFile]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with (
            pa.output_stream(path, compression="zstd") as packed,
            tarfile.open(fileobj=packed, mode="w|") as tar,
        ):
            yield tar
        os.fsync(handle)
    finally:
        os.close(handle)


def _files(
    folder: DataFolder, target: Path, report: Report, url: str
) -> Iterator[tuple[Path, str]]:
    """Every file with its name in the archive; a table is locked while it is read.

    The copy of the database lies beside `target`, where there has to be room.
    """
    report(0, "database")
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        for copy in _database(folder, Path(temporary), url):
            yield copy, copy.name
    if folder.secret_key_file.exists():
        yield folder.secret_key_file, folder.secret_key_file.name
    workspaces = sorted(path for path in folder.lake.iterdir() if path.is_dir())
    steps = [(root, name) for root in workspaces for name in TABLES]
    for done, (root, name) in enumerate(steps):
        report(done / len(steps), name)
        if (root / name).is_dir():
            with Lake(root).lock(name):
                yield from _below(root / name, folder.path)
    yield from _below(folder.media, folder.path)


def _database(folder: DataFolder, into: Path, url: str) -> Iterator[Path]:
    """A copy as it is at one instant; none where there is no database, which to import
    and to ask needs none."""
    if url:
        dumping.dump(url, into / _DUMP)
        yield into / _DUMP
    elif folder.database.exists():
        copy = into / folder.database.name
        with closing(sqlite3.connect(folder.database)) as database:
            database.execute("VACUUM INTO ?", (str(copy),))
        yield copy


def _below(top: Path, root: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(top.rglob("*")):
        if path.is_file():
            yield path, path.relative_to(root).as_posix()


def _add(tar: tarfile.TarFile, path: Path, name: str) -> Entry:
    with path.open("rb") as file:
        read = _Hashed(file)
        member = tarfile.TarInfo(name)
        member.size = os.fstat(file.fileno()).st_size
        tar.addfile(member, read)
    return {"name": name, "bytes": member.size, "sha256": read.digest()}


def _add_manifest(tar: tarfile.TarFile, files: list[Entry]) -> None:
    manifest = {
        "layout": _LAYOUT,
        "perennial": version("perennial"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files,
    }
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / _MANIFEST
        path.write_text(json.dumps(manifest))
        _add(tar, path, _MANIFEST)


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        return self._hash.hexdigest()


# Reading


def _unpack(source: Path, target: Path, report: Report, url: str) -> list[Entry]:
    found: dict[str, Entry] = {}
    manifest: Entry = {}
    try:
        size = source.stat().st_size
        with (
            source.open("rb") as file,
            pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd") as packed,
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            for member in tar:
                report(file.tell() / size, member.name)
                _check_kind(source, member.name, url)
                found[member.name] = _take(tar, member, target)
        manifest = json.loads((target / _MANIFEST).read_text())
    except FileNotFoundError:
        if not source.exists():
            raise
    except (tarfile.TarError, OSError, ValueError) as error:
        raise BadValue(f"{source} is no whole archive: {error}") from error
    found.pop(_MANIFEST, None)
    _check(source, manifest, list(found.values()))
    (target / _MANIFEST).unlink()
    return list(found.values())


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> Entry:
    """Plain files below the target only, whatever the archive says."""
    name = PurePosixPath(member.name)
    if not member.isfile() or name.is_absolute() or ".." in name.parts:
        raise BadValue(f"the archive has {member.name!r} in it, which is no plain file")
    file = tar.extractfile(member)
    assert file is not None
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    read = _Hashed(file)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as written:
        shutil.copyfileobj(read, written, _CHUNK)
    return {"name": member.name, "bytes": member.size, "sha256": read.digest()}


def _check_kind(source: Path, name: str, url: str) -> None:
    """Said at the first member, not after all of them."""
    if name == _DUMP and not url:
        raise BadValue(
            f"{source} has a database of PostgreSQL in it: name an empty one in "
            "PERENNIAL_DATABASE_URL"
        )
    if name == DataFolder(Path()).database.name and url:
        raise BadValue(
            f"{source} has a database of SQLite in it: restore it without "
            "PERENNIAL_DATABASE_URL"
        )


def _check(source: Path, manifest: Entry, found: list[Entry]) -> None:
    if not manifest:
        raise BadValue(f"{source} is cut off: its end is missing")
    if manifest["layout"] > _LAYOUT:
        made = manifest["perennial"]
        raise BadValue(f"{source} was made by Perennial {made}, which is newer")
    if manifest["files"] != found:
        raise BadValue(f"{source} is damaged: its files are not those it names")


def _fill(draft: Path, url: str) -> None:
    dumped = draft / _DUMP
    if dumped.exists():
        dumping.load(url, dumped)
        dumped.unlink()


def _put(draft: Path, path: Path) -> None:
    """The folder appears at once; everything in it is on the disk before."""
    os.sync()
    if path.exists():
        path.rmdir()
    os.rename(draft, path)
