"""The tracking API against its own description, with whatever can be thought up."""

from __future__ import annotations

import base64
import json
import urllib.request

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks

from tests.conformance.described import openapi
from tests.conformance.server import Server, wait_for

# Short forms lead to the same code; that they do is tested where routes are.
SCHEMA = schemathesis.openapi.from_dict(openapi()).include(path_regex=r"/v1/\w{2,}$")
load_all_checks()
CHECKS = schemathesis.checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return server.new_key("described")[0]


@SCHEMA.parametrize()
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
def test_answers_are_those_described(
    case: schemathesis.Case, server: Server, key: str
) -> None:
    basic = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)


def test_the_loader_took_all_of_it(server: Server) -> None:
    """Last in this file: nothing of the above is left in the inbox."""
    made, source = server.new_key("after")
    body = json.dumps({"writeKey": made, "userId": "u", "event": "After"}).encode()
    with urllib.request.urlopen(f"{server.url}/v1/track", body) as answer:
        assert answer.status == 200
    wait_for(lambda: bool(server.events(source)), "the last event", 60)
