"""The exact lines that make a program send events: host and key filled in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.apps.intake import live, rejected
from perennial.apps.intake.arriving import Arrival, arrival
from perennial.apps.intake.models import CALLS, Source
from perennial.apps.intake.rejected import Group

#: Stands for the key where it is not shown.
NO_KEY: Final = "YOUR_WRITE_KEY"


@dataclass(frozen=True)
class Step:
    """Text for people, then lines to copy (or none)."""

    say: str | Promise
    lines: str = ""


@dataclass(frozen=True)
class Guide:
    key: str
    title: str | Promise
    icon: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Status:
    """Has the source been heard? `opened` is its newest event of today."""

    arrival: Arrival
    opened: live.Opened | None
    refused: Group | None

    @property
    def state(self) -> str:
        """ "arrived", "loading", "refused" or "waiting"."""
        if self.arrival.last_at is not None:
            return "arrived"
        if self.arrival.waiting.requests:
            return "loading"
        return "refused" if self.refused else "waiting"

    @property
    def at(self) -> datetime | None:
        return self.arrival.last_at


def status(source: Source) -> Status:
    groups = rejected.groups(source.workspace, source.slug)
    return Status(
        arrival(source),
        live.newest(source.workspace, source.slug),
        groups[0] if groups else None,
    )


def host_of(request: HttpRequest) -> str:
    """The address clients send to, as it is known or as this request came."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def guides(host: str, key: str) -> Mapping[str, Guide]:
    made = (
        _browser(host, key),
        _node(host, key),
        _python(host, key),
        _curl(host, key),
        _analytics_js(host, key),
        _segment(host, key),
        _rudderstack(host, key),
    )
    return {guide.key: guide for guide in made}


_CALLS: Final = """identify("user-17", { email: "ann@alpha.example", name: "Ann" });
perennial.group("account-4", { name: "Alpha", plan: "Pro" });
perennial.track("Report made", { rows: 120 });"""


def _browser(host: str, key: str) -> Guide:
    tag = f'<script async src="{host}/snippet/v1.js" data-key="{key}"></script>'
    return Guide(
        "browser",
        _("Browser"),
        icon="world",
        steps=(
            Step(
                _(
                    "Put this line into the head of your pages. It counts page views "
                    "from then on, without cookies."
                ),
                tag,
            ),
            Step(
                _(
                    "Say who is there and which account they work for, once you know; "
                    "every later event belongs to both."
                ),
                f"perennial.{_CALLS}",
            ),
            Step(
                _(
                    "To show surveys and guides to the people you identified, let the "
                    "line say so."
                ),
                tag.replace("></script>", ' data-show="on"></script>'),
            ),
        ),
    )


def _node(host: str, key: str) -> Guide:
    return Guide(
        "node",
        _("Node"),
        icon="brand-nodejs",
        steps=(
            Step(
                _("Install Segment’s library."), "npm install @segment/analytics-node"
            ),
            Step(
                _("Give it your host and key, and send."),
                f"""import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{
  host: "{host}",
  writeKey: "{key}",
}});

analytics.identify({{ userId: "user-17", traits: {{ email: "ann@alpha.example" }} }});
analytics.group({{ userId: "user-17", groupId: "account-4" }});
analytics.track({{
  userId: "user-17",
  event: "Report made",
  properties: {{ rows: 120 }},
  context: {{ groupId: "account-4" }},
}});

await analytics.closeAndFlush();""",
            ),
        ),
    )


def _python(host: str, key: str) -> Guide:
    return Guide(
        "python",
        _("Python"),
        icon="brand-python",
        steps=(
            Step(
                _("Install Segment’s library."), "pip install segment-analytics-python"
            ),
            Step(
                _("Give it your host and key, and send."),
                f"""import segment.analytics as analytics

analytics.host = "{host}"
analytics.write_key = "{key}"

analytics.identify("user-17", {{"email": "ann@alpha.example", "name": "Ann"}})
analytics.group("user-17", "account-4", {{"name": "Alpha", "plan": "Pro"}})
analytics.track(
    "user-17",
    "Report made",
    {{"rows": 120}},
    context={{"groupId": "account-4"}},
)

analytics.shutdown()  # sends what waits""",
            ),
        ),
    )


def _curl(host: str, key: str) -> Guide:
    return Guide(
        "curl",
        "curl",
        icon="terminal-2",
        steps=(
            Step(
                _("Any program that can send JSON over HTTP will do."),
                f"""curl {host}/v1/track \\
  --user '{key}:' \\
  --header 'Content-Type: application/json' \\
  --data '{{
    "userId": "user-17",
    "event": "Report made",
    "properties": {{"rows": 120}},
    "context": {{"groupId": "account-4"}}
  }}'""",
            ),
        ),
    )


def _analytics_js(host: str, key: str) -> Guide:
    return Guide(
        "analytics-js",
        "analytics.js",
        icon="brand-javascript",
        steps=(
            Step(
                _("Install Segment’s library."), "npm install @segment/analytics-next"
            ),
            Step(
                _("Let it load its settings from your host; it then sends there, too."),
                f"""import {{ AnalyticsBrowser }} from "@segment/analytics-next";

export const analytics = AnalyticsBrowser.load({{
  writeKey: "{key}",
  cdnURL: "{host}",
}});

analytics.identify("user-17", {{ email: "ann@alpha.example" }});
analytics.group("account-4", {{ name: "Alpha" }});
analytics.track("Report made", {{ rows: 120 }});""",
            ),
        ),
    )


def _segment(host: str, key: str) -> Guide:
    return Guide(
        "segment",
        "Segment",
        icon="arrow-fork",
        steps=(
            Step(
                _(
                    "In the Segment console, open Connections, Catalog, choose "
                    "“Webhooks (Actions)”, and connect it to the source of your "
                    "product."
                )
            ),
            Step(
                _(
                    "Add a mapping “Send” for each type of call you use. Trigger: "
                    "event type is that call; method: POST; data: $event; URL:"
                ),
                "\n".join(f"{host}/v1/{call}" for call in CALLS if call != "batch"),
            ),
            Step(_("Each with this header:"), _header(key)),
        ),
    )


def _rudderstack(host: str, key: str) -> Guide:
    return Guide(
        "rudderstack",
        "RudderStack",
        icon="arrow-fork",
        steps=(
            Step(
                _(
                    "With a RudderStack library, enter this as data plane URL and "
                    "write key; its events then come straight here."
                ),
                f"dataPlaneUrl: {host}\nwriteKey:     {key}",
            ),
            Step(
                _(
                    "From the RudderStack console, add the destination “HTTP Webhook” "
                    "(cloud mode) with method POST, body format JSON, the path "
                    "parameter $.type, and this base URL:"
                ),
                f"{host}/v1",
            ),
            Step(_("With this header:"), _header(key)),
        ),
    )


def _header(key: str) -> str:
    return f"Authorization: Basic {base64.b64encode(f'{key}:'.encode()).decode()}"
