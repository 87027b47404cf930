"""The power feature: what separates stayers from leavers, in rows, bands and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from perennial.apps.customers.reasons import Sentence
from perennial.apps.insights import words
from perennial.apps.insights.queries import Chance
from perennial.core.settings import Settings
from perennial.scoring.bands import Bands
from perennial.scoring.gaps import Trend
from perennial.scoring.power_features import Discovery, Finding
from perennial.scoring.review import Review, shares, shift
from perennial.ui import charts, formats
from perennial.ui.charts import Chart, Side
from perennial.ui.formats import Regional

#: Customers of the list of those below green.
MOST = 15


@dataclass(frozen=True)
class Row:
    """A feature in the table; places of its dots are shares of the widest."""

    found: Finding
    name: str
    verdict: str
    kind: str
    stayed_at: float | None
    left_at: float | None


@dataclass(frozen=True)
class BandRow:
    """A band with what happened in it, and who is in it now; bar and whiskers are
    shares of the width."""

    color: str
    uses: str
    p: float | None
    low: float | None
    high: float | None
    n: int
    renewed: int
    accounts: int
    mrr: float


@dataclass(frozen=True)
class Trust:
    """A reason to believe it, or not to."""

    is_good: bool
    title: str
    text: str


def rows(found: Discovery, names: Mapping[str, str]) -> list[Row]:
    means = [m for f in found.findings for m in (f.mean_retained, f.mean_churned) if m]
    widest = max(means, default=1.0)
    return [_row(f, names, widest) for f in found.findings]


def _row(found: Finding, names: Mapping[str, str], widest: float) -> Row:
    verdict, kind = _verdict(found)
    name = names.get(found.feature, found.feature)
    places = [
        # By the root: a feature of ten uses is to be seen beside one of a hundred.
        None if mean is None else 100 * (0.06 + 0.88 * sqrt(mean / widest))
        for mean in (found.mean_retained, found.mean_churned)
    ]
    return Row(found, name, verdict, kind, *places)


def _verdict(found: Finding) -> tuple[str, str]:
    if found.excluded_reason:
        return str(words.LEFT_OUT.get(found.excluded_reason, _("Left out"))), "out"
    if found.rank is None:
        return _("Not compared yet"), "out"
    if found.is_power_feature:
        return _("Power feature"), "power"
    if found.significant:
        return _("Separates"), "separates"
    return _("No clear difference"), "none"


def headline(
    found: Discovery,
    names: Mapping[str, str],
    settings: Settings,
    regional: Regional,
) -> Sentence:
    if found.status != "ok":
        lead = _("There are too few %(what)s to say what separates them.")
        rest = _(
            "%(stayed)s stayed and %(left)s left so far; %(fewest)s of each are needed."
        )
        return Sentence(
            lead % {"what": words.missing_text(found.missing)},
            rest % {**_counts(found, regional), "fewest": settings.pf_min_class},
        )
    best = found.power_feature
    if best is None:
        lead = _("No feature separates those who stayed from those who left.")
        rest = _(
            "%(stayed)s stayed and %(left)s left: enough to see one, if it were there."
        )
        return Sentence(lead, rest % _counts(found, regional))
    lead = _("%(feature)s separates those who stayed from those who left.")
    rest = _(
        "Stayers used it %(more)s times a month, leavers %(less)s; of one of each, the "
        "stayer used it more %(auc)s of the time (likely %(low)s–%(high)s, %(n)s "
        "decisions)."
    )
    return Sentence(
        lead % {"feature": names.get(best.feature, best.feature)},
        rest
        % {
            "more": formats.number(best.mean_retained, regional),
            "less": formats.number(best.mean_churned, regional),
            "auc": formats.percent(best.auc, regional, 0),
            "low": formats.number(100 * (best.auc_low or 0), regional),
            "high": formats.percent(best.auc_high, regional, 0),
            "n": formats.number(best.n_retained + best.n_churned, regional),
        },
    )


def below_green(customers: Sequence[Chance]) -> list[Chance]:
    """Customers whose use lacks something to green, what may be lost most first."""
    lacking = [c for c in customers if c.gap]
    return sorted(lacking, key=lambda c: ((c.p or 0.0) - 1) * c.mrr)


def _counts(found: Discovery, regional: Regional) -> dict[str, str]:
    return {
        "stayed": formats.number(found.n_retained, regional),
        "left": formats.number(found.n_churned, regional),
    }


def band_rows(
    bands: Bands, customers: Sequence[Chance], regional: Regional
) -> list[BandRow]:
    """Every band, lowest first, with the customers whose use of the last 30 days lies
    in it."""
    found = []
    for band in bands.bands:
        here = [c for c in customers if c.uses is not None and bands.of(c.uses) == band]
        found.append(
            BandRow(
                color=band.color,
                uses=words.uses_text(band.low, band.high, regional),
                p=band.p,
                low=band.low_p,
                high=band.high_p,
                n=band.n,
                renewed=band.renewed,
                accounts=len(here),
                mrr=sum(c.mrr for c in here),
            )
        )
    return found


def band_source(bands: Bands, regional: Regional) -> str:
    n = sum(band.n for band in bands.bands)
    match bands.source:
        case "segment":
            return _("Learned from %(n)s decisions of this segment.") % {
                "n": formats.number(n, regional)
            }
        case "workspace":
            return _("Learned from %(n)s decisions of all segments.") % {
                "n": formats.number(n, regional)
            }
        case _:
            return _("Example thresholds: too few decisions to learn from yet.")


def green_text(bands: Bands, regional: Regional) -> str:
    """From which use on a customer is green, and how sure that is; empty if never."""
    if bands.green_from is None or bands.source == "example":
        return ""
    told = {"uses": formats.number(bands.green_from, regional)}
    if bands.green_low is None:
        return _("Green begins at %(uses)s uses a month.") % told
    if bands.green_high is None:
        said = _(
            "Green begins at %(uses)s uses a month, but it may as well be never: these "
            "are few decisions."
        )
        return said % told
    told |= {
        "low": formats.number(bands.green_low, regional),
        "high": formats.number(bands.green_high, regional),
    }
    said = _("Green begins at %(uses)s uses a month (95%%: %(low)s to %(high)s).")
    return said % told


def trend(review: Review, segment: str) -> Trend | None:
    """How early the gap opens: of the segment, or else of all customers."""
    return review.trends.get(segment) or review.trends.get("")


def gap_chart(review: Review, segment: str, regional: Regional) -> Chart | None:
    found = trend(review, segment)
    if found is None:
        return None
    months = [
        (
            m.month,
            Side(m.stayed, m.stayed_low, m.stayed_high),
            Side(m.left, m.left_low, m.left_high),
        )
        for m in found.months
    ]
    return charts.gap_chart(
        months,
        regional,
        stayed=pgettext("customers who", "Stayed"),
        left=pgettext("customers who", "Left"),
        axis=_("months before the decision"),
    )


def gap_text(review: Review, segment: str, regional: Regional) -> str:
    found = trend(review, segment)
    if found is None:
        return ""
    lost = {
        "n": formats.number(found.slope, regional, 1),
        "low": formats.number(found.slope_low, regional, 1),
        "high": formats.number(found.slope_high, regional, 1),
    }
    told = _(
        "Leavers lose %(n)s uses a month against stayers (95%%: %(low)s to %(high)s)."
    )
    if found.visible_from is None:
        return _("No gap is beyond doubt up to the last month.") + " " + told % lost
    seen = _("The gap is beyond doubt from month %(month)s on.") % {
        "month": formats.number(found.visible_from, regional)
    }
    return f"{seen} {told % lost}"


def trust(found: Discovery, settings: Settings, regional: Regional) -> list[Trust]:
    """What speaks for the finding and what against it."""
    counts = {**_counts(found, regional), "fewest": settings.pf_min_class}
    said = _("%(stayed)s stayed and %(left)s left; %(fewest)s of each are needed.")
    enough = said % counts
    if found.status != "ok":
        return [Trust(False, _("Not enough yet."), enough), _caution()]
    lines = [Trust(True, _("Enough of both."), enough)]
    best = found.power_feature
    if best is None:
        return [*lines, _caution()]
    lines += [_holds(found, best, regional), _not_just_size(best, regional)]
    return [*lines, _caution()]


def _holds(found: Discovery, best: Finding, regional: Regional) -> Trust:
    later = found.holdout
    if later is None or later.feature is None or later.auc is None:
        return Trust(
            False,
            _("Not shown on newer decisions."),
            _(
                "Without the latest quarter of decisions nothing would have been "
                "chosen."
            ),
        )
    n = formats.number(later.n_retained + later.n_churned, regional)
    text = _(
        "AUC %(auc)s (95%%: %(low)s–%(high)s) on the latest %(n)s, which the choice "
        "never saw."
    )
    is_good = later.feature == best.feature and (later.auc_low or 0) > 0.5
    title = (
        _("Holds on newer decisions.") if is_good else _("Unsure on newer decisions.")
    )
    numbers = {
        "auc": formats.number(later.auc, regional, 2),
        "low": formats.number(later.auc_low, regional, 2),
        "high": formats.number(later.auc_high, regional, 2),
        "n": n,
    }
    return Trust(is_good, title, text % numbers)


def _not_just_size(best: Finding, regional: Regional) -> Trust:
    text = _(
        "Odds ratio %(odds)s (95%%: %(low)s–%(high)s) after seats, tenure and plan."
    )
    numbers = {
        "odds": formats.number(best.odds_ratio, regional, 1),
        "low": formats.number(best.odds_low, regional, 1),
        "high": formats.number(best.odds_high, regional, 1),
    }
    is_good = (best.odds_low or 0) > 1
    title = _("Not just size or age.") if is_good else _("May be size or age.")
    return Trust(is_good, title, text % numbers)


def drift(
    review: Review,
    segment: str,
    customers: Sequence[Chance],
    settings: Settings,
    regional: Regional,
) -> Trust | None:
    """Whether customers use the feature as those did whom the bands were learned from
    (P05); None where there is nobody to compare."""
    told = [c.uses for c in customers if c.uses is not None]
    before = review.shares.get(segment) or review.shares[""]
    if not told or not sum(before):
        return None
    now = shares(review.bands_of(segment), told)
    index, verdict = shift(
        before, now, watch=settings.psi_watch, shifted=settings.psi_shift
    )
    title = {
        "stable": _("Use is as it was."),
        "watch": _("Use has moved somewhat."),
        "shift": _("Use has moved: learn again."),
    }[verdict]
    text = _(
        "Population stability index %(index)s between decisions and customers now."
    )
    numbers = {"index": formats.number(index, regional, 2)}
    return Trust(verdict == "stable", title, text % numbers)


def _caution() -> Trust:
    return Trust(
        False,
        _("A correlation."),
        _(
            "Pushing a button more often does not renew a contract. Try it with some "
            "accounts and compare them with others."
        ),
    )
