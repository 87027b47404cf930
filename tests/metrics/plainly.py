"""Facts as plain rows, and the rules for all of them, written a second time.

What tests compute numbers from by a way of their own: no engine, no roll-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.metrics.world import NOW, World

Row = dict[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date.fromisoformat(NOW[:10])
DAY = timedelta(days=1)

#: Spans asked for: months over both changes of clocks, days around a midnight and
#: the hour that was lost, and what `as_of` looks back.
MONTHS = {"start": "2025-09-01", "end": "2026-07-01", "grain": "month"}
DAYS = {"start": "2026-02-27", "end": "2026-03-03", "grain": "day"}
SPRING = {"start": "2026-03-28", "end": "2026-03-31", "grain": "day"}
AS_OF = {"as_of": "2026-04-20"}
SPANS = (MONTHS, DAYS, SPRING, AS_OF)


def local(instant: datetime) -> date:
    """The day in Berlin."""
    return instant.astimezone(BERLIN).date()


def second(instant: datetime) -> int:
    """Whole seconds since 1970."""
    return int(instant.timestamp() // 1)


class Plain:
    """The facts of a world, by the rules of section 0 of the reference."""

    def __init__(self, world: World) -> None:
        self.world = world

    def rows(self, name: str) -> list[Row]:
        """A table as it was written; of rows with one key the last."""
        frame = self.world.tables[name]
        return frame.to_dicts()

    @cached_property
    def segments(self) -> dict[str, str | None]:
        return {row["account_id"]: row["segment"] for row in self.rows("accounts")}

    @cached_property
    def roles(self) -> dict[str, str | None]:
        return {row["user_id"]: row["role"] for row in self.rows("users")}

    @cached_property
    def _aliases(self) -> dict[str, str]:
        if "identities" not in self.world.tables:
            return {}
        return {
            row["previous_id"]: row["user_id"]
            for row in self.rows("identities")
            if row["kind"] == "alias"
        }

    @cached_property
    def _members(self) -> dict[str, list[Row]]:
        found = defaultdict(list)
        for row in self.rows("memberships"):
            found[self.person(row["user_id"])].append(row)
        return found

    @cached_property
    def _hidden(self) -> set[str | None]:
        people = self.rows("users")
        hidden = {r["user_id"] for r in people if r["is_test"] or r["is_internal"]}
        return hidden | {r["account_id"] for r in self.rows("accounts") if r["is_test"]}

    def person(self, user: str | None) -> str | None:
        while user in self._aliases:
            user = self._aliases[user]
        return user

    def attributed(self, row: Row, at: str) -> Row:
        """With the present user, and the only account the user had at the instant."""
        user, account, then = self.person(row["user_id"]), row["account_id"], row[at]
        if account is None and user is not None and then is not None:
            held = {
                m["account_id"]
                for m in self._members[user]
                if (m["starts_at"] is None or m["starts_at"] <= then)
                and (m["ends_at"] is None or m["ends_at"] > then)
            }
            account = held.pop() if len(held) == 1 else None
        return {**row, "user_id": user, "account_id": account}

    def visible(self, rows: Iterable[Row]) -> list[Row]:
        """Rows that are not of test accounts, test users or one's own people."""
        return [
            row
            for row in rows
            if row.get("account_id") not in self._hidden
            and row.get("user_id") not in self._hidden
        ]

    def group(self, row: Row, by: Sequence[str]) -> tuple[Any, ...]:
        """The values of dimensions of a row."""
        return tuple(self._dimension(row, name) for name in by)

    def _dimension(self, row: Row, name: str) -> Any:
        match name:
            case "segment":
                return self.segments.get(row["account_id"])
            case "account":
                return row["account_id"]
            case "user":
                return row["user_id"]
            case "role":
                return self.roles.get(row["user_id"])
            case _:
                return row[name]


#: Computes a number from the rows of a period and group.
Computed = Callable[[list[Row]], float | None]


def same(
    plain: Plain,
    key: str,
    rows: Sequence[Row],
    computed: Computed,
    *,
    at: str = "date",
    by: Sequence[str] = (),
    spans: Sequence[dict[str, str]] = SPANS,
    tolerance: float = 1e-9,
    **asked: Any,
) -> None:
    """Is every row of the product's answer what is `computed` from these rows?

    `at` is the local day a row belongs to; every group of the rows must be there.
    """
    for span in spans:
        found = plain.world.workspace.metric(key, by=list(by), **span, **asked)
        answers = found.to_dicts()
        seen = {tuple(row[name] for name in by) for row in answers}
        wanted = set()
        for row in answers:
            start, end = row["period_start"], min(row["period_end"], TODAY)
            group = tuple(row[name] for name in by)
            inside = [r for r in rows if start <= r[at] < end]
            wanted |= {plain.group(r, by) for r in inside}
            own = [r for r in inside if plain.group(r, by) == group]
            expected = computed(own) if start < TODAY else None
            where = (key, asked, start, end, group)
            if expected is None:
                assert row["value"] is None, where
            else:
                assert row["value"] == pytest.approx(
                    expected, abs=tolerance, rel=tolerance
                ), where
        assert wanted <= seen, (key, span, wanted - seen)
        assert answers, (key, span)
