"""What is planted in the demo company, in one table.

The generator takes its parameters from here, and tests look for the same rows in
the data it made: a truth that changes here changes in both places.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import pyarrow as pa

ENTERPRISE = "Enterprise"
MID_MARKET = "Mid-market"
SMALL = "Small business"

#: Segments, largest companies first.
SEGMENTS = (ENTERPRISE, MID_MARKET, SMALL)

#: Whole company: the subject or segment of a truth that holds everywhere.
ALL = ""

POWER_FEATURE = "scheduled_reports"
POPULAR_FEATURE = "comments"
UNUSED_FEATURE = "shift_templates"

#: What a guide of the demo brings about, and how many do it without the guide.
GUIDE_TARGET = "Report Scheduled"
UNGUIDED = 0.25


@dataclass(frozen=True)
class Truth:
    """One planted effect.

    - `name`: what kind of effect; several rows share a name.
    - `subject`: the feature, account or theme it is about; empty: everything.
    - `segment`: where it holds; empty: in every segment.
    - `low`, `high`: the half-open range it holds in; the unit is in `about`.
    - `effect`: its size; the unit is in `about`.
    """

    name: str
    subject: str
    segment: str
    low: float | None
    high: float | None
    effect: float
    about: str


#: Chance to renew a year's term, whatever is used, of a company in which nothing that
#: goes with leaving is planted: what is found there is found by chance.
UNRELATED_RENEWAL = 0.7

#: Share of the healthy level where the orange, yellow and green bands begin, so
#: that a healthy level of 16 gives the bands 0-5, 6-10, 11-15, 16 and more.
_BANDS = (0.0, 0.375, 0.6875, 1.0, math.inf)


def _renewal(segment: str, healthy: float, rates: tuple[float, ...]) -> list[Truth]:
    level = Truth(
        "healthy_level",
        POWER_FEATURE,
        segment,
        None,
        None,
        healthy,
        "Uses a month and account from which an account of the segment is green.",
    )
    bands = [
        Truth(
            "renewal_by_use",
            POWER_FEATURE,
            segment,
            low * healthy,
            None if math.isinf(high) else high * healthy,
            rate,
            "Chance to renew a year's term at low to high uses a month, measured in "
            "the 90 days that end 30 days before the term does.",
        )
        for low, high, rate in zip(_BANDS, _BANDS[1:], rates, strict=False)
    ]
    return [level, *bands]


def account_id(number: int) -> str:
    """The id of the account with this number, counted from 0."""
    return f"acc_{number + 1:04d}"


def _accounts(
    name: str, numbers: tuple[int, ...], effect: float, about: str
) -> list[Truth]:
    return [Truth(name, account_id(n), ALL, None, None, effect, about) for n in numbers]


_OTHERS = (
    Truth(
        "power_decline",
        POWER_FEATURE,
        ALL,
        30,
        180,
        -0.2,
        "Between high and low days before they leave, leavers lose this share of "
        "their level each 30 days.",
    ),
    Truth(
        "rest_decline",
        ALL,
        ALL,
        0,
        30,
        -0.65,
        "All other features only fall in the last 30 days before an account leaves; "
        "the effect is what is lost by the last day.",
    ),
    Truth(
        "breadth_decline",
        ALL,
        ALL,
        0,
        75,
        -0.45,
        "From 75 days before an account leaves its people log in less, and fewer do; "
        "the effect is what is lost by the last day.",
    ),
    Truth(
        "popular_feature",
        POPULAR_FEATURE,
        ALL,
        None,
        None,
        0.0,
        "The most used feature. Its use follows how much an account comes, as far as "
        "that goes with the power feature, by this exponent: not at all.",
    ),
    Truth(
        "companion_feature",
        "asset_register",
        ALL,
        None,
        None,
        0.8,
        "Use follows the power feature's level by this exponent.",
    ),
    Truth(
        "companion_feature",
        "mobile_checklists",
        ALL,
        None,
        None,
        0.55,
        "Use follows the power feature's level by this exponent.",
    ),
    Truth(
        "companion_feature",
        "automations",
        ALL,
        None,
        None,
        0.7,
        "Use follows the power feature's level by this exponent.",
    ),
    Truth(
        "ordinary_feature",
        ALL,
        ALL,
        None,
        None,
        0.15,
        "Use of the other features follows how much an account comes, as far as that "
        "goes with the power feature, by this exponent: hardly.",
    ),
    Truth(
        "unused_feature",
        UNUSED_FEATURE,
        ALL,
        None,
        None,
        0.001,
        "Uses a month and user of a feature that nearly nobody needs.",
    ),
    Truth(
        "tenure_dip",
        ALL,
        ALL,
        6,
        7,
        -0.34,
        "Months since onboarding was completed; the effect is the share of active "
        "users that stays away for that month.",
    ),
    Truth(
        "summer_dip",
        ALL,
        ALL,
        None,
        None,
        -0.14,
        "Fewer active days at the height of a country's summer holidays.",
    ),
    Truth(
        "theme_surge",
        "performance",
        ALL,
        0,
        90,
        4.0,
        "Days before the end of the data in which complaints about this theme are "
        "this many times as frequent.",
    ),
    Truth(
        "guide_effect",
        GUIDE_TARGET,
        ALL,
        0,
        14,
        0.2,
        "Days after people came to the tour of scheduled reports, in which this share "
        "more of those shown it does the event than of those held out.",
    ),
)

#: The one table of planted truths.
TRUTHS: tuple[Truth, ...] = (
    *_renewal(ENTERPRISE, 28, (0.44, 0.63, 0.80, 0.93)),
    *_renewal(MID_MARKET, 20, (0.42, 0.60, 0.77, 0.91)),
    *_renewal(SMALL, 16, (0.38, 0.56, 0.73, 0.89)),
    *_OTHERS,
    *_accounts(
        "seats_near_limit",
        (2, 10, 18, 27, 35, 46, 51, 58, 77, 94),
        0.97,
        "An account that is nearly full: share of its seats that is assigned now.",
    ),
    *_accounts(
        "seats_stagnating",
        (6, 23, 41, 66, 83),
        0.75,
        "An account whose seats and people stay the same: share of seats assigned.",
    ),
    *_accounts(
        "seats_unused",
        (14, 32, 55, 71, 99),
        0.35,
        "An account that has bought far more than it uses: share of seats assigned.",
    ),
)


def find(name: str, *, segment: str | None = None) -> tuple[Truth, ...]:
    """The truths of a name, in the order of the table; of one segment if given."""
    return tuple(
        t
        for t in TRUTHS
        if t.name == name and (segment is None or t.segment == segment)
    )


def effect(
    name: str, *, subject: str | None = None, segment: str | None = None
) -> float:
    """The effect of the one truth that fits; a `LookupError` if it is not one."""
    fits = [t for t in find(name, segment=segment) if subject in (None, t.subject)]
    if len(fits) != 1:
        raise LookupError(f"{len(fits)} truths {name!r} {subject!r} {segment!r}")
    return fits[0].effect


def planted_accounts(name: str, accounts: int) -> list[int]:
    """Numbers, from 0, of the accounts a truth is about, in a company of this size."""
    subjects = {t.subject for t in find(name)}
    return [n for n in range(accounts) if account_id(n) in subjects]


def truths() -> pa.Table:
    """The table as Arrow: one row a truth, columns as in `Truth`."""
    schema = pa.schema(
        [
            ("name", pa.string()),
            ("subject", pa.string()),
            ("segment", pa.string()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("effect", pa.float64()),
            ("about", pa.string()),
        ]
    )
    return pa.Table.from_pylist([asdict(t) for t in TRUTHS], schema=schema)


def guided() -> tuple[float, float]:
    """Shares that do what the guide is to bring about: of those held out from it, and
    of those shown it."""
    [effect] = (t.effect for t in TRUTHS if t.name == "guide_effect")
    return UNGUIDED, UNGUIDED + effect
