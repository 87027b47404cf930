"""What a number can be split by, and how groups, features and customers are called."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from perennial.apps.reports.results import Answers
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.metrics.registry import Metric

Text = str | Promise

#: Attributes of accounts to split by, in this order; others follow by name.
DIMENSIONS: dict[str, Text] = {
    "class": gettext_lazy("Class"),
    "color": gettext_lazy("Color"),
    "segment": gettext_lazy("Segment"),
    IN_SEGMENT: gettext_lazy("Saved segment"),
    "plan": gettext_lazy("Plan"),
    "country": gettext_lazy("Country"),
    "region": gettext_lazy("Region"),
    "industry": gettext_lazy("Industry"),
    "owner_email": gettext_lazy("Owner"),
    "tier": gettext_lazy("Tier"),
    "lifecycle_stage": gettext_lazy("Stage"),
}
#: What metrics can be split by of themselves.
OWN: dict[str, Text] = {
    "feature": gettext_lazy("Feature"),
    "area": gettext_lazy("Area"),
    "cause": gettext_lazy("Cause"),
    "step": gettext_lazy("Step"),
    "flow": gettext_lazy("Flow"),
    "stage": gettext_lazy("Stage"),
    "source": gettext_lazy("Source"),
    "kind": gettext_lazy("Kind"),
    "last_step": gettext_lazy("Last step"),
    "survey": gettext_lazy("Survey"),
    "wave": gettext_lazy("Wave"),
    "role": gettext_lazy("Role"),
    "touchpoint": gettext_lazy("Touchpoint"),
    "language": gettext_lazy("Language"),
    "scale": gettext_lazy("Scale"),
    "channel": gettext_lazy("Channel"),
    "topic": gettext_lazy("Topic"),
    "priority": gettext_lazy("Priority"),
    "direction": gettext_lazy("Direction"),
    "mailbox": gettext_lazy("Mailbox"),
    "endpoint": gettext_lazy("Endpoint"),
    "service": gettext_lazy("Service"),
    "measure": gettext_lazy("Measure"),
}
#: Attributes that are no groups: every account has its own.
_SINGLE = {
    *("created_at", "domain", "employees", "onboarding_completed_at"),
    *("parent_account_id", "currency"),
}


def dimensions(answers: Answers, metric: Metric) -> list[str]:
    """By what the number can be split, and there is something to split."""
    names = answers.keep(
        "dimensions",
        ("accounts", "account_attributes", "segment_members"),
        lambda: _filled(answers),
    )
    known = [name for name in DIMENSIONS if name in names]
    known += sorted(name for name in names if name not in DIMENSIONS)
    if not metric.is_of_accounts:
        known = []
    own = [name for name in metric.dimensions if name in OWN]
    known[2:2] = own
    return [*metric.makes, *known] if metric.focus else known


def _filled(answers: Answers) -> list[str]:
    """Attributes with at least two values; columns of accounts and others alike."""
    accounts = answers.lake.table("accounts")
    names = [n for n in answers.lake.account_attributes if n not in _SINGLE]
    columns = [name for name in names if name in accounts.columns]
    if not columns:
        return []
    counted = accounts.agg(**{name: accounts[name].nunique() for name in columns})
    counts = answers.lake.engine.run(counted).row(0, named=True)
    filled = [name for name in names if counts.get(name, 2) > 1]
    members = answers.lake.table("segment_members")
    live = answers.lake.engine.run(members.filter(members.ends_on.isnull()).limit(1))
    return filled if live.is_empty() else [*filled, IN_SEGMENT]


def title_of(name: str) -> Text:
    named = DIMENSIONS.get(name) or OWN.get(name)
    return named or name.replace("_", " ").capitalize()


def feature_names(answers: Answers) -> dict[str, str]:
    """Names of features by id; an id without a name stands for itself."""

    def compute() -> dict[str, str]:
        features = answers.lake.table("features").select("feature_id", "name")
        rows = answers.lake.engine.run(features).iter_rows()
        return {key: name or key for key, name in rows}

    return answers.keep("features", ("features",), compute)


def names_in(answers: Answers, table: str, ids: Sequence[str]) -> dict[str, str]:
    found = answers.lake.table(table)
    key = found[{"accounts": "account_id", "users": "user_id"}[table]]
    name = found.name if table == "accounts" else found.name.coalesce(found.email)
    rows = found.filter(key.isin(ids)).select(id=key, name=name)
    return {i: n for i, n in answers.lake.engine.run(rows).iter_rows() if n}
