"""HTTPS requests to addresses that people typed: public ones only, no detours."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from perennial.core.errors import BadValue

TIMEOUT_S: Final = 10


class NotTaken(BadValue):
    """The other side answered, and not with yes."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a body; raises `NotTaken` for any answer but 2xx. Redirects are not
    followed, and the address that was checked is the one connected to."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise BadValue("not an https address")
    port = parts.port or 443
    address = public_address(parts.hostname, port)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    context = ssl.create_default_context()
    with (
        socket.create_connection((address, port), TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
    ):
        connection = http.client.HTTPConnection(parts.hostname, port)
        connection.sock = secure
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(65_536)
        if not 200 <= answer.status < 300:
            raise NotTaken(f"{parts.hostname} answered {answer.status}")


def public_address(host: str, port: int) -> str:
    """The host's address; raises `BadValue` for one inside a network: a message
    must not become a way to ask the machines around this one."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, place in found:
        address = ipaddress.ip_address(place[0])
        if address.is_global and not address.is_multicast:
            return str(address)
    raise BadValue(f"{host} is not a public address")
