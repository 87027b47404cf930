"""Addresses in mails: whole ones, where the installation knows its own."""

from __future__ import annotations

from django.conf import settings


def absolute(path: str) -> str:
    """The address of a page as others reach it; the path alone where no public
    address is set."""
    return f"{settings.PUBLIC_URL}{path}"


def unsubscribing(address: str) -> dict[str, str]:
    """Headers by which mail programs offer to end what comes by mail (RFC 8058); none
    where this installation does not know its own address."""
    if not address.startswith("http"):
        return {}
    return {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
