"""E-mails with customers: threads that go back and forth, and automatic ones."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Bools, Floats, Ints, numbered, table
from perennial.demo.moments import in_office_hours, now_and_then, someone, span
from perennial.demo.names import OWNERS, VENDOR_DOMAIN, staff_email
from perennial.demo.support import loudly
from perennial.demo.world import World

#: Threads a month by segment, and newsletters a month.
_THREADS = np.array([1.9, 0.95, 0.5])
_NEWSLETTERS = 0.8
#: Median minutes until the vendor answers, and until the customer does.
_OUR_ANSWER, _THEIR_ANSWER = 170.0, 540.0

#: Stint, user, thread, day, whether it comes from the customer, whether automatic.
_Messages = tuple[Ints, Ints, Ints, Floats, Bools, Bools]


def emails_table(rng: np.random.Generator, world: World) -> pa.Table:
    """One row a message, without its text, in the order in which they were sent."""
    threads = _threads(rng, world)
    letters = _newsletters(rng, world, int(threads[2].max(initial=0)) + 1)
    parts = zip(threads, letters, strict=True)
    stint, user, thread, day, inbound, automatic = (np.concatenate(p) for p in parts)
    keep = (day < world.window.days) & (user >= 0)
    order = np.flatnonzero(keep)[np.argsort(day[keep], kind="stable")]
    stint, user, thread, day = stint[order], user[order], thread[order], day[order]
    inbound, automatic = inbound[order], automatic[order]
    account = world.stints.account[stint]
    staff = np.array([staff_email(name) for name, _ in OWNERS], dtype=object)
    ours = staff[world.accounts.owner[account]]
    ours = np.where(automatic & ~inbound, f"news@{VENDOR_DOMAIN}", ours)
    theirs = world.users.emails[user]
    ids = np.array(numbered("thr_", int(thread.max(initial=-1)) + 1), dtype=object)
    return table(
        "emails",
        {
            "message_id": numbered("msg_", len(order)),
            "thread_id": ids[thread],
            "sent_at": world.window.at(day),
            "from_address": np.where(inbound, theirs, ours),
            "to_addresses": np.where(inbound, ours, theirs),
            "account_id": world.accounts.ids[account],
            "direction": np.where(inbound, "inbound", "outbound").astype(object),
            "is_automatic": automatic,
        },
    )


def _threads(rng: np.random.Generator, world: World) -> _Messages:
    window, stints = world.window, world.stints
    first, last = span(stints, window)
    rate = 2 * _THREADS[world.accounts.segment[stints.account]] / 30
    stint, day = now_and_then(rng, first, last, rate)
    keep = loudly(rng, world, stint, day)
    stint, day = stint[keep], in_office_hours(rng, window, day[keep])
    user = someone(rng, world, stint, day)
    size = np.minimum(1 + rng.poisson(2.1, len(stint)), 9)
    row = np.repeat(np.arange(len(stint)), size)
    place = np.arange(len(row)) - (np.cumsum(size) - size)[row]
    theirs_first = rng.random(len(stint)) < 0.6
    inbound = (place % 2 == 0) == theirs_first[row]
    median = np.where(inbound, _THEIR_ANSWER, _OUR_ANSWER)
    gap = median * np.exp(1.1 * rng.standard_normal(len(row))) / 1440
    gap[place == 0] = 0
    total = np.cumsum(gap)
    since = total - total[np.cumsum(size) - size][row] if len(row) else total
    # Automatic replies of people who are away.
    automatic = inbound & (place == 1) & (rng.random(len(row)) < 0.06)
    return stint[row], user[row], row, day[row] + since, inbound, automatic


def _newsletters(rng: np.random.Generator, world: World, thread: int) -> _Messages:
    first, last = span(world.stints, world.window)
    stint, day = now_and_then(rng, first, last, np.full(len(first), _NEWSLETTERS / 30))
    day = in_office_hours(rng, world.window, day)
    count = len(stint)
    return (
        stint,
        someone(rng, world, stint, day),
        thread + np.arange(count),
        day,
        np.zeros(count, dtype=bool),
        np.ones(count, dtype=bool),
    )
