"""An account's id as one part of an address.

Ids come from customers' systems and may hold anything. A slash would end the part
and servers decode `%2F` before Django sees it, so it is quoted twice.
"""

from __future__ import annotations

from urllib.parse import unquote


class AccountId:
    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return unquote(value)

    def to_url(self, value: str) -> str:
        quoted = str(value).replace("%", "%25").replace("/", "%2F")
        # Browsers resolve "." and ".." before they ask.
        return quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted
