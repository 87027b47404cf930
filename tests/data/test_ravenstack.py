"""A public data set with its dirt: byte-order marks, dd-mm-yyyy, repeated ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from perennial.cli.main import cli
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace

DATA = Path(__file__).parents[3] / "shared" / "data" / "ravenstack"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no data at {DATA}")

FILES = {
    "accounts": "ravenstack_accounts.csv",
    "subscription_items": "ravenstack_subscriptions.csv",
    "usage": "ravenstack_feature_usage.csv",
    "tickets": "ravenstack_support_tickets.csv",
}


@pytest.fixture(scope="module")
def imported(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Workspace, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ravenstack")
    reports = {}
    for table, file in FILES.items():
        arguments = [
            "--data",
            str(folder),
            "import",
            table,
            str(DATA / file),
            "--format",
            "json",
        ]
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        (report,) = json.loads(result.stdout)
        reports[table] = {**report, "said": result.stderr}
    workspace = open_workspace(folder)
    workspace.refresh(as_of="2025-01-01")
    return workspace, reports


def test_every_row_is_accounted_for(imported: tuple[Workspace, dict[str, Any]]) -> None:
    _, reports = imported
    rows = {table: report["rows"] for table, report in reports.items()}
    assert rows == {
        "accounts": 500,
        "subscription_items": 5_000,
        "usage": 25_000,
        "tickets": 2_000,
    }
    for report in reports.values():
        assert (
            report["loaded"] + report["unchanged"] + report["rejected"]
            == report["rows"]
        )


def test_rejects_say_why_in_words(imported: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, reports = imported
    rejects = workspace.lake.read("rejects").to_pylist()
    assert len(rejects) == sum(report["rejected"] for report in reports.values()) > 0
    for reject in rejects:
        assert len(reject["reason"].split()) > 3
        assert json.loads(reject["payload"])
    for report in reports.values():
        assert bool(report["rejected"]) == bool(report["said"].strip())


def test_dates_are_read_day_first(imported: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, _ = imported
    accounts = {r["account_id"]: r for r in workspace.lake.read("accounts").to_pylist()}
    assert accounts["A-2e4581"]["created_at"].date().isoformat() == "2024-10-16"
    assert accounts["A-2e4581"]["industry"] == "EdTech"


def test_usage_reaches_its_account(imported: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, reports = imported
    uses = workspace.metric("feature_uses", start="2023-01-01", end="2025-01-01")
    accounts = workspace.metric("active_accounts", start="2023-01-01", end="2025-01-01")
    assert (uses.value or 0) > reports["usage"]["loaded"]
    assert 400 < (accounts.value or 0) <= 500
