"""From the answer to the numbers: seconds, while the product runs as it does."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import timedelta
from functools import partial
from pathlib import Path

from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace
from tests.conformance.server import Server, wait_for
from tests.installed import install

#: What is promised; a loaded machine is slower than a customer's.
SECONDS = 10.0


def send(server: Server, key: str, call: str, **message: object) -> None:
    body = json.dumps({**message, "writeKey": key}).encode()
    request = urllib.request.Request(f"{server.url}/v1/{call}", body)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def _is_refreshed(server: Server) -> bool:
    return server.lake.snapshot("account_measures").version >= 0


def _is_seen(workspace: Workspace, account: str, users: int) -> bool:
    today = workspace.today
    rows = workspace.metric("dau", start=today, end=today + timedelta(days=1)).rows
    listed = workspace.lake.read("account_measures")["account_id"].to_pylist()
    return bool(rows["value"][0] == users) and account in listed


def test_an_event_is_seen_in_numbers_and_accounts_within_seconds(
    tmp_path: Path,
) -> None:
    server = Server(install(tmp_path))
    server.start()
    try:
        key, source = server.new_key("Web")
        send(
            server, key, "group", userId="ada", groupId="acme", traits={"name": "Acme"}
        )
        wait_for(lambda: bool(server.events(source)), "the first event", 30)
        wait_for(partial(_is_refreshed, server), "the first refresh", 30)
        for users in (1, 2):
            account = f"account-{users}"
            began = time.monotonic()
            send(
                server,
                key,
                "track",
                userId=f"user-{users}",
                event="E",
                context={"groupId": account},
            )
            seen = partial(_is_seen, open_workspace(tmp_path), account, users)
            wait_for(seen, "the user in the numbers, the account in the lists", 30)
            took = time.monotonic() - began
            assert took < SECONDS, f"visible after {took:.1f} s"
    finally:
        server.stop()
