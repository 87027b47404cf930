"""How the product itself runs: requests it answered, and incidents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennial.demo import truths
from perennial.demo.arrow import Bools, Floats, numbered, pick, table
from perennial.demo.clock import Window
from perennial.demo.moments import in_office_hours
from perennial.demo.world import World

_ENDPOINTS = ("/board", "/orders", "/reports", "/checklists", "/assets", "/search")
_ENDPOINT_SHARES = (0.27, 0.29, 0.1, 0.14, 0.09, 0.11)
#: Median milliseconds by endpoint.
_MEDIAN_MS = np.array([260.0, 160.0, 480.0, 120.0, 170.0, 310.0])
_FAILS, _FAILS_IN_INCIDENT, _REFUSED = 0.0035, 0.2, 0.018

SEVERITIES = ("major", "partial", "degraded")


def incidents(rng: np.random.Generator, window: Window) -> tuple[pa.Table, Floats]:
    """Incidents, a little less than one a month; and [start, end) of the unplanned
    ones, as two rows of days."""
    count = max(3, round(window.days / 34))
    start = np.sort(rng.uniform(4, window.days - 4, count))
    planned = rng.random(count) < 0.35
    severity = rng.choice([0, 1, 2], count, p=[0.2, 0.45, 0.35])
    hours = np.array([1.6, 2.4, 4.0])[severity] * rng.gamma(2, 0.5, count) + 0.2
    # What the complaints about performance are about.
    (surge,) = truths.find("theme_surge")
    start[-1], hours[-1], severity[-1] = window.days - (surge.high or 0) + 2, 6.5, 2
    planned[-1] = False
    night = np.floor(start) + 0.9
    start = np.where(planned, night, in_office_hours(rng, window, start))
    order = np.argsort(start)
    start, hours = start[order], hours[order]
    planned, severity = planned[order], severity[order]
    end = start + hours / 24
    told = np.where(planned, start - rng.uniform(2.5, 9, count), start + 0.01)
    found = table(
        "incidents",
        {
            "incident_id": numbered("inc_", count, width=4),
            "starts_at": window.at(start),
            "ends_at": window.at(end),
            "severity": np.array(SEVERITIES, dtype=object)[severity],
            "announced_at": window.at(told),
            "planned": planned,
        },
    )
    return found, np.stack([start[~planned], end[~planned]])


def requests_table(
    rng: np.random.Generator, world: World, outages: Floats, count: int
) -> pa.Table:
    """One row a request, a sample: half of it from the last 60 days."""
    window, members = world.window, world.members
    days = window.days
    some = np.floor(days * rng.random(count))
    recent = np.floor(days - 60 * rng.random(count))
    day = in_office_hours(rng, window, np.where(rng.random(count) < 0.5, some, recent))
    # In an incident more is tried, and more is logged.
    burst = rng.integers(0, outages.shape[1], count // 50)
    begin, end = outages[:, burst]
    day = np.sort(np.append(day, begin + (end - begin) * rng.random(len(burst))))
    day = day[(day >= 0) & (day < days)]
    row = rng.integers(0, len(members), len(day))
    live = (members.start[row] <= day) & (members.end[row] > day)
    account = np.where(live, world.stints.account[members.stint[row]], -1)
    hurt = _hurt(day, outages)
    endpoint = rng.choice(len(_ENDPOINTS), len(day), p=_ENDPOINT_SHARES)
    spread = np.exp(0.65 * rng.standard_normal(len(day)))
    slow = np.where(hurt, 4.0, 1.0) * np.where(rng.random(len(day)) < 0.02, 5.0, 1.0)
    fails = rng.random(len(day)) < np.where(hurt, _FAILS_IN_INCIDENT, _FAILS)
    refused = rng.random(len(day)) < _REFUSED
    status = np.where(fails, rng.choice([500, 502, 503, 504], len(day)), 200)
    status = np.where(refused & ~fails, rng.choice([401, 404, 422], len(day)), status)
    return table(
        "requests",
        {
            "at": window.at(day),
            "status": status,
            "duration_ms": np.rint(_MEDIAN_MS[endpoint] * spread * slow).astype(int),
            "endpoint": np.array(_ENDPOINTS, dtype=object)[endpoint],
            "account_id": pick(world.accounts.ids, account),
        },
    )


def _hurt(day: Floats, outages: Floats) -> Bools:
    """Which days lie within an incident."""
    inside = (day[:, None] >= outages[0]) & (day[:, None] < outages[1])
    return np.asarray(inside.any(axis=1))
