"""Alerts and playbooks over many accounts: what an evaluation costs, and again.

`python -m benchmarks.work 50000` writes the measures of so many accounts into a
folder of its own, turns on every ready-made playbook, and evaluates: the first time
everything is new; then nothing has changed; then one account in a hundred has.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from perennial.apps.team.models import Workspace
    from perennial.lake.workspace import Workspace as Lake

OWNERS = 800
COLORS = ("green", "yellow", "orange", "red")


def main() -> None:
    found = argparse.ArgumentParser(prog="python -m benchmarks.work")
    found.add_argument("accounts", type=int, nargs="?", default=50_000)
    accounts = found.parse_args().accounts
    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    try:
        measure(folder, accounts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, accounts: int) -> None:
    from perennial.config.start import setup

    setup(folder, migrate=True)
    from perennial.apps.team.actions import create_workspace
    from perennial.apps.team.lake import lake_of
    from perennial.apps.work.alerts import actions as alerts
    from perennial.apps.work.playbooks import engine

    workspace = create_workspace("default")
    lake = lake_of(workspace)
    write(lake, accounts, seed=1)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {accounts:,} accounts\n"
    )
    print("| | s | CPU s | what |\n| --- | --- | --- | --- |")
    turn_on(workspace)
    steps = ("alerts", alerts.evaluate), ("playbooks", engine.evaluate)
    for moment in ("first", "nothing new", "one in a hundred changed"):
        if moment.startswith("one"):
            write(lake, accounts, seed=1, changed=accounts // 100)
        for name, evaluate in steps:
            report(f"{name}, {moment}", lambda e=evaluate: e(workspace))  # type: ignore[misc]


def report(name: str, work: Callable[[], object]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    done = work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {done} |", flush=True)


def turn_on(workspace: Workspace) -> None:
    """Every ready-made playbook, without its days in a row: all starts come at once."""
    from perennial.apps.team.models import Membership, User
    from perennial.apps.team.roles import Role
    from perennial.apps.work.playbooks import actions, library

    user = User.objects.create_user("head@example.com")
    by = Membership.objects.create(user=user, workspace=workspace, role=Role.OWNER)
    for key in library.READY:
        document = library.document(key)
        document["limits"]["after_days"] = 1
        actions.turn_on(actions.add(by, document), by)


def write(lake: Lake, accounts: int, *, seed: int, changed: int = 0) -> None:
    """Measures of today: most accounts are well. `changed` of them turn red."""
    random = Random(seed)
    now = datetime.now(UTC)
    rows = [account(random, n, now) for n in range(accounts)]
    for row in rows[:changed]:
        row.update(health_color="red", health_score=20.0, urgent_tickets=3)
    from perennial.lake.tables import TABLES

    schema = TABLES["account_measures"].schema()
    frame = pl.DataFrame(rows, infer_schema_length=None)
    missing = [name for name in schema.names if name not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(name) for name in missing)
    table = frame.select(schema.names).to_arrow().cast(schema)
    from perennial.lake.duck import connect

    with lake.lake.lock("account_measures"), connect() as duck:
        duck.register("built_measures", table)
        lake.lake.replace(duck, "account_measures", "built_measures", progress={})


def account(random: Random, n: int, now: datetime) -> dict[str, Any]:
    color = random.choices(COLORS, (70, 20, 6, 4))[0]
    seats = random.randint(4, 200)
    active = int(seats * random.betavariate(5, 3))
    before = max(1, int(active * random.uniform(0.8, 1.3)))
    return {
        "account_id": f"a{n}",
        "as_of": now.date(),
        "name": f"Account {n}",
        "state": "paying",
        "owner_email": f"csm{n % OWNERS}@example.com",
        "mrr_e4": random.randint(50, 5000) * 10_000,
        "health_color": color,
        "health_score": {"green": 85.0, "yellow": 70.0, "orange": 50.0, "red": 25.0}[
            color
        ],
        "health_status": "ok",
        "renewal_on": now.date() + timedelta(days=random.randint(0, 364)),
        "customer_since": now.date() - timedelta(days=random.randint(10, 1500)),
        "seats": seats,
        "active_users": active,
        "active_users_before": before,
        "logins_14d": active * 5,
        "logins_14d_before": before * 5,
        "last_seen_at": now - timedelta(days=random.expovariate(1 / 2)),
        "urgent_tickets": int(random.random() < 0.02) * 2,
        "open_tickets": random.randint(0, 3),
    }


if __name__ == "__main__":
    main()
