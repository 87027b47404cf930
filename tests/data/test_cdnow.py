"""Real purchases of people who buy freely: the published parameters come out again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from perennial.cli.main import cli

DATA = Path(__file__).parents[3] / "shared" / "data" / "cdnow" / "cdnow_sample.csv"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no data at {DATA}")


def test_parameters_by_the_command_line(tmp_path: Path) -> None:
    """Fader, Hardie and Lee, 2005, on the first 39 weeks: r 0.243, alpha 4.414, a 0.793,
    b 2.426."""
    bought = tmp_path / "payments.csv"
    with DATA.open() as source, bought.open("w", newline="") as target:
        out = csv.writer(target)
        out.writerow(["payment_id", "account_id", "paid_at", "amount"])
        for n, row in enumerate(csv.DictReader(source)):
            out.writerow([n, row["sample_id"], row["date"], row["value"]])
    folder = tmp_path / "data"

    def run(*arguments: str) -> str:
        found = CliRunner().invoke(
            cli, ["--data", str(folder), *arguments], catch_exceptions=False
        )
        assert found.exit_code == 0, found.output
        return found.output

    run("import", "payments", str(bought), "--date-format", "%Y%m%d")
    rows = run(
        *("insights", "lifetime-value", "--set", "model=bgnbd"),
        *("--as-of", "1997-10-01", "--format", "json"),
    )
    told = {row["parameter"]: row["value"] for row in json.loads(rows)}
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert {name: told[name] for name in published} == pytest.approx(
        published, abs=0.01
    )
    assert told["buyers"] == 2357
