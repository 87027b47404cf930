"""Events day by day, of a name or of a source."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, TypeAlias

from django.utils.translation import gettext as _

from perennial.apps.customers.kept import kept
from perennial.core.windows import Grain, periods
from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace as Lake
from perennial.ui.charts import Chart, Point, bar_chart
from perennial.ui.formats import Regional

Of: TypeAlias = Literal["event", "source_id"]


@kept("event_days")
def by_day(lake: Lake, of: Of, value: str, today: date, days: int) -> tuple[int, ...]:
    """The last so many days, today included, oldest first."""
    first = today - timedelta(days=days - 1)
    span = periods(first, today + timedelta(days=1), Grain.MONTH)
    months = [f"{month.start:%Y-%m}" for month in span]
    query = f"""
        SELECT date, sum(events)::BIGINT
        FROM {lake.lake.source("event_days", months=months)}
        WHERE {of} = $1 AND date >= $2 GROUP BY date
    """
    with connect() as duck:
        counts = dict(duck.execute(query, [value, first]).fetchall())
    return tuple(counts.get(first + timedelta(days=n), 0) for n in range(days))


def chart(
    lake: Lake, of: Of, value: str, regional: Regional, *, days: int, height: int
) -> Chart | None:
    """None where nothing came in these days."""
    today = lake.today
    counts = by_day(lake, of, value, today, days)
    if not any(counts):
        return None
    first = today - timedelta(days=days - 1)
    points = [Point(first + timedelta(days=n), count) for n, count in enumerate(counts)]
    return bar_chart(points, regional, name=_("Events"), grain="day", height=height)
