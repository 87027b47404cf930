"""Ids made by the product itself."""

from __future__ import annotations

import hashlib
import uuid


def new_id() -> str:
    """A random id, 32 hex characters."""
    return uuid.uuid4().hex


def digest(*parts: str) -> str:
    """An id of its content: 32 hex characters of SHA-256.

    Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ.
    """
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode()
        sha.update(f"{len(data)}:".encode())
        sha.update(data)
    return sha.hexdigest()[:32]
