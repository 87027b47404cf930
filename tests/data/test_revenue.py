"""Revenue and retention on data their authors did not make, by the command line.

The numbers are computed a second time from the files with pandas, from what
everybody pays at the ends of months.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from perennial.cli.main import cli
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no data at {DATA}")


def load(folder: Path, *imports: Sequence[str]) -> Workspace:
    for table, file, *options in imports:
        arguments = ["--data", str(folder), "import", table, file, *options]
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    workspace = open_workspace(folder)
    workspace.roll_up()
    return workspace


def month_ends(periods: pd.DataFrame, months: pd.DatetimeIndex) -> pd.DataFrame:
    """What accounts (rows) pay at the last instant of months (columns, their first
    days), from periods: account, since, until, amount."""
    ends = months + pd.DateOffset(months=1)
    columns = {
        month: periods[(periods.since < end) & (periods.until >= end)]
        .groupby("account")
        .amount.sum()
        for month, end in zip(months, ends, strict=True)
    }
    every = sorted(set(periods.account))
    return pd.DataFrame(columns, index=every).fillna(0.0)


def movements(paid: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """Movements by month. `first`: the month each account first paid in."""
    found = {}
    for before, month in zip(paid.columns, paid.columns[1:], strict=False):
        m0, m1 = paid[before], paid[month]
        stays = (m0 > 0) & (m1 > 0)
        change = m1 - m0
        begins = (m0 == 0) & (m1 > 0)
        found[month] = {
            "new": m1[begins & (first == month)].sum(),
            "reactivation": m1[begins & (first < month)].sum(),
            "expansion": change[stays & (change > 0)].sum(),
            "contraction": change[stays & (change < 0)].sum(),
            "churn": -m0[(m0 > 0) & (m1 == 0)].sum(),
            "resume": 0.0,
            "pause": 0.0,
            "fx": 0.0,
        }
    return pd.DataFrame(found)


def assert_same_months(workspace: Workspace, periods: pd.DataFrame, start: str, end: str) -> None:  # fmt: skip
    """Movements, churn, retention and cohorts of every month."""
    months = pd.date_range(start, end, freq="MS", inclusive="left")
    before = months[:1] - pd.DateOffset(months=1)
    paid = month_ends(periods, before.append(months))
    real = periods[(periods.amount > 0) & (periods.since < periods.until)]
    first = real.groupby("account").since.min().dt.to_period("M").dt.to_timestamp()
    first = first.reindex(paid.index)
    expected = movements(paid, first)
    asked = {"start": start, "end": end, "grain": "month"}
    for row in workspace.metric("mrr_movements", **asked).to_dicts():
        month = pd.Timestamp(row["period_start"])
        # A history that is imported whole has no closed months to be late for.
        late = row["movement"] == "late_adjustment"
        wanted = 0 if late else expected.loc[row["movement"], month]
        assert row["value"] == pytest.approx(wanted, abs=1e-6), row
    shares = {
        "net_revenue_retention": lambda m0, m1: m1[m0 > 0].sum() / m0.sum(),
        "gross_revenue_retention": lambda m0, m1: np.minimum(m0, m1).sum() / m0.sum(),
        "customer_churn_rate": lambda m0, m1: (m1[m0 > 0] == 0).mean(),
    }
    for key, share in shares.items():
        for row in workspace.metric(key, **asked).to_dicts():
            month = pd.Timestamp(row["period_start"])
            m0, m1 = paid[month - pd.DateOffset(months=1)], paid[month]
            wanted = share(m0, m1) if (m0 > 0).any() else None
            assert row["value"] == (wanted and pytest.approx(wanted)), row
    _assert_same_cohorts(workspace, paid, first, asked)


def _assert_same_cohorts(workspace: Workspace, paid: pd.DataFrame, first: pd.Series, asked: dict[str, str]) -> None:  # fmt: skip
    rows = workspace.metric("logo_cohort_retention", **asked).to_dicts()
    gross = workspace.metric("revenue_cohort_retention", variant="gross", **asked)
    least = {(r["cohort"], r["k"]): r["value"] for r in gross.to_dicts()}
    checked = 0
    for row in rows:
        cohort = pd.Timestamp(row["cohort"])
        month = cohort + pd.DateOffset(months=row["k"])
        if month not in paid.columns:
            continue
        of = paid[first == cohort]
        assert row["value"] == pytest.approx((of[month] > 0).mean()), row
        running = of.loc[:, cohort:month].min(axis=1).sum()
        base = of[cohort].sum()
        wanted = running / base if base else None
        assert least[(row["cohort"], row["k"])] == (wanted and pytest.approx(wanted))
        checked += 1
    assert checked > len(set(first.dropna()))


def test_subscription_periods_with_gaps_and_returns(tmp_path: Path) -> None:
    file = DATA / "mrr_playbook" / "subscription_periods.csv"
    workspace = load(tmp_path, ["subscription_items", str(file)])
    rows = pd.read_csv(file, parse_dates=["start_date", "end_date"])
    periods = pd.DataFrame(
        {
            "account": rows.customer_id.astype(str),
            "since": rows.start_date,
            "until": rows.end_date,
            "amount": rows.monthly_amount,
        }
    )
    assert_same_months(workspace, periods, "2017-09-01", "2020-03-01")


def test_a_simulated_product(tmp_path: Path) -> None:
    """Plans, add-ons, upgrades: 6,492 subscription rows of 339 accounts."""
    folder = DATA / "crm5"
    account = ["accounts", str(folder / "account.csv"), "--map", "account_id=id"]
    names = ("subscription_id=account_id", "item_id=product", "valid_from=start_date", "valid_to=end_date")  # fmt: skip
    options = [part for name in names for part in ("--map", name)]
    items = ["subscription_items", str(folder / "subscription.csv"), *options]
    workspace = load(tmp_path, account, items)
    rows = pd.read_csv(folder / "subscription.csv", parse_dates=["start_date", "end_date"])  # fmt: skip
    # One item has one state at a time: the last row of a start is the one that counts.
    rows = rows.drop_duplicates(["account_id", "product", "start_date"], keep="last")
    periods = pd.DataFrame(
        {
            "account": rows.account_id.astype(str),
            "since": rows.start_date,
            "until": rows.end_date,
            "amount": rows.mrr,
        }
    )
    assert_same_months(workspace, periods, "2022-03-01", "2024-03-01")


class TestTelecom:
    """7,043 customers, a tenure in months and whether they left: 26.5 %.

    They began so many months before 2020 began; who left did so then.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls) -> pd.DataFrame:
        file = DATA / "telco" / "WA_Fn-UseC_-Telco-Customer-Churn.csv"
        return pd.read_csv(file)

    @pytest.fixture(scope="class")
    @classmethod
    def workspace(
        cls, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
    ) -> Workspace:
        folder = tmp_path_factory.mktemp("telco")
        end = pd.Timestamp("2020-01-01")
        since = [end - pd.DateOffset(months=months) for months in rows.tenure]
        items = pd.DataFrame(
            {
                "subscription_id": rows.customerID,
                "account_id": rows.customerID,
                "valid_from": since,
                "valid_to": np.where(rows.Churn == "Yes", "2020-01-01", ""),
                "mrr": rows.MonthlyCharges,
            }
        )
        accounts = pd.DataFrame(
            {"account_id": rows.customerID, "segment": rows.Contract}
        )
        costs = pd.DataFrame(
            {"month": ["2020-01-01"], "category": ["cogs"], "amount": [100_000]}
        )
        tables = {"subscription_items": items, "accounts": accounts, "costs": costs}
        imports = []
        for name, frame in tables.items():
            frame.to_csv(folder / f"{name}.csv", index=False)
            imports.append([name, str(folder / f"{name}.csv")])
        return load(folder / "data", *imports)

    def test_churn_by_contract(self, workspace: Workspace, rows: pd.DataFrame) -> None:
        asked = {"start": "2020-01-01", "end": "2020-02-01"}
        there = rows[rows.tenure > 0]
        left = (there.Churn == "Yes").groupby(there.Contract).mean()
        found = workspace.metric("customer_churn_rate", by=["segment"], **asked)
        rates = {row["segment"]: row["value"] for row in found.to_dicts()}
        assert rates == pytest.approx(left.to_dict())
        total = workspace.metric("customer_churn_rate", **asked)
        assert total.value == pytest.approx(1869 / 7032)
        kept = there[there.Churn == "No"].MonthlyCharges.sum()
        retained = kept / there.MonthlyCharges.sum()
        retention = workspace.metric("gross_revenue_retention", **asked)
        assert retention.value == pytest.approx(retained)

    def test_lifetimes(self, workspace: Workspace, rows: pd.DataFrame) -> None:
        """Kaplan and Meier over tenure: who is here has stayed a month longer."""
        asked = {"start": "2020-01-01", "end": "2020-02-01"}
        here = rows[rows.Churn == "No"]
        margin = 1 - 100_000 / here.MonthlyCharges.sum()
        for contract in (None, "Month-to-month", "One year", "Two year"):
            of = rows if contract is None else rows[rows.Contract == contract]
            left = (of.Churn == "Yes").to_numpy() & (of.tenure > 0).to_numpy()
            months = np.where(left, of.tenure, of.tenure + 1)
            share, total = 1.0, 0.0
            for k in range(36):
                if k:
                    risk = (months >= k).sum()
                    share *= 1 - ((months == k) & left).sum() / risk
                total += share / 1.008**k
            arpa = of[of.Churn == "No"].MonthlyCharges.mean()
            where = f"segment = '{contract}'" if contract else None
            found = workspace.metric("clv_survival", where=where, **asked)
            assert found.value == pytest.approx(arpa * margin * total), contract
            assert found.rows["n"][0] == len(of)
