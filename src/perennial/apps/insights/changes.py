"""What is new in a version, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext as _

from perennial.apps.insights import words
from perennial.core.settings import Settings
from perennial.lake.models import Version
from perennial.scoring import review
from perennial.scoring.review import Change
from perennial.ui import formats
from perennial.ui.formats import Regional


def in_force_before(found: Sequence[Version], version: Version) -> Version | None:
    """The version that was in force when this one was proposed: what a person who
    approves it gives up."""
    approved = [
        v
        for v in found
        if v.status == "approved"
        and v.reviewed_at is not None
        and v.reviewed_at <= version.proposed_at
        and v != version
    ]
    return max(approved, key=lambda v: (v.reviewed_at, v.number), default=None)


def change_texts(
    old: Version | None,
    new: Version,
    names: Mapping[str, str],
    settings: Settings,
    regional: Regional,
) -> list[str]:
    """One sentence a difference; none for a first version."""
    if old is None:
        return []
    found = review.differences(old.review, new.review, psi_watch=settings.psi_watch)
    return [_text(change, names, regional) for change in found]


def _text(change: Change, names: Mapping[str, str], regional: Regional) -> str:
    where = change.segment or _("All customers")
    tell = _SAYS[change.kind]
    return f"{where}: {tell(change, names, regional)}"


def _feature(change: Change, names: Mapping[str, str], _regional: Regional) -> str:
    told = {
        side: names.get(str(value), str(value)) if value else _("none")
        for side, value in (("old", change.before), ("new", change.after))
    }
    return _("power feature %(old)s → %(new)s") % told


def _edges(change: Change, _names: Mapping[str, str], regional: Regional) -> str:
    told = {
        "old": _uses(change.before, regional),
        "new": _uses(change.after, regional),
    }
    return _("green from %(old)s → %(new)s uses a month") % told


def _edge(change: Change, _names: Mapping[str, str], regional: Regional) -> str:
    told = {
        "old": _uses(change.before, regional),
        "new": _uses(change.after, regional),
    }
    return _("an edge between bands %(old)s → %(new)s uses a month") % told


def _uses(value: str | float | None, regional: Regional) -> str:
    if value is None or isinstance(value, str):
        return formats.EMPTY
    return formats.number(value, regional)


def _chances(change: Change, _names: Mapping[str, str], regional: Regional) -> str:
    told = {
        "old": formats.percent(_number(change.before), regional, 0),
        "new": formats.percent(_number(change.after), regional, 0),
    }
    return _("chance of a band %(old)s → %(new)s") % told


def _number(value: str | float | None) -> float | None:
    return None if isinstance(value, str) else value


def _use(change: Change, _names: Mapping[str, str], regional: Regional) -> str:
    told = {"index": formats.number(_number(change.after), regional, 2)}
    return _("use has moved, population stability index %(index)s") % told


def _model(change: Change, _names: Mapping[str, str], _regional: Regional) -> str:
    told = {
        "old": words.MODELS[str(change.before)],
        "new": words.MODELS[str(change.after)],
    }
    return _("model %(old)s → %(new)s") % told


_Says = Callable[[Change, Mapping[str, str], Regional], str]
_SAYS: Mapping[str, _Says] = {
    "feature": _feature,
    "edges": _edges,
    "edge": _edge,
    "chances": _chances,
    "use": _use,
    "model": _model,
}
