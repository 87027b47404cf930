"""What the tests of two engines ask, and when answers are the same."""

from __future__ import annotations

from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from tests.builders import instant

NOW = instant("2026-06-10T05:00")
SPAN: dict[str, Any] = {"start": "2026-03-01", "end": "2026-06-01", "grain": "month"}
#: What metrics must be told that ask for events by name.
NAMED = {
    "funnel": {"steps": "Logged In,Comment Added,Report Scheduled"},
    "conversion_rate": {"base_event": "Logged In", "goal_event": "Report Scheduled"},
}
#: Metrics of one's own: of facts, and of events' properties.
OWN = (("own_replies", "tickets", "agent_replies"), ("own_items", "events", "items"))


def assert_same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert one.height > 0
    assert_frame_equal(one, other, check_exact=True)
