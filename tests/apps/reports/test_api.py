"""Metrics over HTTP, with a client that knows only a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks

from perennial.apps.team import tokens
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import ApiToken, AuditEntry, Workspace
from perennial.metrics.registry import all_metrics
from tests.apps.team.cast import Cast

Get = Callable[..., Any]
MONTHS = {"start": "2026-02-01", "end": "2026-05-01", "grain": "month"}


@pytest.fixture
def token(workspace: Workspace) -> str:
    return tokens.create(workspace, "a script", by=None)[1]


@pytest.fixture
def get(token: str) -> Get:
    def got(path: str, **query: Any) -> Any:
        client = Client(headers={"authorization": f"Bearer {token}"})
        return client.get(f"/api/v1/{path}", query)

    return got


@pytest.mark.parametrize("key", ["mrr", "dau", "stickiness"])
def test_values_are_those_of_python(get: Get, workspace: Workspace, key: str) -> None:
    found = get(f"metrics/{key}", by=["segment"], **MONTHS).json()
    again = lake_of(workspace).metric(key, by=["segment"], **MONTHS).to_dicts()
    assert [row["value"] for row in found["rows"]] == [r["value"] for r in again]
    assert [row["segment"] for row in found["rows"]] == [r["segment"] for r in again]
    first = found["rows"][0]
    assert first["period_start"] == "2026-02-01"
    assert set(first) == set(again[0])
    assert found["unit"] == all_metrics()[key].unit


def test_the_catalog_comes_in_pages(get: Get) -> None:
    keys: list[str] = []
    cursor = ""
    while cursor is not None:
        page = get("metrics", limit=7, cursor=cursor).json()
        keys += [item["key"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert keys == sorted(all_metrics())


def test_errors_are_problems(get: Get) -> None:
    for path, query, status, said in (
        ("metrics/nothing", {}, 404, "unknown metric 'nothing'"),
        ("metrics/mrr", {"by": "shoe_size"}, 400, "unknown dimension 'shoe_size'"),
        ("metrics/mrr", {"start": "yesterday"}, 422, "start"),
        ("metrics/mrr", {"where": "drop table"}, 400, "condition"),
        ("metrics", {"limit": 0}, 422, "limit"),
        ("metrics", {"cursor": "\u00fc"}, 400, "cursor"),
    ):
        answer = get(path, **query)
        assert (answer.status_code, answer["Content-Type"]) == (
            status,
            "application/problem+json",
        ), path
        assert answer.json()["status"] == status
        assert said in answer.json()["detail"]


def test_only_a_live_token_lets_in(get: Get, cast: Cast, token: str) -> None:
    for header in ({}, {"authorization": "Bearer prn_wrong"}):
        answer = Client(headers=header).get("/api/v1/metrics")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
    signed_in = Client()
    signed_in.force_login(cast.owner)
    assert signed_in.get("/api/v1/metrics").status_code == 401
    assert get("metrics").status_code == 200
    known = ApiToken.objects.get()
    assert known.used_at is not None
    assert token not in repr(vars(known))
    tokens.revoke(known, by=cast.owner)
    assert get("metrics").status_code == 401
    verbs = AuditEntry.objects.values_list("verb", flat=True)
    assert {"token.created", "token.revoked"} <= set(verbs)


def test_a_token_answers_for_its_own_workspace(get: Get, cast: Cast) -> None:
    theirs = tokens.create(cast.elsewhere, "theirs", by=None)[1]
    client = Client(headers={"authorization": f"Bearer {theirs}"})
    asked = {"as_of": "2026-05-01"}
    [row] = client.get("/api/v1/metrics/mrr", asked).json()["rows"]
    assert row["value"] == lake_of(cast.elsewhere).metric("mrr", **asked).value
    [mine] = get("metrics/mrr", **asked).json()["rows"]
    assert mine["value"] != row["value"]


def test_a_reader_does_not_write(workspace: Workspace) -> None:
    reader, _ = tokens.create(workspace, "r", by=None)
    writer, _ = tokens.create(workspace, "w", by=None, scope=ApiToken.Scope.WRITE)
    assert reader.covers("read")
    assert not reader.covers("write")
    assert writer.covers("read")
    assert writer.covers("write")


def test_the_description_and_its_page(db: None) -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    assert "/api/v1/metrics/{key}" in schema["paths"]
    page = Client().get("/api/v1/docs").content.decode()
    assert "GET /api/v1/metrics/{key}" in page


load_all_checks()
CHECKS = schemathesis.checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)
SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())


@SCHEMA.parametrize()
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_answers_are_those_described(case: schemathesis.Case, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    case.call_and_validate(headers=headers, checks=CHECKS)


@pytest.mark.parametrize("path", ["accounts/a%0Ab", "nothing", "../v2/accounts"])
def test_where_nothing_is_the_answer_is_a_problem_too(path: str) -> None:
    answer = Client().post(f"/api/v1/{path}", "{}", "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (
        404,
        "application/problem+json",
    )
