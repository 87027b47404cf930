"""The accounts of the demo company, as they were on the day they were created."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennial.demo import names, truths
from perennial.demo.arrow import Bools, Columns, Floats, Ints, Texts
from perennial.demo.catalog import PLANS
from perennial.demo.clock import Window

#: What becomes of an account.
CUSTOMER, LOST_TRIAL, TRIAL, LEAD, TEST = range(5)

#: Shares of accounts; the rest joins, and pays, within the window.
_SHARES = {TEST: 0.0075, LEAD: 0.02, TRIAL: 0.0125, LOST_TRIAL: 0.09}
_FOUNDING = 0.5
#: Customers of the last four weeks, whose onboarding runs.
_NEWCOMERS = 0.035

_SEGMENT_SHARES = (0.25, 0.35, 0.40)
#: Median seats by segment, in the order of `truths.SEGMENTS`; sizes are log-normal.
_SEATS = (21.0, 9.5, 5.0)
_SEATS_SPREAD = 0.5
#: Accounts about whose seats something is planted have at least as many as one of
#: these: enough to see it.
_PLANTED_SEATS = (10, 20)

#: Months of a term, and its share by segment.
TERMS = (12, 3, 1)
_TERM_SHARES = ((0.95, 0.05, 0.0), (0.86, 0.07, 0.07), (0.69, 0.08, 0.23))

#: Part of the accounts outside the euro that pay in their own currency.
_OWN_CURRENCY = 0.4


@dataclass(frozen=True)
class Accounts(Columns):
    """One element an account, in the order of their ids.

    Indexes point into `truths.SEGMENTS`, `names.COUNTRIES`, `names.ZONES`,
    `names.INDUSTRIES`, `names.OWNERS` and `catalog.PLANS`. `created` and `paid` are
    days of the window; `paid` is NaN for those who never did. `term` is in months,
    `trial` in days. `assigned` is the share of seats assigned today.
    """

    kind: Ints
    founding: Bools
    newcomer: Bools
    segment: Ints
    country: Ints
    zone: Ints
    industry: Ints
    owner: Ints
    currency: Texts
    plan: Ints
    created: Ints
    paid: Floats
    trial: Ints
    term: Ints
    seats: Ints
    assigned: Floats
    near: Bools
    stagnating: Bools
    unused: Bools
    ids: Texts
    names: Texts

    @property
    def planted(self) -> Bools:
        """Accounts about which a truth is planted; they stay customers."""
        return self.near | self.stagnating | self.unused

    @property
    def steady(self) -> Bools:
        """Accounts whose people neither change nor stay away."""
        return self.near | self.stagnating

    @property
    def domains(self) -> Texts:
        """E-mail domains, made of the names."""
        return np.array([f"{names.slug(n)}.example" for n in self.names], dtype=object)


def make(
    rng: np.random.Generator, window: Window, count: int, scale: float
) -> Accounts:
    """Accounts whose seats are `scale` times the usual."""
    near, stagnating, unused = (
        _mask(count, f"seats_{what}") for what in ("near_limit", "stagnating", "unused")
    )
    planted = near | stagnating | unused
    kind, founding, newcomer = _kinds(rng, planted)
    segment = _choose(rng, _SEGMENT_SHARES, count)
    country = _choose(rng, [c.share for c in names.COUNTRIES], count)
    industry = rng.integers(0, len(names.INDUSTRIES), count)
    created, paid, trial = _dates(rng, window, kind, founding, newcomer)
    term = np.array(TERMS)[_by_row(rng, _TERM_SHARES, segment)]
    seats = _seats(rng, segment, kind, scale)
    enough = rng.integers(*_PLANTED_SEATS, count)
    return Accounts(
        kind=kind,
        founding=founding,
        newcomer=newcomer,
        segment=segment,
        country=country,
        zone=_zones(rng, country),
        industry=industry,
        owner=_owners(rng, segment),
        currency=_currencies(rng, country),
        plan=_by_row(rng, list(zip(*[p.share for p in PLANS], strict=True)), segment),
        created=created,
        paid=paid,
        trial=trial,
        term=np.where(planted, 12, term),
        seats=np.where(planted, np.maximum(seats, enough), seats),
        assigned=_assigned(rng, near, stagnating, unused),
        near=near,
        stagnating=stagnating,
        unused=unused,
        ids=np.array([truths.account_id(i) for i in range(count)], dtype=object),
        names=np.array(names.companies(rng, industry), dtype=object),
    )


def _mask(count: int, truth: str) -> Bools:
    mask = np.zeros(count, dtype=bool)
    mask[truths.planted_accounts(truth, count)] = True
    return mask


def _choose(
    rng: np.random.Generator, shares: list[float] | tuple[float, ...], count: int
) -> Ints:
    return rng.choice(len(shares), count, p=np.array(shares) / sum(shares))


def _by_row(rng: np.random.Generator, shares: object, row: Ints) -> Ints:
    """A choice by the shares in the row of a table, for each element of `row`."""
    edges = np.cumsum(np.asarray(shares, dtype=float), axis=1)[row]
    return np.asarray((rng.random((len(row), 1)) > edges[:, :-1]).sum(axis=1))


def _kinds(rng: np.random.Generator, planted: Bools) -> tuple[Ints, Bools, Bools]:
    count = len(planted)
    kind = np.full(count, CUSTOMER)
    founding, newcomer = planted.copy(), np.zeros(count, dtype=bool)
    free = rng.permutation(np.flatnonzero(~planted))
    used = 0
    for what, share in _SHARES.items():
        several = max(1, round(share * count))
        kind[free[used : used + several]] = what
        used += several
    several = max(1, round(_NEWCOMERS * count))
    newcomer[free[used : used + several]] = True
    used += several
    founding[free[used : used + round(_FOUNDING * count) - int(planted.sum())]] = True
    return kind, founding, newcomer


def _dates(
    rng: np.random.Generator,
    window: Window,
    kind: Ints,
    founding: Bools,
    newcomer: Bools,
) -> tuple[Ints, Floats, Ints]:
    """First day, first paid day and days of trial."""
    count, days = len(kind), window.days
    trial = rng.choice([0, 14, 30], count, p=[0.5, 0.3, 0.2])
    trial = np.where(np.isin(kind, (LOST_TRIAL, TRIAL)) & (trial == 0), 14, trial)
    trial = np.where(newcomer | (kind == TEST), 0, trial)
    # The company grew before the window too: most of its customers are young.
    before = -40 - np.floor(1500 * rng.random(count) ** 1.6)
    within = np.floor(2 + (days - 75) * rng.random(count) ** 0.9)
    recent = days - rng.integers(3, 27, count)
    created = np.where(founding | (kind == TEST), before, within)
    created = np.where(newcomer | (kind == LEAD), recent, created)
    running = days - 1 - np.floor(rng.random(count) * (trial - 2))
    created = np.where(kind == TRIAL, running, created).astype(np.int64)
    wait = np.where(trial > 0, trial, rng.integers(0, 7, count) * ~newcomer)
    paid = created + wait
    clamped = window.clamp_month_day(paid)
    created = created - (paid - clamped)
    return created, np.where(kind == CUSTOMER, clamped, np.nan), trial


def _zones(rng: np.random.Generator, country: Ints) -> Ints:
    zones = [names.COUNTRIES[c].zones for c in country]
    at = rng.random(len(country))
    chosen = (z[int(a * len(z))] for z, a in zip(zones, at, strict=True))
    return np.array([names.ZONES.index(z) for z in chosen])


def _owners(rng: np.random.Generator, segment: Ints) -> Ints:
    """Mostly someone of the segment; nobody has only one segment."""
    home = np.array([truths.SEGMENTS.index(s) for _, s in names.OWNERS])
    weight = np.where(home == segment[:, None], 1.0, 0.06)
    edges = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    return np.asarray((rng.random((len(segment), 1)) > edges[:, :-1]).sum(axis=1))


def _currencies(rng: np.random.Generator, country: Ints) -> Texts:
    own = np.array([c.currency for c in names.COUNTRIES], dtype=object)[country]
    return np.where(rng.random(len(country)) < _OWN_CURRENCY, own, "EUR")


def _seats(rng: np.random.Generator, segment: Ints, kind: Ints, scale: float) -> Ints:
    median = np.array(_SEATS)[segment] * scale
    median = np.where(np.isin(kind, (LOST_TRIAL, TRIAL)), median / 2, median)
    size = median * np.exp(_SEATS_SPREAD * rng.standard_normal(len(segment)))
    return np.maximum(np.rint(size), 2).astype(np.int64)


def _assigned(
    rng: np.random.Generator, near: Bools, stagnating: Bools, unused: Bools
) -> Floats:
    share = 0.81 + 0.13 * rng.random(len(near))
    share = np.where(near, truths.find("seats_near_limit")[0].effect, share)
    share = np.where(stagnating, truths.find("seats_stagnating")[0].effect, share)
    return np.where(unused, truths.find("seats_unused")[0].effect, share)
