"""Start-up checks of the interface."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register

from perennial.ui.assets import manifest


@register
def assets_are_built(**kwargs: Any) -> list[CheckMessage]:
    if manifest():
        return []
    hint = "Run `npm ci && npm run build` in js/ (or `make setup`)."
    return [Warning("The browser bundle is not built.", hint=hint, id="ui.W001")]
