"""Contract terms and how they ended."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Ints, table
from perennial.demo.catalog import PLANS
from perennial.demo.clock import Window
from perennial.demo.company import Accounts
from perennial.demo.fate import Stints, Terms
from perennial.demo.money import unit_price
from perennial.demo.seats import Seats

CHURN_REASONS = (
    "Too expensive",
    "Low adoption",
    "Missing feature",
    "Moved to another product",
    "Company closed or merged",
    "Support",
)


def contracts_table(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    terms: Terms,
    held: Seats,
    window: Window,
) -> pa.Table:
    """One row a term; those whose term runs, and who gave no notice, are pending."""
    account, days = stints.account[terms.stint], window.days
    plan = stints.plan_on(terms.stint, terms.start)
    price = np.array([p.price for p in PLANS])[plan]
    unit = unit_price(accounts, stints, terms.stint, price)
    seats = held.on(terms.stint, terms.start)
    over = terms.end <= days
    left = ~terms.renewed & (over | (terms.known < days))
    outcome = np.where(over, "renewed", "pending").astype(object)
    outcome[left] = "cancelled"
    reason = np.array(CHURN_REASONS, dtype=object)[_reasons(rng, terms)]
    return table(
        "contracts",
        {
            "account_id": accounts.ids[account],
            "term_start": window.dates(terms.start),
            "term_end": window.dates(terms.end),
            "acv": unit * seats * 12 / stints.term[terms.stint],
            "currency": accounts.currency[account],
            "auto_renew": rng.random(len(terms)) < 0.7,
            "outcome": outcome,
            "outcome_at": window.at(
                np.where(outcome == "pending", np.nan, terms.known)
            ),
            "churn_reason": [
                text if gone else None for text, gone in zip(reason, left, strict=True)
            ],
        },
    )


def _reasons(rng: np.random.Generator, terms: Terms) -> Ints:
    """Those who used little say so; others have reasons of their own."""
    weights = np.tile([0.26, 0.14, 0.2, 0.22, 0.1, 0.08], (len(terms), 1))
    weights[:, 1] += np.clip(-0.5 * terms.power, 0, 1)
    edges = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.asarray((rng.random((len(terms), 1)) > edges[:, :-1]).sum(axis=1))
