"""What models see of an account: only what was known by then."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from perennial.core.windows import DAY as ONE_DAY
from perennial.lake import observations
from tests.builders import Case

DAY = date(2026, 6, 1)


def test_what_came_in_later_was_not_known(tmp_path: Path) -> None:
    """Ann is there on 10 May; on the 20th as well, but that is heard on 5 June. Of
    Ben's 25th a part is heard at once, a part on 2 June: how long he was there that
    day is not known apart."""
    case = Case(tmp_path, now="2026-06-20T06:00")
    case.facts("accounts", {"account_id": "A", "created_at": "2026-01-01T00:00"})
    heard = (
        ("ann", "2026-02-01T09:00", "2026-02-01T09:00"),
        ("ann", "2026-05-10T09:00", "2026-05-10T09:00"),
        ("ann", "2026-05-10T09:20", "2026-05-10T09:20"),
        ("ann", "2026-05-20T09:00", "2026-06-05T00:00"),
        ("ben", "2026-05-25T09:00", "2026-05-25T09:00"),
        ("ben", "2026-05-25T09:25", "2026-06-02T00:00"),
    )
    case.facts(
        "events",
        *(
            {
                "event_id": f"e{n}",
                "event": "Report Viewed",
                "timestamp": at,
                "received_at": known,
                "user_id": user,
                "account_id": "A",
            }
            for n, (user, at, known) in enumerate(heard)
        ),
    )
    case.roll_up()
    then = observations.of_accounts(case.workspace, ["A"], as_of=DAY)
    [seen] = then.cases.to_dicts()
    assert (seen["active_users"], seen["active_days"]) == (1, 1)
    assert seen["duration_ms"] == 20 * 60_000
    assert seen["last_day"] == date(2026, 5, 10)
    [uses] = then.uses["Report Viewed"] * seen["days"] / observations.MONTH
    assert uses == pytest.approx(3)
    # A fortnight later all of it was.
    later = observations.of_accounts(case.workspace, ["A"], as_of=date(2026, 6, 15))
    [seen] = later.cases.to_dicts()
    assert (seen["active_users"], seen["active_days"]) == (2, 3)
    assert seen["duration_ms"] == (20 + 25) * 60_000


def test_pf_3(tmp_path: Path) -> None:
    """Decided on 30 June: judged by what was done from 2 March to 30 May, and known."""
    case = Case(tmp_path, now="2026-07-10T06:00")
    case.facts("accounts", {"account_id": "A", "created_at": "2026-01-01T00:00"})
    case.facts(
        "events",
        *(
            {
                "event_id": name,
                "event": "Report Viewed",
                "timestamp": f"{day}T09:00",
                "received_at": f"{known}T09:00",
                "user_id": name,
                "account_id": "A",
            }
            for name, day, known in (
                ("a", "2026-03-01", "2026-03-01"),
                ("b", "2026-03-02", "2026-03-02"),
                ("c", "2026-05-30", "2026-05-30"),
                ("d", "2026-05-31", "2026-05-31"),
                ("e", "2026-05-20", "2026-06-15"),
                ("f", "2026-06-29", "2026-06-29"),
            )
        ),
    )
    case.roll_up()
    decided = date(2026, 6, 30)
    until = decided - ONE_DAY * case.workspace.settings.pf_gap_days
    seen = observations.of_accounts(case.workspace, ["A"], as_of=until)
    [row] = seen.cases.to_dicts()
    assert (row["active_days"], row["days"]) == (2, 90)
    assert row["last_day"] == date(2026, 5, 30)
