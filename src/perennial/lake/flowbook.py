"""Onboarding flows as the lake was told of them: every version, and what was ticked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perennial.core import onboarding
from perennial.core.errors import BadValue
from perennial.core.onboarding import Flow
from perennial.lake import matching
from perennial.lake.tables import TABLES
from perennial.metrics import conditions, filters

if TYPE_CHECKING:
    from perennial.lake.store import Lake
    from perennial.lake.workspace import Workspace

NAME = "onboarding_flows"
TICKS = "onboarding_ticks"


@dataclass(frozen=True)
class Book:
    """A flow with its versions by number; the last one is in force."""

    name: str
    versions: Mapping[int, Flow]
    is_stopped: bool

    @property
    def number(self) -> int:
        return max(self.versions)

    @property
    def flow(self) -> Flow:
        return self.versions[self.number]

    def version_of(self, started: date) -> int | None:
        return onboarding.version_of(self.versions, started)


def known(lake: Lake) -> Mapping[str, Book]:
    """Flows by name."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in lake.read(NAME).sort_by("version").to_pylist():
        found.setdefault(row["flow"], []).append(row)
    return {
        name: Book(
            name,
            {r["version"]: onboarding.read(json.loads(r["document"])) for r in rows},
            bool(rows[-1]["is_stopped"]),
        )
        for name, rows in sorted(found.items())
    }


def chains(lake: Lake) -> list[dict[str, str | int]]:
    """Every step that has to be taken, of every version: flow, version, step."""
    return [
        {"flow": book.name, "version": version, "step": step}
        for book in known(lake).values()
        for version, flow in book.versions.items()
        for step in flow.chain
    ]


def checked(workspace: Workspace, document: object) -> Flow:
    """The flow of a document, if it can be asked here; raises `BadValue`."""
    flow = onboarding.read(document)
    for place, condition in _conditions(flow):
        try:
            found = conditions.read(condition)
            matching.refuse_unknown(workspace, found)
            matching.check(workspace, found)
        except BadValue as error:
            raise BadValue(f"{place}: {error}") from None
    for step in flow.steps:
        if step.where:
            filters.parse(step.where)
    return flow


def _conditions(flow: Flow) -> list[tuple[str, Mapping[str, Any]]]:
    steps = [(step.name, step.condition) for step in flow.steps]
    of_steps = [(name, condition) for name, condition in steps if condition]
    return [("who", flow.who), *of_steps] if not flow.is_for_all else of_steps


def publish(workspace: Workspace, name: str, document: object, *, by: str) -> int:
    """The document becomes the version in force, unless it is; its number.

    Raises `BadValue`, also where people become accounts or the other way round: their
    progress would be about somebody else.
    """
    flow, lake = checked(workspace, document), workspace.lake
    with lake.lock(NAME):
        book = known(lake).get(name)
        if book and book.flow.per != flow.per:
            raise BadValue(f"per: {name} is of {book.flow.per}s, and stays so")
        number = book.number if book else 1
        if book and book.flow != flow:
            number += 1
        _keep(workspace, name, number, flow, by=by, is_stopped=False)
    return number


def stop(workspace: Workspace, name: str, *, by: str) -> None:
    """Nobody enters any more; who is in it goes on."""
    with workspace.lake.lock(NAME):
        book = known(workspace.lake)[name]
        _keep(workspace, name, book.number, book.flow, by=by, is_stopped=True)


def _keep(
    workspace: Workspace,
    name: str,
    number: int,
    flow: Flow,
    *,
    by: str,
    is_stopped: bool,
) -> None:
    document = json.dumps(onboarding.to_document(flow), ensure_ascii=False)
    row = {
        "flow": name,
        "version": number,
        "document": document,
        "is_stopped": is_stopped,
        "changed_at": workspace.now,
        "changed_by": by,
    }
    _write(workspace, NAME, row)


def tick(
    workspace: Workspace,
    flow: str,
    step: str,
    account_id: str | None,
    user_id: str | None,
    *,
    at: datetime | None,
    by: str = "",
) -> None:
    """Write down that a step was done, or with `at` None that it was not."""
    row = {
        "flow": flow,
        "step": step,
        "account_id": account_id,
        "user_id": user_id,
        "completed_at": at,
        "by": by or None,
    }
    _write(workspace, TICKS, row)


def _write(workspace: Workspace, name: str, row: Mapping[str, Any]) -> None:
    schema = TABLES[name].schema()
    workspace.lake.write(name, pa.Table.from_pylist([dict(row)], schema=schema))
