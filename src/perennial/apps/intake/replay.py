"""Rejects sent again, after what was wrong with them has been put right.

A replay puts the calls back into the inbox with the time they first came; event ids
see to it that one that got through in the meantime is not counted twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from perennial.apps.intake.models import Batch, Source
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.lake.duck import connect

#: Calls of one request made of rejects.
_CALLS = 500


def replay(workspace: Workspace, *, code: str | None, by: User | None) -> int:
    """Send rejected calls of a reason (None: of every one) again; how many.

    They leave the rejects once they are back in the inbox, and come back to them
    if they still cannot be taken.
    """
    lake = lake_of(workspace).lake
    slugs = dict(Source.objects.filter(workspace=workspace).values_list("slug", "pk"))
    with lake.lock("rejects"):
        rows = _sendable(workspace, code)
        calls: dict[tuple[str, datetime], list[tuple[int, str]]] = defaultdict(list)
        for source, number, payload, at in rows:
            calls[source.removeprefix("http:"), at].append((number, payload))
        with transaction.atomic():
            for (slug, at), sent in calls.items():
                for start in range(0, len(sent), _CALLS):
                    part = [payload for _n, payload in sent[start : start + _CALLS]]
                    _put_back(slugs[slug], at, part)
            record(workspace, by, "rejects.replayed", code or "", count=len(rows))
        keys = [(source, "events", number) for source, number, _p, _at in rows]
        lake.delete_keys("rejects", keys)
    return len(rows)


def _sendable(
    workspace: Workspace, code: str | None
) -> Sequence[tuple[str, int, str, datetime]]:
    """Rejected calls that are JSON objects: the others can never be taken."""
    slugs = Source.objects.filter(workspace=workspace).values_list("slug", flat=True)
    sources = [f"http:{slug}" for slug in slugs]
    lake = lake_of(workspace).lake
    with connect() as duck:
        found = duck.execute(
            "SELECT source, row_number, payload, rejected_at "
            f"FROM {lake.source('rejects')} WHERE list_contains($1, source) "
            "AND ($2 IS NULL OR code = $2) AND left(payload, 1) = '{' "
            "AND json_valid(payload) ORDER BY row_number",
            [sources, code],
        ).fetchall()
    return [(source, number, payload, at) for source, number, payload, at in found]


def _put_back(source_id: int, at: datetime, payloads: Sequence[str]) -> None:
    """As one batch; a request that was put aside whole is one already."""
    calls = [json.loads(text) for text in payloads]
    whole = [call for call in calls if isinstance(call.get("batch"), list)]
    single = [call for call in calls if not isinstance(call.get("batch"), list)]
    for batch in [*whole, {"batch": single}]:
        if batch["batch"]:
            body = json.dumps(batch).encode()
            Batch.objects.create(
                source_id=source_id,
                call="batch",
                received_at=at,
                body=body,
                size=len(body),
            )
