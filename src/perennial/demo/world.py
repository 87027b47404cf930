"""What the parts of the generator that come after the people share."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.demo.arrow import Floats
from perennial.demo.clock import Window
from perennial.demo.company import Accounts
from perennial.demo.fate import Stints, Terms
from perennial.demo.people import Members, Users


@dataclass(frozen=True)
class World:
    """The company and its people; `onboarded` is a day for each stint,
    `taste` a factor for each stint and feature; `planted`: does staying go with use?"""

    window: Window
    accounts: Accounts
    stints: Stints
    terms: Terms
    members: Members
    users: Users
    onboarded: Floats
    taste: Floats
    planted: bool
