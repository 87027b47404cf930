"""Names of events that say what they are where nobody else does.

Regular expressions for lower-case names, in the syntax all engines share.
"""

from __future__ import annotations

from typing import Final

LOGIN: Final = (
    r"^(user[ _]*)?"
    r"(logged[ _-]*in|log[ _-]*in|login|sign[ _-]*in|signed[ _-]*in|signin)$"
)
LOGOUT: Final = (
    r"^(user[ _]*)?"
    r"(logged[ _-]*out|log[ _-]*out|logout|sign[ _-]*out|signed[ _-]*out|signout)$"
)
