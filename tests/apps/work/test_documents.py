"""The quarterly review and the plan on paper say what the pages say, to whom they may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from pptx import Presentation

from perennial.apps.customers import queries
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work.documents import plan as plan_document
from perennial.apps.work.documents.review import Review, compose
from perennial.apps.work.plans import actions
from perennial.apps.work.plans import queries as plans
from perennial.core.windows import DAY
from perennial.ui.documents import Bars, Document, Facts, Items, Picture, Table
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF, KESTREL, SILENT, TRIAL
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


def texts(document: Document) -> Iterator[str]:
    """Everything a document says, chart by chart as their titles."""
    yield from (document.title, document.subtitle, *(document.mark or ()))
    for page in document.pages:
        yield from (page.title, page.lead, page.rest)
        yield from (f"{fact.label} {fact.value}" for fact in page.facts)
        for block in (block for column in page.columns for block in column.blocks):
            if isinstance(block, Facts):
                continue
            yield block.title
            if isinstance(block, Bars):
                yield from (f"{b.name} {b.detail} {b.figure}" for b in block.bars)
            elif isinstance(block, Items):
                yield from (" ".join(item) for item in block.items)
            elif isinstance(block, Table):
                yield from (" ".join(row) for row in block.rows)
            else:
                assert isinstance(block, Picture)


def review(workspace: Workspace, account_id: str, locale: str = "en", *, customer: bool = False) -> list[str]:  # fmt: skip
    account = queries.get_account_or_404(workspace, account_id)
    regional = Regional(locale, "EUR", "Europe/Berlin")
    with override(locale):
        return list(texts(compose(Review(workspace, account, regional, customer))))


def test_a_review_says_what_the_page_says(
    workspace: Workspace, member: Membership
) -> None:
    """Kestrel's parts are those of the worked example: 7.5 + 12.5 + 19.1 + 3.8 = 42.8."""
    plan = actions.add_plan(member, KESTREL, title="Grow", template="onboarding")
    goal = actions.add_goal(
        plan, member, title="Hours saved", baseline=0, target=120,
        due_on=AS_OF + DAY * 30, metric="",
    )  # fmt: skip
    actions.say_value(goal, member, 30)
    said = review(workspace, KESTREL)
    whole = "\n".join(said)
    for text in ("Quarterly review · 2 Mar – 31 May ’26", "7.5 / 30", "12.5 / 25", "Hours saved from 0 to 120 by 1 Jul 30"):  # fmt: skip
        assert text in whole, whole
    assert "orange" in said
    assert "1 of 2 key features were used in the last 28 days." in said


def test_the_customer_sees_no_score_and_no_chance(
    workspace: Workspace, member: Membership
) -> None:
    said = "\n".join(review(workspace, KESTREL, customer=True))
    for text in ("orange", "Chance of renewal", "7.5 / 30", "Why 4"):
        assert text not in said
    assert "Usage" in said


@pytest.mark.parametrize("account_id", [SILENT, TRIAL])
def test_an_account_with_next_to_nothing_has_a_review(
    workspace: Workspace, account_id: str
) -> None:
    said = review(workspace, account_id, "de")
    assert "None" not in "\n".join(said)


def test_who_may_take_what_along(
    workspace: Workspace, member: Membership, cast: Cast, client_of: ClientOf
) -> None:
    plan = actions.add_plan(member, KESTREL, title="Grow", template="renewal")
    address = reverse("work:review", args=[KESTREL])
    viewer = client_of(cast.viewer)
    slides = viewer.get(address, {"format": "pptx", "for": "customer"})
    assert slides["Content-Disposition"] == 'attachment; filename="kestrel-sons.pptx"'
    assert len(Presentation(BytesIO(slides.content)).slides) >= 7
    paper = viewer.get(reverse("work:plan_document", args=[plan.pk]))
    assert paper.content.startswith(b"%PDF-")
    assert viewer.get(address, {"format": "exe"}).status_code == 404
    assert viewer.get(reverse("work:review", args=["nobody"])).status_code == 404
    for path in (address, reverse("work:plan_document", args=[plan.pk])):
        assert client_of(cast.stranger).get(path).status_code == 404
    page = viewer.get(reverse("customers:account", args=[KESTREL])).content.decode()
    assert f"{address}?format=pdf" in page


def test_a_plan_on_paper_has_no_more_than_its_shared_page(
    workspace: Workspace, member: Membership
) -> None:
    plan = actions.add_plan(member, KESTREL, title="Grow", template="onboarding")
    [line] = plans.lines(workspace, [plan])
    made = plan_document.compose(workspace, line, Regional("en", "EUR"), AS_OF)
    said = "\n".join(texts(made))
    assert "Kestrel" in said
    assert "What we do" in said
    assert "MRR" not in said
