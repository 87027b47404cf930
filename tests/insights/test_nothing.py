"""Where nothing goes with leaving, nothing is found: `python -m benchmarks.truths 20
nothing` tries twenty companies, this one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from perennial.demo.generate import generate
from perennial.lake import models, observations
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace

END = date(2026, 11, 1)
#: What decisions and use are read from.
READ = (
    *("accounts", "users", "memberships", "seat_contracts", "events", "features"),
    *("event_definitions", "entitlements", "subscription_items", "contracts"),
)


def test_nothing_is_found_where_nothing_is_planted(tmp_path: Path) -> None:
    workspace = Workspace(Lake(tmp_path / "lake" / "default"))
    made = generate(end=END, seed=3, accounts=110, months=26, planted=False)
    for name in READ:
        workspace.lake.write(name, made[name])
    workspace.roll_up()
    seen = observations.of_decisions(workspace, as_of=END)
    found = models.discoveries(workspace, seen)[""]
    assert found.status == "ok"
    compared = [f for f in found.findings if f.q is not None]
    assert len(compared) >= 8
    assert not [f.feature for f in compared if f.significant]
    # The rate of renewal is the same, however much is used.
    uses = seen.uses["scheduled_reports"]
    stayed = seen.cases["renewed"].to_numpy()
    much = uses > sorted(uses)[len(uses) // 2]
    assert abs(stayed[much].mean() - stayed[~much].mean()) < 0.15
