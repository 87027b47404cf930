"""Every metric in the SQL of warehouses, without one: what can be said, is.

DuckDB and Spark run every metric in other tests. Of these dialects it is only known
that Ibis can put the question into words; what it cannot is listed with its reason.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import ibis
import ibis.expr.types as ir
import pytest
from docs.reference import DIALECTS, UNSAID

from perennial.core.settings import Settings
from perennial.lake.tables import FACTS, TABLES
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import ask
from perennial.metrics.registry import all_metrics, get
from tests.metrics.test_calendars import NAMED

NOW = datetime(2026, 6, 10, 5, tzinfo=UTC)
#: A zone whose clocks change, and a currency to convert into.
SETTINGS = Settings().with_values({"timezone": "Europe/Berlin", "currency": "EUR"})


def _table(name: str) -> ir.Table:
    return ibis.table(ibis.Schema.from_pyarrow(TABLES[name].schema()), name=name)


def _asked(key: str) -> ir.Table:
    """The metric's default question, of three months."""
    query = ask(
        get(key),
        now=NOW,
        settings=SETTINGS,
        start=date(2026, 3, 1),
        end=date(2026, 6, 1),
        params=NAMED.get(key),
    )
    tables = Inputs(_table, query, FACTS["accounts"].names)
    return query.metric.compute(tables, query)


@pytest.mark.parametrize("key", list(all_metrics()))
def test_every_metric_can_be_put_into_the_dialects(key: str) -> None:
    expression = _asked(key)
    for dialect in DIALECTS:
        if key in UNSAID.get(dialect, {}):
            with pytest.raises(Exception, match=UNSAID[dialect][key]):
                ibis.to_sql(expression, dialect=dialect)
        else:
            assert "SELECT" in ibis.to_sql(expression, dialect=dialect)


def test_only_known_metrics_and_dialects_are_excused() -> None:
    assert set(UNSAID) <= set(DIALECTS)
    for excused in UNSAID.values():
        assert set(excused) <= set(all_metrics())
