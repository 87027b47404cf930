"""Questions about a year: what boards and explorers ask, for the peers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from benchmarks.peers import Question

#: Events of the funnel, in order.
STEPS = ("feature 3", "feature 2", "feature 1", "feature 0")
_DAY_US = 86_400_000_000


def questions(
    events: Path, subscriptions: Path, start: date, end: date
) -> dict[str, Question]:
    """SQL of each question for both engines, over the files themselves."""
    duck, house = f"'{events}'", f"file('{events}', Parquet)"
    d = f"timestamp >= DATE '{start}' AND timestamp < DATE '{end}'"
    h = f"timestamp >= toDateTime('{start} 00:00:00') AND timestamp < toDateTime('{end} 00:00:00')"
    return {
        "dau, wau, mau of every day": Question(_active_duck(duck, d), _active_house(house, h)),
        "dau of every day": Question(
            f"SELECT timestamp::DATE, count(DISTINCT user_id) FROM {duck} WHERE {d} GROUP BY 1",
            f"SELECT toDate(timestamp) AS day, uniqExact(user_id) FROM {house} WHERE {h} GROUP BY day",
        ),
        "funnel of four steps, 90 days": Question(_funnel_duck(duck, d), _funnel_house(house, h)),
        "weekly retention": Question(_weeks_duck(duck, d), _weeks_house(house, h)),
        "funnel of four steps": Question(_funnel_duck(duck, d), _funnel_house(house, h)),
        "adoption by account": Question(
            f"""
            SELECT account_id, event, count(DISTINCT user_id) / any_value(people) FROM {duck}
            JOIN (SELECT account_id, count(DISTINCT user_id) people FROM {duck}
                  WHERE {d} GROUP BY 1) USING (account_id)
            WHERE {d} GROUP BY 1, 2
            """,
            f"""
            SELECT account_id, event, uniqExact(user_id) / any(people) FROM {house} AS e
            JOIN (SELECT account_id, uniqExact(user_id) people FROM {house}
                  WHERE {h} GROUP BY account_id) AS p USING (account_id)
            WHERE {h} GROUP BY account_id, event
            """,
        ),
        "MRR movements, 24 months": Question(
            _movements(f"'{subscriptions}'", "unnest(range(24))", "DATE '2023-12-01' + to_months(k::INT)"),
            _movements(f"file('{subscriptions}', Parquet)", "arrayJoin(range(24))", "addMonths(toDate('2023-12-01'), k)"),
        ),
    }  # fmt: skip


def _active_duck(source: str, where: str) -> str:
    """Steps up at a day of presence and down a width later, added up."""
    sums = ", ".join(f"sum(w{w}) OVER (ORDER BY d)" for w in (1, 7, 30))
    ups = ", ".join(f"sum(step) FILTER (w = {w}) AS w{w}" for w in (1, 7, 30))
    return f"""
        WITH day AS (SELECT DISTINCT user_id, epoch_us(timestamp) // {_DAY_US} AS d
                     FROM {source} WHERE {where}),
             seen AS (SELECT d, lead(d) OVER (PARTITION BY user_id ORDER BY d) AS nxt FROM day),
             step AS (SELECT d, w, 1 AS step FROM seen, (VALUES (1), (7), (30)) v(w)
                      UNION ALL
                      SELECT least(d + w, coalesce(nxt, d + w)), w, -1
                      FROM seen, (VALUES (1), (7), (30)) v(w))
        SELECT d, {sums} FROM (SELECT d, {ups} FROM step GROUP BY d)
    """


def _active_house(source: str, where: str) -> str:
    counted = ", ".join(f"uniqExactIf(user_id, k < {w})" for w in (1, 7, 30))
    return f"""
        SELECT d + k AS at, {counted} FROM (
            SELECT DISTINCT toDate(timestamp) d, user_id FROM {source} WHERE {where})
        ARRAY JOIN range(30) AS k GROUP BY at
    """


def _weeks_duck(source: str, where: str) -> str:
    return f"""
        WITH seen AS (SELECT DISTINCT user_id, date_trunc('week', timestamp)::DATE AS week
                      FROM {source} WHERE {where}),
             began AS (SELECT user_id, min(week) AS cohort FROM seen GROUP BY 1)
        SELECT cohort, (week - cohort) // 7, count(*) FROM seen JOIN began USING (user_id)
        GROUP BY ALL
    """


def _weeks_house(source: str, where: str) -> str:
    return f"""
        SELECT weeks[1] AS cohort, intDiv(arrayJoin(weeks) - cohort, 7) AS k, count() FROM (
            SELECT arraySort(groupUniqArray(toMonday(timestamp))) AS weeks
            FROM {source} WHERE {where} GROUP BY user_id)
        GROUP BY cohort, k
    """


def _funnel_duck(source: str, where: str) -> str:
    names = ", ".join(f"'{name}'" for name in STEPS)
    later = "".join(
        f""", s{n} AS (SELECT e.user_id, any_value(began) AS began, min(us) AS t
             FROM s{n - 1} p JOIN e ON e.user_id = p.user_id AND e.event = '{name}'
              AND e.us > p.t AND e.us < p.began + 30 * {_DAY_US} GROUP BY 1)"""
        for n, name in enumerate(STEPS[1:], start=2)
    )
    counts = ", ".join(f"(SELECT count(*) FROM s{n + 1})" for n in range(len(STEPS)))
    return f"""
        WITH e AS MATERIALIZED (SELECT user_id, event, epoch_us(timestamp) AS us
                   FROM {source} WHERE {where} AND event IN ({names})),
             s1 AS (SELECT user_id, min(us) AS began, min(us) AS t FROM e
                    WHERE event = '{STEPS[0]}' GROUP BY 1)
             {later}
        SELECT {counts}
    """


def _funnel_house(source: str, where: str) -> str:
    conditions = ", ".join(f"event = '{name}'" for name in STEPS)
    return f"""
        SELECT level, count() FROM (
            SELECT windowFunnel({30 * 86_400})(toDateTime(timestamp), {conditions}) AS level
            FROM {source} WHERE {where} GROUP BY user_id)
        GROUP BY level
    """


def _movements(source: str, months: str, first: str) -> str:
    """Both engines: the MRR an account gained and lost in each month."""
    return f"""
        WITH month AS (SELECT {first} AS since, k FROM (SELECT {months} AS k)),
             stock AS (SELECT account_id, k, sum(mrr) AS mrr FROM {source} AS s, month
                       WHERE s.valid_from < month.since
                         AND (s.valid_to IS NULL OR s.valid_to >= month.since)
                       GROUP BY account_id, k),
             pair AS (SELECT b.account_id AS account_id, b.k AS k, coalesce(a.mrr, 0) AS was, b.mrr AS now
                      FROM stock AS b LEFT JOIN stock AS a
                      ON a.account_id = b.account_id AND a.k + 1 = b.k)
        SELECT k, sum(CASE WHEN was = 0 THEN now ELSE 0 END),
               sum(CASE WHEN was > 0 AND now > was THEN now - was ELSE 0 END),
               sum(CASE WHEN now > 0 AND now < was THEN now - was ELSE 0 END),
               sum(CASE WHEN now = 0 THEN -was ELSE 0 END)
        FROM pair GROUP BY k
    """
