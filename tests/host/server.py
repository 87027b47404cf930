"""A product of somebody else, for tests of what the snippet shows in it.

It is strict: a Content-Security-Policy without inline anything, Trusted Types, pages
that change without a load, and a server that signs who is there.
"""

from __future__ import annotations

import hmac
import json
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tests.e2e.recorder import Answer, Request, Server

_FOLDER: Final = Path(__file__).parent
_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


class Host(Server):
    """One origin of its own. `user` is signed in; `signature` None: signed rightly."""

    def __init__(self, perennial: str, key: str, secret: str) -> None:
        self.perennial, self._key, self._secret = perennial, key, secret
        self.user = ""
        self.account = ""
        self.signature: str | None = None
        super().__init__(self._page)

    def _page(self, request: Request) -> Answer:
        path = request.path.partition("?")[0]
        file = _FOLDER / path.lstrip("/")
        if path == "/favicon.ico":
            return Answer(HTTPStatus.NO_CONTENT)
        if path == "/me":
            return Answer(200, json.dumps(self._me()), {"Content-Type": "text/json"})
        if file.suffix in _TYPES and file.is_file():
            kind = _TYPES[file.suffix]
            return Answer(200, file.read_text(), {"Content-Type": kind})
        page = (_FOLDER / "index.html").read_text()
        page = page.replace("PERENNIAL", self.perennial).replace("KEY", self._key)
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": self._policy(),
        }
        return Answer(200, page, headers)

    def _me(self) -> dict[str, str]:
        right = hmac.new(self._secret.encode(), self.user.encode(), "sha256")
        signature = right.hexdigest() if self.signature is None else self.signature
        return {"user": self.user, "account": self.account, "signature": signature}

    def _policy(self) -> str:
        ours = self.perennial
        return (
            f"default-src 'none'; script-src 'self' {ours}; connect-src 'self' {ours};"
            " style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
            " require-trusted-types-for 'script'; trusted-types perennial"
        )
