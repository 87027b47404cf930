"""The pages of Insights, as tabs."""

from __future__ import annotations

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PAGES: dict[str, str | Promise] = {
    "power": _("Power feature"),
    "renewal": _("Renewal model"),
    "backtest": _("Back-test"),
    "forecast": _("Forecast"),
    "patterns": _("Usage patterns"),
    "product": _("Product health"),
    "survival": _("Survival"),
    "value": _("Lifetime value"),
    "versions": _("Versions"),
}


def tabs(on: str) -> list[dict[str, object]]:
    return [
        {"label": label, "url": reverse(f"insights:{name}"), "on": name == on}
        for name, label in PAGES.items()
    ]
