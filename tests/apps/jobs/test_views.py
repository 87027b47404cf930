from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from perennial.apps.jobs import actions, jobs
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.team.models import AuditEntry, User
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
PAGE = "/settings/jobs/"


def failed(cast: Cast) -> JobRun:
    run = actions.enqueue("tidy", cast.workspace)
    JobRun.objects.update(
        state=State.FAILED,
        attempt=3,
        error="OSError: the disk is full",
        traceback="Traceback: the disk",
        started_at=timezone.now() - timedelta(seconds=90),
        finished_at=timezone.now(),
    )
    return run


def test_the_page_lists_every_job(cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.admin).get(PAGE).content.decode()
    assert "Refresh" in page
    assert "04:00" in page
    assert "No job has run yet" in page


def test_each_lane_says_what_runs_and_how_much_waits(
    cast: Cast, client_of: ClientOf
) -> None:
    for name in ("refresh", "tidy", "follow_up"):
        actions.enqueue(name, cast.workspace)
        actions.enqueue("refresh", cast.elsewhere)
    JobRun.objects.filter(workspace=cast.workspace, name="refresh").update(
        state=State.RUNNING
    )
    page = client_of(cast.admin).get(PAGE).content.decode()
    quick, long, _runs = re.findall(r'<section class="card".*?</section>', page, re.S)
    said = [" ".join(strip_tags(part).split()) for part in (quick, long)]
    assert "Nothing is running · 1 waits" in said[0]
    assert "Refresh is running · 1 waits" in said[1]
    assert "Follow up" in said[0]
    assert "Maintain the tables" in said[1]


def test_run_now_asks_for_a_run(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    client.post(f"{PAGE}run/tidy/")
    client.post(f"{PAGE}run/tidy/")
    run = JobRun.objects.get()
    assert (run.by, run.workspace) == (cast.admin, cast.workspace)
    assert AuditEntry.objects.get(verb="job.asked_for").target == "tidy"
    assert "Waiting" in client.get(PAGE).content.decode()


def test_an_unknown_job_is_not_here_nor_one_that_has_to_be_told_what(
    cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.admin)
    for name in ("nonsense", "import_file", "start_playbook"):
        assert client.post(f"{PAGE}run/{name}/").status_code == 404
    page = client.get(PAGE).content.decode()
    offered = set(re.findall(rf"{PAGE}run/(\w+)/", page))
    assert {"refresh", "follow_up", "tidy"} <= offered
    assert not {"import_file", "start_playbook"} & offered


def test_a_moving_page_asks_again_and_gets_its_part(
    cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.admin)
    assert 'hx-trigger="every' not in client.get(PAGE).content.decode()
    actions.enqueue("tidy", cast.workspace)
    JobRun.objects.update(state=State.RUNNING, progress=0.25, message="Loading")
    part = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every' in part
    assert "25%" in part
    assert "Loading" in part
    assert "<html" not in part


def test_a_failed_run_says_why_and_can_be_run_again(
    cast: Cast, client_of: ClientOf
) -> None:
    run = failed(cast)
    client = client_of(cast.admin)
    assert "1 run failed" in client.get(PAGE).content.decode()
    page = client.get(f"{PAGE}runs/{run.pk}/").content.decode()
    assert "the disk is full" in page
    assert "1 min 30 s" in page
    client.post(f"{PAGE}runs/{run.pk}/retry/")
    run.refresh_from_db()
    assert run.state == State.WAITING


def test_runs_of_others_are_not_here(cast: Cast, client_of: ClientOf) -> None:
    run = failed(cast)
    client = client_of(cast.stranger)
    assert client.get(f"{PAGE}runs/{run.pk}/").status_code == 404
    assert client.post(f"{PAGE}runs/{run.pk}/retry/").status_code == 404
    assert "the disk is full" not in client.get(PAGE).content.decode()


def test_tidy_keeps_what_is_recent(cast: Cast) -> None:
    old, recent = failed(cast), actions.enqueue("tidy", cast.workspace)
    JobRun.objects.filter(pk=old.pk).update(
        finished_at=timezone.now() - jobs.KEEP_RUNS - timedelta(days=1)
    )
    jobs.tidy(cast.workspace.key, lambda progress, message: None)
    assert list(JobRun.objects.all()) == [recent]
