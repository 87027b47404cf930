"""The tables of one account, without test users and one's own people."""

from __future__ import annotations

from datetime import date

from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import registry
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import ask


def only(account_id: str) -> str:
    """The condition that names one account; a quote in the id is doubled."""
    return "account = '{}'".format(account_id.replace("'", "''"))


def inputs_of(lake: Lake, account_id: str, start: date, end: date) -> Inputs:
    """What metrics see of one account: the days `[start, end)`."""
    query = ask(
        registry.get("dau"),
        now=lake.now,
        settings=lake.settings,
        start=start,
        end=end,
        where=only(account_id),
    )
    return lake.inputs(query)
