"""The HTTP end of intake: Segment's tracking protocol, raw ASGI, no framework.

    endpoint -> payload (what was sent) -> keys (whose it is) -> inbox (durable)

A 200 means that the request is committed to the inbox and flushed to the disk.
Nothing here looks at single events: that is the loader's work.
"""

from __future__ import annotations
