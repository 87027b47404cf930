"""The data folder: everything of an installation, in one place."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    """`perennial.sqlite3`, `secret.key`, `lake/` and `media/` under one path."""

    path: Path

    @classmethod
    def from_environment(cls) -> DataFolder:
        named = os.environ.get("PERENNIAL_DATA") or "perennial-data"
        return cls(Path(named).expanduser().absolute())

    @property
    def database(self) -> Path:
        return self.path / "perennial.sqlite3"

    @property
    def lake(self) -> Path:
        return self.path / "lake"

    @property
    def media(self) -> Path:
        return self.path / "media"

    @property
    def secret_key_file(self) -> Path:
        return self.path / "secret.key"

    def prepare(self) -> None:
        """Makes what is missing; safe to call by several processes at once."""
        for folder in (self.path, self.lake, self.media):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.secret_key_file.exists():
            self._make_secret_key()

    def _make_secret_key(self) -> None:
        """Written under another name and linked, so that no reader sees half."""
        draft = self.path / f"secret.key.{os.getpid()}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, self.secret_key_file)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            draft.unlink()

    def secret_key(self) -> str:
        """The key of the installation; one for this process where there is none.

        Reading settings must not write files: checks, type checkers and tests do
        it. `prepare` makes the key before anything is signed to last.
        """
        try:
            return self.secret_key_file.read_text().strip()
        except FileNotFoundError:
            return secrets.token_urlsafe(50)
