"""Names of events that say what they are where nobody else does.

Regular expressions for lower-case names, in the syntax all engines share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LOGIN: Final = (
    r"^(user[ _]*)?"
    r"(logged[ _-]*in|log[ _-]*in|login|sign[ _-]*in|signed[ _-]*in|signin)$"
)
LOGOUT: Final = (
    r"^(user[ _]*)?"
    r"(logged[ _-]*out|log[ _-]*out|logout|sign[ _-]*out|signed[ _-]*out|signout)$"
)
#: Events of our own guides, by what a browser tells. Names with a dollar sign are the
#: system's: they make nobody active.
GUIDE_EVENTS: Final[Mapping[str, str]] = {
    "seen": "$guide_seen",
    "step": "$guide_step_seen",
    "done": "$guide_finished",
    "dismissed": "$guide_dismissed",
    "snoozed": "$guide_snoozed",
    "lost": "$guide_lost",
    "clicked": "$guide_clicked",
}
