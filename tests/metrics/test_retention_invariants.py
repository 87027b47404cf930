"""What holds for every ledger there can be: section 16 of the reference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

import ibis
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from perennial.core.settings import Settings
from perennial.core.survival import Spell
from perennial.lake.tables import TABLES
from perennial.metrics import answer, registry
from perennial.metrics.inputs import Inputs, Known
from perennial.metrics.lifetimes import lifetime
from perennial.metrics.query import ask

Rows = list[dict[str, Any]]

NOW = datetime(2026, 6, 1, 6, tzinfo=UTC)
FIRST = date(2025, 12, 1)
MONTHS = {"start": date(2026, 1, 1), "end": date(2026, 6, 1), "grain": "month"}
CURRENCIES = ("USD", "EUR", "GBP")
#: An example takes a second, and making a failing one smaller many.
FEW = settings(max_examples=2, phases=[Phase.generate])


@st.composite
def ledgers(draw: st.DrawFn) -> Rows:
    """Runs of up to 16 accounts, in one or two currencies each."""
    rows: Rows = []
    for n in range(draw(st.integers(6, 16))):
        for currency in draw(
            st.sets(st.sampled_from(CURRENCIES), min_size=1, max_size=2)
        ):
            steps = draw(st.lists(st.integers(1, 60), min_size=1, max_size=6))
            days = [FIRST + timedelta(days=d) for d in accumulate(steps)]
            before = 0
            for since, until in pairwise([*days, None]):
                amount = draw(st.integers(0, 3)) * draw(st.integers(10**6, 10**8))
                paused = amount == 0 and draw(st.booleans())
                # What is known now of the day before, less what was known then.
                late = draw(st.sampled_from((0, 0, -before, before, 10**7)))
                rows.append(
                    {
                        "account_id": f"a{n}",
                        "currency": currency,
                        "date_from": since,
                        "date_to": until,
                        "mrr_e4": amount,
                        "is_paused": paused,
                        "is_involuntary": amount == 0 and not paused,
                        "late_e4": late or None,
                    }
                )
                before = amount
    return rows


def frame(name: str, rows: Rows) -> pl.DataFrame:
    schema = pl.DataFrame(TABLES[name].schema().empty_table()).schema
    return pl.DataFrame(
        [{c: row.get(c) for c in schema} for row in rows], schema=schema
    )


def asking(ledger: Rows, euro: float = 1.1) -> Callable[..., Rows]:
    """Answers to questions about a ledger, without a lake."""
    accounts = {row["account_id"] for row in ledger}
    months = [date(2025, 12, 28), *(date(2026, month, 28) for month in range(1, 6))]
    rates = [
        {"date": day, "base": base, "quote": "USD", "rate": rate * (1 + day.month / 99)}
        for day in months
        for base, rate in (("EUR", euro), ("GBP", 1.3))
    ]
    rows = {
        "mrr_ledger": ledger,
        "accounts": [
            {"account_id": a, "segment": "odd" if len(a) % 2 else "even"}
            for a in sorted(accounts)
        ],
    }

    @cache
    def source(name: str) -> Any:
        return ibis.memtable(frame(name, rows.get(name, [])).to_arrow())

    engine = ibis.duckdb.connect()
    known = Known(rates=lambda _: frame("fx_rates", rates).drop("quote"))

    def answers(key: str, *by: str, **asked: Any) -> Rows:
        metric = registry.get(key)
        query = ask(metric, now=NOW, settings=Settings(), by=by, **{**MONTHS, **asked})
        inputs = Inputs(source, query, TABLES["accounts"].names, known)
        raw = pl.from_arrow(engine.to_pyarrow(metric.compute(inputs, query)))
        assert isinstance(raw, pl.DataFrame)
        return answer.finish(query, raw, FIRST).to_dicts()

    return answers


@FEW
@given(ledgers())
def test_bridges_and_shares(ledger: Rows) -> None:
    """5 to 7: bridges close for every account and add up; GRR <= min(1, NRR);
    GRR = 1 − gross churn; NRR = 1 − net churn; MRR = ARPA · customers; ARR = 12 MRR."""
    answers = asking(ledger)
    steps: dict[tuple[Any, ...], float] = {}
    for row in answers("mrr_movements", "account", "segment", variant="bridge"):
        sign = -1 if row["movement"] == "closing" else 1
        for key in (row["account"], row["segment"], None):
            at = (key, row["period_start"])
            steps[at] = steps.get(at, 0) + sign * row["value"]
    assert all(abs(left) < 1e-6 for left in steps.values())

    def values(key: str, **asked: Any) -> list[float | None]:
        return [row["value"] for row in answers(key, "segment", **asked)]

    shares = (
        "net_revenue_retention",
        "gross_revenue_retention",
        "net_mrr_churn",
        "gross_mrr_churn",
    )
    for net, gross, lost_net, lost in zip(*map(values, shares), strict=True):
        if net is None or gross is None or lost is None or lost_net is None:
            assert {net, gross, lost, lost_net} == {None}
            continue
        assert 0 <= gross <= min(1, net)
        assert gross == pytest.approx(1 - lost)
        assert net == pytest.approx(1 - lost_net)
    # 7, at the end of the last month.
    keys = ("mrr", "customers", "arpa", "arr")
    last = {key: answers(key)[-1]["value"] for key in keys}
    assert (last["arpa"] or 0) * (last["customers"] or 0) == pytest.approx(last["mrr"])
    assert last["arr"] == pytest.approx(12 * (last["mrr"] or 0))


@FEW
@given(ledgers(), st.integers(2, 9))
def test_amounts_of_a_currency_are_only_a_unit(ledger: Rows, factor: int) -> None:
    """6: what is told in cents, at the rate of a cent, is the same share."""
    in_cents = [
        {**row, **{c: (row[c] or 0) * factor for c in ("mrr_e4", "late_e4")}}
        if row["currency"] == "EUR"
        else row
        for row in ledger
    ]
    for key in ("net_revenue_retention", "quick_ratio"):
        before, after = asking(ledger)(key), asking(in_cents, euro=1.1 / factor)(key)
        for one, other in zip(before, after, strict=True):
            assert (one["value"] is None) == (other["value"] is None)
            assert (one["value"] or 0) == pytest.approx(other["value"] or 0, abs=1e-5)


@st.composite
def spells(draw: st.DrawFn) -> list[Spell]:
    found = []
    for _ in range(draw(st.integers(1, 20))):
        entry = draw(st.integers(0, 300))
        length = draw(st.integers(0, 400))
        found.append(Spell(entry + length, draw(st.booleans()), entry))
    return found


@given(spells(), st.floats(0, 0.1))
def test_survival(found: list[Spell], discount: float) -> None:
    """13: the curve begins at 1 (but for those who never stay) and never rises; what
    is to come grows with the horizon, and at most by a month for each."""
    curve = lifetime(found)
    shares = curve.at(range(0, 40 * 31, 7))
    known = shares[shares == shares]
    assert all(0 <= b <= a <= 1 for a, b in pairwise(known))
    months = [curve.months(h, discount)[0] for h in range(40)]
    told = [m for m in months if m == m]
    assert all(-1e-12 <= b - a <= 1 + 1e-12 for a, b in pairwise(told))
    watched = [curve.months(h, discount, observed=True)[0] for h in range(40)]
    for with_rest, without in zip(months, watched, strict=True):
        if with_rest == with_rest and without == without:
            assert without <= with_rest + 1e-12


@pytest.mark.parametrize("key", list(registry.all_metrics()))
def test_nothing_at_all_is_null_and_no_exception(key: str) -> None:
    """15, for a workspace in which nothing ever happened."""
    metric = registry.get(key)
    rows = asking([])(key)
    assert rows or metric.makes
    # Without an incident everything was up.
    nothing = 1 if key == "uptime" else metric.empty
    assert all(row["value"] in (None, nothing) for row in rows)
    assert all(row["status"] != "ok" for row in rows if row["value"] is None)
