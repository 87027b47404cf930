"""Put the example company into a workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pyarrow as pa

from perennial.core.settings import JSON
from perennial.demo.generate import generate
from perennial.lake import models, settings_store
from perennial.lake.workspace import Workspace

#: Where the example company is at home.
SETTINGS: dict[str, JSON] = {"timezone": "Europe/Berlin", "currency": "EUR"}
#: Whose seat the visitor of the demo takes.
VISITOR = ("maja.lindqvist@aldermoor.example", "Maja Lindqvist")
COMPANY = "Aldermoor"
APPROVER = "elena.brandt@aldermoor.example"

#: Rows written at once: bounds memory, and makes one file a month and batch.
_BATCH = 1_000_000

Progress = Callable[[float, str], None]


def load(workspace: Workspace, *, end: date, seed: int, progress: Progress) -> None:
    """Generate the company up to the day before `end`, store it, refresh, and learn.

    `progress` is told the share of the work done and what is being done.
    """
    progress(0.0, "inventing a company")
    fill(workspace, generate(end=end, seed=seed), end=end, progress=progress)
    progress(0.92, "learning from past decisions")
    _learn(workspace, end)


def fill(
    workspace: Workspace,
    tables: Mapping[str, pa.Table],
    *,
    end: date,
    progress: Progress,
) -> None:
    """Store an example company and refresh."""
    settings_store.change(workspace.lake, SETTINGS, by="demo", at=workspace.now)
    rows = sum(table.num_rows for table in tables.values())
    done = 0
    for name, table in tables.items():
        for start in range(0, table.num_rows, _BATCH):
            progress(0.15 + 0.4 * done / rows, f"storing {name}")
            batch = table.slice(start, _BATCH)
            workspace.lake.write(name, batch)
            done += batch.num_rows
    workspace.refresh(
        as_of=end, progress=lambda share, what: progress(0.55 + 0.35 * share, what)
    )


def _learn(workspace: Workspace, end: date) -> None:
    """What the company learned from its decisions, and its head of customer success
    approved; with today's chances and this month's forecast."""
    version = models.propose(workspace, models.learn(workspace, as_of=end))
    if version is not None:
        models.decide(workspace, version.number, approve=True, by=APPROVER)
        workspace.refresh(as_of=end)


def team(workspace: Workspace) -> list[tuple[str, str]]:
    """The people who own accounts: address and name."""
    accounts = workspace.table("accounts")
    found = workspace.engine.run(accounts.select("owner_email").distinct())
    emails = sorted(found["owner_email"].drop_nulls().to_list())
    return [(email, _name(email)) for email in emails]


def _name(email: str) -> str:
    words = email.partition("@")[0].split(".")
    return " ".join(word.title() for word in words)
