"""The demo company: a year or two of a software vendor, made up from a seed.

Pure: the same arguments give the same tables. Nothing here reads a clock, a file or
a setting. What is planted in the data stands in `truths`.
"""

from __future__ import annotations

from datetime import date
from zlib import crc32

import numpy as np
import pyarrow as pa

from perennial.demo import accounts as accounts_of
from perennial.demo import (
    catalog,
    company,
    contracts,
    fate,
    funnel,
    goals,
    ledger,
    mail,
    money,
    people,
    rates,
    seats,
    service,
    support,
    usage,
    voice,
)
from perennial.demo.arrow import Floats
from perennial.demo.clock import Window
from perennial.demo.fate import Stints
from perennial.demo.seats import Seats
from perennial.demo.world import World
from perennial.lake.tables import FACTS

#: Facts the company has not: events say how it is used, comments what they are about,
#: and its people write no notes before they know the product.
EMPTY = ("usage", "feedback_annotations", "notes")
#: Chosen so that the default company shows, by chance, nothing that is not planted.
_SALT = 204


def generate(
    *,
    end: date,
    seed: int = 7,
    accounts: int = 400,
    months: int = 26,
    scale: float = 1.0,
    requests: int = 20_000,
    planted: bool = True,
) -> dict[str, pa.Table]:
    """Every fact table of the demo company, by name.

    - `end` is the first day not covered; data begins `months` calendar months before
      it. Instants are UTC, dates are UTC dates.
    - `accounts` is the number of accounts of every kind: customers, and those that
      left, try, might buy, or are tests. 400 make about 12,000 users and two million
      events in 26 months.
    - `scale` multiplies the seats of each account, and with them users and events.
    - `requests` is the size of the sample of requests.
    - Without `planted`, whether an account stays has nothing to do with what it uses,
      before it leaves or ever: what separates then, does so by chance.

    Needs at least 20 accounts and 8 months. Tables of `EMPTY` are empty.
    """
    if accounts < 20 or months < 8:
        raise ValueError("the demo company needs 20 accounts and 8 months at least")
    window = Window.before(end, months)
    made = company.make(_rng(seed, "company"), window, accounts, scale)
    stints, terms = fate.live(_rng(seed, "fate"), made, window, planted=planted)
    held = seats.seats(_rng(seed, "seats"), made, stints, terms, window)
    members, users = people.members(_rng(seed, "people"), made, stints, held, window)
    done = _onboarded(_rng(seed, "onboarded"), stints)
    taste = rates.tastes(_rng(seed, "tastes"), made, stints, planted=planted)
    world = World(window, made, stints, terms, members, users, done, taste, planted)
    tables = {
        **_who(seed, world, held),
        **_what(seed, world),
        **_paid(seed, world, held),
        **_said(seed, world, held),
        **_ran(seed, world, requests),
    }
    for name in EMPTY:
        tables[name] = FACTS[name].schema().empty_table()
    return {name: tables[name] for name in FACTS}


def _rng(seed: int, part: str) -> np.random.Generator:
    """Each part has numbers of its own: a change to one leaves the others alone."""
    return np.random.default_rng([seed, crc32(part.encode()), _SALT])


def _who(seed: int, world: World, held: Seats) -> dict[str, pa.Table]:
    stints, window = world.stints, world.window
    return {
        "accounts": accounts_of.accounts_table(_rng(seed, "accounts"), world),
        "users": people.users_table(world.users, window),
        "memberships": people.memberships_table(
            world.accounts, stints, world.members, world.users, window
        ),
        "seat_contracts": seats.seats_table(world.accounts, stints, held, window),
    }


def _what(seed: int, world: World) -> dict[str, pa.Table]:
    done = usage.events(world, seed)
    strangers = usage.visitors(
        _rng(seed, "visitors"), world.window, max(20, done.num_rows // 400)
    )
    return {
        "events": pa.concat_tables([done, strangers]),
        "event_definitions": catalog.definitions_table(world.window),
        "features": catalog.features_table(world.window),
        "entitlements": accounts_of.entitlements_table(world),
    }


def _paid(seed: int, world: World, held: Seats) -> dict[str, pa.Table]:
    accounts, stints, window = world.accounts, world.stints, world.window
    items = money.items(_rng(seed, "items"), accounts, stints, held, window)
    first = int(np.nanmin(stints.paid))
    return {
        "subscription_items": money.items_table(accounts, stints, items, window),
        "contracts": contracts.contracts_table(
            _rng(seed, "contracts"), accounts, stints, world.terms, held, window
        ),
        "payments": ledger.payments_table(
            _rng(seed, "payments"), accounts, stints, items, window
        ),
        "fx_rates": ledger.fx_table(_rng(seed, "fx"), window, first),
        "costs": ledger.costs_table(
            _rng(seed, "costs"), accounts, stints, items, window
        ),
    }


def _said(seed: int, world: World, held: Seats) -> dict[str, pa.Table]:
    tickets = support.tickets(_rng(seed, "tickets"), world, held)
    voices = _rng(seed, "voice")
    answers = voice.answers(voices, world, tickets)
    aims = goals.goals(_rng(seed, "goals"), world)
    leads, stages = funnel.lead_tables(
        _rng(seed, "leads"), world.accounts, world.window
    )
    return {
        "tickets": support.tickets_table(
            _rng(seed, "ticket rows"), _rng(seed, "ticket words"), world, tickets
        ),
        "survey_responses": voice.survey_table(voices, world, answers),
        "survey_invites": voice.invites_table(_rng(seed, "invites"), world, answers),
        "goals": goals.goals_table(world, aims),
        "goal_values": goals.values_table(_rng(seed, "goal values"), world, aims),
        "emails": mail.emails_table(_rng(seed, "mail"), world),
        "touchpoints": support.touchpoints_table(_rng(seed, "touch"), world),
        "leads": leads,
        "lead_stages": stages,
        "onboarding_steps": funnel.onboarding_table(_rng(seed, "steps"), world),
    }


def _ran(seed: int, world: World, requests: int) -> dict[str, pa.Table]:
    incidents, outages = service.incidents(_rng(seed, "incidents"), world.window)
    rows = service.requests_table(_rng(seed, "requests"), world, outages, requests)
    return {"incidents": incidents, "requests": rows}


def _onboarded(rng: np.random.Generator, stints: Stints) -> Floats:
    """Day on which the account of each stint was through with onboarding."""
    took = 8 + np.exp(rng.normal(np.log(17), 0.55, len(stints)))
    first = np.searchsorted(stints.account, stints.account)
    return np.asarray((stints.created + took)[first])
