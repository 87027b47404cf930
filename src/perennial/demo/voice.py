"""Answers to surveys: NPS each quarter, CSAT after tickets, CES after setting up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from perennial.demo import truths
from perennial.demo.arrow import (
    Bools,
    Columns,
    Floats,
    Ints,
    Texts,
    numbered,
    pick,
    stack,
    table,
)
from perennial.demo.asking import spoken
from perennial.demo.comments import pool
from perennial.demo.engagement import feeling
from perennial.demo.moments import in_office_hours, someone
from perennial.demo.phrases import LANGUAGES, THEMES
from perennial.demo.support import Tickets
from perennial.demo.world import World

_QUARTER = 91
_ANSWERS_A_QUARTER = 0.1
_NEW_USERS_ANSWER = 0.11
_TICKETS_RATED, _EFFORT_RATED = 0.33, 0.12
#: Invitations without an answer for each with one, and those that come back.
_SILENT, _BOUNCED = 1.9, 0.02
_COMMENTED = {"nps": 0.66, "csat": 0.42, "ces": 0.38}
_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
#: Which survey asks about what; others were asked elsewhere.
SURVEYS = {
    ("nps", "relationship"): "Relationship NPS",
    ("csat", "support"): "Satisfaction with support",
    ("ces", "setup"): "Effort of setting up",
}

#: How often each theme comes up, in the order of `THEMES`, when people are happy
#: and when they are not.
_PRAISE = (0.06, 0.12, 0.07, 0.16, 0.2, 0.26, 0.13)
_BLAME = (0.2, 0.11, 0.14, 0.16, 0.1, 0.1, 0.19)


@dataclass(frozen=True)
class Answers(Columns):
    """One element an answer; `mood` is how the person feels about it."""

    kind: Texts
    touchpoint: Texts
    user: Ints
    stint: Ints
    invited: Floats
    answered: Floats
    score: Floats


def answers(rng: np.random.Generator, world: World, tickets: Tickets) -> Answers:
    """Answers in the order in which they came in."""
    every = stack(
        [
            _relationship(rng, world),
            _after_tickets(rng, world, tickets, "csat", _TICKETS_RATED),
            _after_tickets(rng, world, tickets, "ces", _EFFORT_RATED),
            _after_setting_up(rng, world),
        ]
    )
    every = every.take((every.answered < world.window.days) & (every.user >= 0))
    return every.take(np.argsort(every.answered, kind="stable"))


def survey_table(rng: np.random.Generator, world: World, every: Answers) -> pa.Table:
    """One row an answer."""
    languages, comments = _comments(rng, world, every)
    scales = np.array([_SCALES[k] for k in every.kind])
    window, account = world.window, world.stints.account[every.stint]
    return table(
        "survey_responses",
        {
            "response_id": numbered("rsp_", len(every)),
            "kind": every.kind,
            "scale_min": scales[:, 0],
            "scale_max": scales[:, 1],
            "score": every.score,
            "comment": comments,
            "user_id": world.users.ids[every.user],
            "account_id": world.accounts.ids[account],
            "touchpoint": every.touchpoint,
            "language": languages,
            "invite_id": numbered("inv_", len(every)),
            **_asked_by(every.kind, every.touchpoint, every.invited),
            "invited_at": window.at(every.invited),
            "answered_at": window.at(every.answered),
        },
    )


def invites_table(rng: np.random.Generator, world: World, every: Answers) -> pa.Table:
    """One row an invitation: those that were answered, and more that were not."""
    unanswered = np.repeat(np.arange(len(every)), rng.poisson(_SILENT, len(every)))
    invited = every.invited[unanswered] + rng.uniform(0, 5, len(unanswered))
    asked = someone(rng, world, every.stint[unanswered], invited)
    there = (asked >= 0) & (invited < world.window.days)
    row = np.concatenate([np.arange(len(every)), unanswered[there]])
    day = np.concatenate([every.invited, invited[there]])
    user = np.concatenate([every.user, asked[there]])
    is_silent = np.arange(len(row)) >= len(every)
    bounced = is_silent & (rng.random(len(row)) < _BOUNCED)
    account = world.stints.account[every.stint[row]]
    return table(
        "survey_invites",
        {
            "invite_id": numbered("inv_", len(row)),
            "kind": every.kind[row],
            "user_id": world.users.ids[user],
            "account_id": world.accounts.ids[account],
            "touchpoint": every.touchpoint[row],
            **_asked_by(every.kind[row], every.touchpoint[row], day),
            "invited_at": world.window.at(day),
            "bounced_at": world.window.at(np.where(bounced, day + 0.001, np.nan)),
        },
    )


def _asked_by(kind: Texts, touchpoint: Texts, invited: Floats) -> dict[str, Texts]:
    """Survey, wave and channel; relationship surveys come in a wave a quarter."""
    names = [SURVEYS.get(pair) for pair in zip(kind, touchpoint, strict=True)]
    wave = np.where(kind == "nps", invited // _QUARTER + 1, 1).astype(int)
    return {
        "survey": np.array(names, dtype=object),
        "wave": wave.astype(str).astype(object),
        "channel": np.where(kind == "nps", "email", "product").astype(object),
    }


def _answers(
    rng: np.random.Generator,
    world: World,
    kind: str,
    touchpoint: str,
    user: Ints,
    stint: Ints,
    invited: Floats,
    extra: Floats | float = 0.0,
) -> Answers:
    """Answers whose score follows how the account feels then, and `extra`."""
    count = len(user)
    felt = feeling(world.terms, world.stints, stint, invited) + extra
    noise = rng.standard_normal(count)
    centers = {"nps": 8.1, "csat": 4.15, "ces": 5.5}
    steps = {"nps": (1.25, 1.7), "csat": (0.4, 0.85), "ces": (0.5, 1.15)}
    by_feeling, by_chance = steps[kind]
    score = np.rint(centers[kind] + by_feeling * felt + by_chance * noise)
    return Answers(
        kind=np.full(count, kind, dtype=object),
        touchpoint=np.full(count, touchpoint, dtype=object),
        user=user,
        stint=stint,
        invited=invited,
        answered=invited + rng.exponential(0.9, count) + 0.004,
        score=np.clip(score, *_SCALES[kind]),
    )


def _relationship(rng: np.random.Generator, world: World) -> Answers:
    members, window = world.members, world.window
    quarters = np.arange(0, window.days, _QUARTER)
    chance = rng.random((len(members), len(quarters)))
    row, quarter = np.nonzero(chance < _ANSWERS_A_QUARTER)
    day = quarters[quarter] + rng.uniform(0, _QUARTER, len(row))
    invited = in_office_hours(rng, window, day)
    there = (members.start[row] + 20 < invited) & (members.end[row] > invited + 4)
    there &= ~world.users.is_internal[members.user[row]]
    row, invited = row[there], invited[there]
    return _answers(
        rng,
        world,
        "nps",
        "relationship",
        members.user[row],
        members.stint[row],
        invited,
    )


def _after_tickets(
    rng: np.random.Generator, world: World, tickets: Tickets, kind: str, share: float
) -> Answers:
    """Of those whose ticket was solved; the wait spoils their mood."""
    solved = np.isfinite(tickets.solved) & (tickets.user >= 0) & ~tickets.spam
    row = np.flatnonzero(solved & (rng.random(len(tickets)) < share))
    hours = (tickets.answered - tickets.opened)[row] * 24
    wait = np.clip((np.log(hours + 0.1) - np.log(5)) * -0.45, -1.5, 1.2)
    again = -0.9 * tickets.reopened[row]
    user, stint = tickets.user[row], tickets.stint[row]
    invited = tickets.solved[row] + 0.04
    return _answers(rng, world, kind, "support", user, stint, invited, wait + again)


def _after_setting_up(rng: np.random.Generator, world: World) -> Answers:
    members = world.members
    new = (members.start > 0) & (rng.random(len(members)) < _NEW_USERS_ANSWER)
    row = np.flatnonzero(new & (members.end > members.start + 12))
    invited = members.start[row] + rng.uniform(5, 10, len(row))
    user, stint = members.user[row], members.stint[row]
    return _answers(rng, world, "ces", "setup", user, stint, invited)


def _comments(
    rng: np.random.Generator, world: World, every: Answers
) -> tuple[pa.Array, pa.Array]:
    """Languages and comments; both null where nothing was written."""
    count = len(every)
    scales = np.array([_SCALES[k] for k in every.kind], dtype=float)
    happy = (every.score - scales[:, 0]) / (scales[:, 1] - scales[:, 0])
    # Around the middle of the scale people name one or the other.
    negative = rng.random(count) > np.clip((happy - 0.62) / 0.24, 0.02, 0.98)
    theme = _themes(rng, every, negative, world.window.days)
    written = rng.random(count) < np.array([_COMMENTED[k] for k in every.kind])
    language = spoken(rng, world, every.stint)
    texts, size = pool()
    group = (language * len(THEMES) + theme) * 2 + negative
    index = group * size + rng.integers(0, size, count)
    shown = np.where(written, index, -1)
    return pick(LANGUAGES, np.where(written, language, -1)), pick(texts, shown)


def _themes(
    rng: np.random.Generator,
    every: Answers,
    negative: Bools,
    days: int,
) -> Ints:
    (surge,) = truths.find("theme_surge")
    weights = np.where(negative[:, None], _BLAME, _PRAISE)
    ago = days - every.answered
    recent = negative & (ago >= (surge.low or 0)) & (ago < (surge.high or 0))
    at = THEMES.index(surge.subject)
    weights[:, at] *= np.where(recent, surge.effect, 1.0)
    edges = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.asarray((rng.random((len(every), 1)) > edges[:, :-1]).sum(axis=1))
