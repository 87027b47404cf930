"""Makes the calls with a Python SDK, unmodified but for host and key.

Arguments: module (segment.analytics or rudderstack.analytics), host, key, gzip (0
or 1), base (ISO 8601). Runs in an environment that has nothing but the SDK.
"""

from __future__ import annotations

import importlib
import sys
from datetime import datetime, timedelta
from typing import Any

module, host, key, gzip, base = sys.argv[1:6]
analytics: Any = importlib.import_module(module)
failures: list[Exception] = []


def failed(error: Exception, _items: object) -> None:
    failures.append(error)


if module.startswith("rudderstack"):
    analytics.dataPlaneUrl = host
else:
    analytics.host = host
analytics.write_key = key
analytics.gzip = gzip == "1"
analytics.on_error = failed

KINDS = ("identify", "group", "page", "screen", "alias", *["track"] * 5)
for i in range(1000):
    user = f"user-{i % 50}"
    said = {
        "i": i,
        "text": f'Ünï "{i}" 😀',
        "nested": {"on": i % 2 == 0, "list": [1, i]},
    }
    at = datetime.fromisoformat(base) + timedelta(seconds=i)
    kind = KINDS[i % 10]
    if kind == "identify":
        analytics.identify(user, said, timestamp=at)
    elif kind == "group":
        analytics.group(user, f"account-{i % 7}", said, timestamp=at)
    elif kind == "page":
        analytics.page(user, "Docs", f"Page {i}", said, timestamp=at)
    elif kind == "screen":
        analytics.screen(user, "App", f"Screen {i}", said, timestamp=at)
    elif kind == "alias":
        analytics.alias(f"old-{i}", user, timestamp=at)
    else:
        context = {"groupId": f"account-{i % 7}"}
        analytics.track(user, f"Event {i % 13}", said, context=context, timestamp=at)
analytics.shutdown()
if failures:
    sys.exit(f"{len(failures)} failures, the first: {failures[0]!r}")
