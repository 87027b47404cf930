"""A page as its reader has it in the end."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

from django.test import Client

_LATE = re.compile(r'hx-get="([^"]+)" hx-trigger="load"')


def whole(client: Client, path: str) -> str:
    """The text of a page, with the parts that it asks for once it stands."""
    text = client.get(path).content.decode()
    for part in _LATE.findall(text):
        found = client.get(
            urljoin(path, unescape(part)), headers={"HX-Request": "true"}
        )
        assert found.status_code == 200, part
        text += found.content.decode()
    return text
