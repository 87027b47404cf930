"""A mail server on this machine, for tests of what is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings


class Post:
    """A mail server that keeps what it gets, or refuses."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuses = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuses:
            return "451 try later"
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    found = Post()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(found, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_USE_TLS = False
    yield found
    server.stop()
