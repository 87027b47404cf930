"""JSON as people read it."""

from __future__ import annotations

import json


def pretty(text: str | None) -> str:
    """With indents where it is JSON, as it came where it is not."""
    if not text:
        return ""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
