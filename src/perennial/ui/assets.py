"""The built files of the browser bundle, by their plain name.

The build (js/build.mjs) puts a hash of the content into each file's name and
lists the names in a manifest, so the files can be cached for ever.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import cast

from django.templatetags.static import static

DIST = Path(__file__).parent / "static" / "dist"


@cache
def manifest() -> dict[str, str]:
    """Plain name to hashed name; empty when the bundle was never built."""
    try:
        text = (DIST / "manifest.json").read_text()
    except FileNotFoundError:
        return {}
    return cast("dict[str, str]", json.loads(text))


@cache
def url(name: str) -> str:
    return static(f"dist/{manifest().get(name, name)}")
