"""Addresses in mails: whole ones, where the installation knows its own."""

from __future__ import annotations

from django.conf import settings


def absolute(path: str) -> str:
    """The address of a page as others reach it; the path alone where no public
    address is set."""
    return f"{settings.PUBLIC_URL}{path}"
